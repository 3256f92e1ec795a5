"""Chapter 01's exercises: what is asked, how an answer is judged, and the mistakes that are told apart."""

from course_lib.exercises.ch01 import asked  # noqa: F401 (its quizzes register themselves)
from course_lib.exercises.ch01.dirac import alternating, simultaneous
from course_lib.exercises.ch01.divergence import jsd
from course_lib.exercises.ch01.game import discriminator, value
from course_lib.exercises.ch01.slopes import generator_losses_exercise
from course_lib.exercises.engine import register

register(value, discriminator, jsd, generator_losses_exercise, simultaneous, alternating)  # in the chapter's order
