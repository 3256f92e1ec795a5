"""Chapter 07's exercises: what is asked, how an answer is judged, and the mistakes that are told apart."""

from course_lib.exercises.ch07 import asked  # noqa: F401 (its quizzes register themselves)
from course_lib.exercises.ch07.histograms import prd
from course_lib.exercises.ch07.membership import membership
from course_lib.exercises.ch07.radii import radii
from course_lib.exercises.ch07.scores import coverage, precision_and_recall
from course_lib.exercises.engine import register

register(radii, membership, precision_and_recall, coverage, prd)  # in the chapter's order
