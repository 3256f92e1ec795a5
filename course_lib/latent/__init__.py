"""What can be done with latent vectors, apart from any network."""

from course_lib.latent.directions import principal_directions
from course_lib.latent.interpolation import lerp, slerp
from course_lib.latent.styles import mix_styles, truncate
from course_lib.latent.truncation import truncated_normal, truncated_quantile

__all__ = ["lerp", "mix_styles", "principal_directions", "slerp", "truncate", "truncated_normal", "truncated_quantile"]
