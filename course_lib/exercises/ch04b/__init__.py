"""Chapter 04b's exercises: what is asked, how an answer is judged, and the mistakes that are told apart."""

from course_lib.exercises.ch04b import asked  # noqa: F401 (its quizzes register themselves)
from course_lib.exercises.ch04b.bias import extrapolation, unbiased_kid
from course_lib.exercises.ch04b.doubt import interval, memorised
from course_lib.exercises.engine import register

register(extrapolation, unbiased_kid, interval, memorised)  # in the chapter's order
