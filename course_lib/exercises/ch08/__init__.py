"""Chapter 08's exercises: what is asked, how an answer is judged, and the mistakes that are told apart."""

from course_lib.exercises.ch08 import asked  # noqa: F401 (its quizzes register themselves)
from course_lib.exercises.ch08.importance import importance_weighted
from course_lib.exercises.ch08.latents import gaussian_kl, reparameterise
from course_lib.exercises.ch08.terms import elbo_exercise, reconstruction
from course_lib.exercises.engine import register

register(reparameterise, gaussian_kl, reconstruction, elbo_exercise, importance_weighted)  # in the chapter's order
