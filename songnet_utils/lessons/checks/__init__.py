"""Checks of the lessons' exercises, which know the right answers and explain the usual wrong ones.

There is one module per lesson, with the lesson's name; the lesson imports it as ``check``.
`answers` reads what a student gives, `questions` defines what a question is, and `verdicts` shows
what a check says.
"""
