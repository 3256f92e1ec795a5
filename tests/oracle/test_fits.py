"""The nearest normal: closed forms, and which divergence covers and which one seeks."""

import math

import pytest

from course_lib import oracle
from course_lib.data.mixtures import grid, mixture
from course_lib.oracle.fits import DIVERGENCES, best_normal, moments

APART = mixture([-3, 3], stds=[0.5, 0.8], weights=[0.4, 0.6])


def place(normal):
    return normal.means.item(), normal.stds.item()


@pytest.mark.parametrize("divergence", DIVERGENCES)
def test_of_a_normal_it_is_that_normal(divergence):
    assert place(best_normal(mixture([1.5], stds=0.7), divergence)) == pytest.approx((1.5, 0.7), abs=1e-3)


def test_moments_of_two_humps_in_closed_form():
    d = 2.0
    assert moments(mixture([-d, d], stds=0.5)) == pytest.approx((0, math.sqrt(0.25 + d * d)))


def test_forward_covers_and_reverse_seeks():
    assert place(best_normal(APART, "forward")) == pytest.approx(moments(APART))
    seeking = best_normal(APART, "reverse")
    assert place(seeking) == pytest.approx((3, 0.8), abs=0.01)
    # all of the normal lies on a hump with 0.6 of the mass: it pays −log 0.6
    assert oracle.kl_divergence(seeking, APART) == pytest.approx(-math.log(0.6), abs=1e-3)


@pytest.mark.parametrize("divergence", DIVERGENCES)
def test_no_normal_nearby_is_better(divergence):
    p = mixture([-1.5, 1.5], stds=[0.5, 0.8], weights=[0.4, 0.6])
    mean, std = place(best_normal(p, divergence))
    least = DIVERGENCES[divergence](p, mixture([mean], stds=std))
    for m, s in ((0.05, 1), (-0.05, 1), (0, 1.05), (0, 0.95)):
        assert DIVERGENCES[divergence](p, mixture([mean + m], stds=std * s)) > least


def test_what_it_refuses():
    with pytest.raises(ValueError, match="did you mean 'reverse'"):
        best_normal(APART, "revers")
    with pytest.raises(ValueError, match="p: expected a mixture in 1 dimension, got 2"):
        best_normal(grid())
