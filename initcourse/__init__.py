"""Weight initialization of neural networks: choose, predict, propagate, measure, train.

The modules depend on each other in one direction, in the order of a sentence:

*choose weights* (:mod:`~initcourse.initializers`), *integrate*
(:mod:`~initcourse.quadrature`), *apply an activation* (:mod:`~initcourse.activations`), *predict*
(:mod:`~initcourse.theory`), *propagate and measure* (:mod:`~initcourse.propagation`), *take data*
(:mod:`~initcourse.datasets`), *train* (:mod:`~initcourse.training`), *tabulate*
(:mod:`~initcourse.tables`), *diagnose*
(:mod:`~initcourse.diagnosis`), *draw* (:mod:`~initcourse.plots`), *move*
(:mod:`~initcourse.widgets`).
:mod:`~initcourse.claims` holds the ledger of the sources' claims.

Beside them stand two packages that no chapter imports: ``initcourse.homework``, for students, and
``initcourse.grading``, for instructors, with the command ``initcourse``.

``import initcourse`` is light: it loads none of the modules.  Import the ones you need, as in
``from initcourse import initializers, theory``.
"""

__version__ = "0.1.0"
