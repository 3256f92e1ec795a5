"""Chapter 09b's exercises: what is asked, how an answer is judged, and the mistakes that are told apart."""

from course_lib.exercises.ch09b import asked  # noqa: F401 (its quizzes register themselves)
from course_lib.exercises.ch09b.layers import mixed, noisy
from course_lib.exercises.ch09b.means import averaged, truncated
from course_lib.exercises.engine import register

register(noisy, mixed, averaged, truncated)  # in the chapter's order
