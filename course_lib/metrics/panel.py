"""Every metric of two sets of features at once, fast enough for a slider: what the metric microscope shows.

What depends on the real set alone is computed once.
"""

from __future__ import annotations

from torch import Tensor

from course_lib.metrics.frechet import frechet_distance
from course_lib.metrics.inception_score import inception_score
from course_lib.metrics.kid import kernel_sums, kid_unbiased
from course_lib.metrics.moments import GaussianMoments
from course_lib.metrics.neighbours import neighbour_radii
from course_lib.metrics.precision_recall import prdc

METRICS = {  # name → the better direction
    "FID (classifier)": "low",
    "KID (classifier)": "low",
    "classifier score": "high",
    "precision": "high",
    "recall": "high",
    "density": "high",
    "coverage": "high",
}


class Panel:
    """All of METRICS against one real set.

    features: (N, d) of the real images;  probabilities are not needed of them: the score looks at the fakes alone
    k:        neighbours, for precision, recall, density and coverage alike (5, as prdc has it)
    """

    def __init__(self, features: Tensor, k: int = 5):
        self.features, self.k = features, k
        moments = GaussianMoments().update(features)
        self.gaussian = moments.mean, moments.cov()
        self.radii, self.sums = neighbour_radii(features, k), kernel_sums(features)

    def measure(self, features: Tensor, probabilities: Tensor) -> dict[str, float]:
        """One number for each of METRICS. features: (M, d);  probabilities: (M, K) of a classifier"""
        fake = GaussianMoments().update(features)
        distance = frechet_distance(*self.gaussian, fake.mean, fake.cov())
        near = prdc(real=self.features, fake=features, k=self.k, real_radii=self.radii)
        score = inception_score(probabilities=probabilities, splits=1)
        values = (
            distance, kid_unbiased(self.features, features, real_sums=self.sums).kid, score.mean,
            near.precision, near.recall, near.density, near.coverage,
        )  # fmt: skip
        return dict(zip(METRICS, map(float, values)))
