"""Chapter 06's exercises: what is asked, how an answer is judged, and the mistakes that are told apart."""

from course_lib.exercises.ch06 import asked  # noqa: F401 (its quizzes register themselves)
from course_lib.exercises.ch06.latents import truncated
from course_lib.exercises.ch06.people import wrong_share
from course_lib.exercises.ch06.psi import truncated_styles
from course_lib.exercises.ch06.trade import curve
from course_lib.exercises.engine import register

register(truncated, curve, truncated_styles, wrong_share)  # in the chapter's order
