"""Chapter 05's exercises: what is asked, how an answer is judged, and the mistakes that are told apart."""

from course_lib.exercises.ch05 import asked  # noqa: F401 (its quizzes register themselves)
from course_lib.exercises.ch05.information import cross_entropy_exercise, entropy, kl
from course_lib.exercises.ch05.score import one_of_each_exercise, score
from course_lib.exercises.ch05.splits import split_scores_exercise
from course_lib.exercises.engine import register

register(  # in the chapter's order
    entropy, cross_entropy_exercise, kl, score, one_of_each_exercise, split_scores_exercise
)
