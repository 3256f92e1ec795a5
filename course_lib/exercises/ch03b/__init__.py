"""Chapter 03b's exercises: what is asked, how an answer is judged, and the mistakes that are told apart."""

from course_lib.exercises.ch03b import asked  # noqa: F401 (its quizzes register themselves)
from course_lib.exercises.ch03b.labels import smoothed
from course_lib.exercises.ch03b.matrices import radius, singular
from course_lib.exercises.ch03b.memory import averaged
from course_lib.exercises.ch03b.modes import counting
from course_lib.exercises.ch03b.variety import deviation
from course_lib.exercises.engine import register

register(radius, singular, smoothed, averaged, deviation, counting)  # in the chapter's order
