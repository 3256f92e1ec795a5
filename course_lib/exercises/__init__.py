"""Exercises that are judged by properties, predictions, quizzes, explanations, and your progress through them.

In a notebook: `from course_lib.exercises import exercise, explain, predict, progress, quiz, reveal, running_on`.
"""

from course_lib.exercises.engine import EXERCISES, Exercise, Property, WrongAnswer, exercise, get, judge, running_on
from course_lib.exercises.ledger import add_to_report, progress
from course_lib.exercises.map import chapter_map
from course_lib.exercises.questions import explain, predict, quiz, reveal

__all__ = [
    "EXERCISES",
    "Exercise",
    "Property",
    "WrongAnswer",
    "add_to_report",
    "chapter_map",
    "exercise",
    "explain",
    "get",
    "judge",
    "predict",
    "progress",
    "quiz",
    "reveal",
    "running_on",
]
