"""Chapter 04's exercises: what is asked, how an answer is judged, and the mistakes that are told apart."""

from course_lib.exercises.ch04 import asked  # noqa: F401 (its quizzes register themselves)
from course_lib.exercises.ch04.features import covariance_exercise, fid_exercise
from course_lib.exercises.ch04.frechet import many
from course_lib.exercises.ch04.frechet_1d import one_dimension
from course_lib.exercises.ch04.root import root
from course_lib.exercises.engine import register

register(covariance_exercise, one_dimension, root, many, fid_exercise)  # in the chapter's order
