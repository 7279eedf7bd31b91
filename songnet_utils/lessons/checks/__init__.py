"""Checks of the lessons' exercises: they know right answers and explain the usual wrong ones.

A module a lesson, named like it; a lesson imports its own as ``check``. How an answer is read is
in `answers`, what a question is in `questions`, what is said and how it looks in `verdicts`.
"""
