"""The companion library of the course: every formula a chapter shows is a function here, and tested.

`import course_lib` costs nothing over `import torch`; name the room you need, as in
`from course_lib import data, losses` or `from course_lib.models import dcgan`.
"""

__version__ = "0.2.0"
