"""Metrics: pure functions of features and of probabilities; one file each, on the CPU or a GPU."""

from course_lib.metrics.divergences import entropy, gaussian_kl, js_divergence, kl_divergence
from course_lib.metrics.fid_error import fid_standard_error
from course_lib.metrics.frechet import FIDInfinity, fid, fid_infinity, frechet_distance
from course_lib.metrics.hype import HypeInfinity, HypeTime, hype_infinity, hype_time
from course_lib.metrics.inception_score import InceptionScore, inception_score
from course_lib.metrics.kid import KID, UnbiasedKID, kid, kid_of_subsets, kid_unbiased
from course_lib.metrics.lpips import lpips
from course_lib.metrics.memorisation import Memorisation, memorisation
from course_lib.metrics.moments import GaussianMoments
from course_lib.metrics.neighbours import nearest_distances, neighbour_radii
from course_lib.metrics.path_length import PathLength, PathProtocol, perceptual_path_length
from course_lib.metrics.prd import PRDCurve, prd_curve, prd_from_histograms
from course_lib.metrics.precision_recall import (
    PRDC,
    DensityCoverage,
    PrecisionRecall,
    density_coverage,
    prdc,
    precision_recall,
    realism,
)
from course_lib.metrics.separability import Separability, linear_separability
from course_lib.metrics.trade_off import trade_off

from course_lib.metrics.evaluate import Evaluation, evaluate  # isort: skip  (needs the names above)
from course_lib.metrics.sources import open_images  # isort: skip

__all__ = [
    "KID",
    "PRDC",
    "DensityCoverage",
    "Evaluation",
    "FIDInfinity",
    "GaussianMoments",
    "HypeInfinity",
    "HypeTime",
    "InceptionScore",
    "Memorisation",
    "PRDCurve",
    "PathLength",
    "PathProtocol",
    "PrecisionRecall",
    "Separability",
    "UnbiasedKID",
    "density_coverage",
    "entropy",
    "evaluate",
    "fid",
    "fid_infinity",
    "fid_standard_error",
    "frechet_distance",
    "gaussian_kl",
    "hype_infinity",
    "hype_time",
    "inception_score",
    "js_divergence",
    "kid",
    "kid_of_subsets",
    "kid_unbiased",
    "kl_divergence",
    "linear_separability",
    "lpips",
    "memorisation",
    "nearest_distances",
    "neighbour_radii",
    "open_images",
    "perceptual_path_length",
    "prd_curve",
    "prd_from_histograms",
    "prdc",
    "precision_recall",
    "realism",
    "trade_off",
]
