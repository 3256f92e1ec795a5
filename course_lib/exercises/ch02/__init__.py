"""Chapter 02's exercises: what is asked, how an answer is judged, and the mistakes that are told apart."""

from course_lib.exercises.ch02 import asked  # noqa: F401 (its quizzes register themselves)
from course_lib.exercises.ch02.counting import counting
from course_lib.exercises.ch02.discriminator_step import discriminator_step
from course_lib.exercises.ch02.generator_step import generator_step
from course_lib.exercises.ch02.initialisation import initialise
from course_lib.exercises.ch02.pixels import to_uint8
from course_lib.exercises.ch02.upsampling import upsample
from course_lib.exercises.engine import register

register(to_uint8, discriminator_step, generator_step, upsample, counting, initialise)  # in the chapter's order
