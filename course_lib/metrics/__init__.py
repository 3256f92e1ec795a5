"""Metrics: pure functions of features. Chapter 04 builds this room; so far it holds the Fréchet distance."""

from course_lib.metrics.frechet import fid, frechet_distance
from course_lib.metrics.moments import GaussianMoments

__all__ = ["GaussianMoments", "fid", "frechet_distance"]
