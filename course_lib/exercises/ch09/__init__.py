"""Chapter 09's exercises: what is asked, how an answer is judged, and the mistakes that are told apart."""

from course_lib.exercises.ch09 import asked  # noqa: F401 (its quizzes register themselves)
from course_lib.exercises.ch09.equalised import equalised
from course_lib.exercises.ch09.latents import mapped, pixel
from course_lib.exercises.ch09.maps import adaptive, faded
from course_lib.exercises.engine import register

register(equalised, pixel, mapped, adaptive, faded)  # in the chapter's order
