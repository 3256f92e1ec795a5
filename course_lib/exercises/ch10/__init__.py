"""Chapter 10's exercises: what is asked, how an answer is judged, and the mistakes that are told apart."""

from course_lib.exercises.ch10 import asked  # noqa: F401 (its quizzes register themselves)
from course_lib.exercises.ch10.between import lerp, slerp
from course_lib.exercises.ch10.moved import layer_distance, squared_speeds
from course_lib.exercises.engine import register

register(lerp, slerp, layer_distance, squared_speeds)  # in the chapter's order
