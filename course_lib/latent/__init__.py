"""What can be done with latent vectors, apart from any network."""

from course_lib.latent.directions import principal_directions
from course_lib.latent.interpolation import lerp, slerp

__all__ = ["lerp", "principal_directions", "slerp"]
