"""What can be done with latent vectors, apart from any network."""

from course_lib.latent.directions import principal_directions
from course_lib.latent.interpolation import lerp, slerp
from course_lib.latent.truncation import truncated_normal

__all__ = ["lerp", "principal_directions", "slerp", "truncated_normal"]
