"""Chapter 03's exercises: what is asked, how an answer is judged, and the mistakes that are told apart."""

from course_lib.exercises.ch03 import asked  # noqa: F401 (its quizzes register themselves)
from course_lib.exercises.ch03.clipping import clip_weights
from course_lib.exercises.ch03.distance import exercise as wasserstein_1d
from course_lib.exercises.ch03.pair_losses import hinge_exercise, least_squares_exercise, wasserstein_exercise
from course_lib.exercises.ch03.penalty import gradient_penalty
from course_lib.exercises.engine import register

register(  # in the chapter's order
    wasserstein_1d, wasserstein_exercise, clip_weights, gradient_penalty, least_squares_exercise, hinge_exercise
)
