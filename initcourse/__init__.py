"""Weight initialization of neural networks: choose, predict, propagate, measure, train.

The modules depend on each other in one direction, in the order of a sentence:

*choose weights* (:mod:`~initcourse.initializers`), *integrate*
(:mod:`~initcourse.quadrature`), *apply an activation* (:mod:`~initcourse.activations`), *predict*
(:mod:`~initcourse.theory`), *propagate and measure* (:mod:`~initcourse.propagation`), *take data*
(:mod:`~initcourse.datasets`), *train* (:mod:`~initcourse.training`), *tabulate*
(:mod:`~initcourse.tables`), *diagnose* (:mod:`~initcourse.diagnosis`).

That is the science.  Beside it stand, and the science imports none of them:

- :mod:`initcourse.pages`, what the pages are made of: the *claims* of the sources with their
  verdicts (:mod:`~initcourse.pages.claims`), *figures* (:mod:`~initcourse.pages.plots`) and
  *explorers* (:mod:`~initcourse.pages.widgets`);
- :mod:`initcourse.homework`, for students;
- ``initcourse.grading``, for instructors, with the command ``initcourse``.

``import initcourse`` is light: it loads none of the modules.  Import the ones you need, as in
``from initcourse import initializers, theory``.
"""

__version__ = "0.1.0"
