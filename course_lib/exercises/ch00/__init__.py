"""Chapters 00 and 00b: the first exercise, and two quizzes."""

from course_lib.exercises.ch00 import asked  # noqa: F401 (its quizzes register themselves)
from course_lib.exercises.ch00.probability import probability_exercise
from course_lib.exercises.engine import register

register(probability_exercise)
