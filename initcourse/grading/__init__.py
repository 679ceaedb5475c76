"""Release, collect and grade the homework: what ``pip install "initcourse[instructor]"`` adds.

A student needs none of it; see :mod:`initcourse.homework`.
"""
