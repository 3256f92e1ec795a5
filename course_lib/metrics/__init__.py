"""Metrics: pure functions of features and of probabilities. Chapter 04 fills this room."""

from course_lib.metrics.divergences import entropy, js_divergence, kl_divergence
from course_lib.metrics.frechet import fid, frechet_distance
from course_lib.metrics.moments import GaussianMoments

__all__ = ["GaussianMoments", "entropy", "fid", "frechet_distance", "js_divergence", "kl_divergence"]
