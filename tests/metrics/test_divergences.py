"""Entropy, KL and JSD of discrete distributions: closed forms, SciPy, invariances, bad input."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from course_lib.metrics import entropy, js_divergence, kl_divergence


def double(*values):
    return torch.tensor(values, dtype=torch.float64)


def distributions(size=4):
    numbers = st.lists(st.floats(0.01, 1.0), min_size=size, max_size=size)
    return numbers.map(lambda values: (t := double(*values)) / t.sum())


def test_entropy_of_a_uniform_distribution_and_of_a_certainty():
    assert entropy(torch.full((8,), 1 / 8, dtype=torch.float64)).item() == pytest.approx(math.log(8))
    assert entropy(double(0, 1, 0)).item() == 0


def test_kl_where_q_lacks_what_p_has_is_infinite_and_the_other_way_round_is_not():
    p, q = double(0.5, 0.5), double(1, 0)
    assert kl_divergence(p, q).item() == math.inf
    assert kl_divergence(q, p).item() == pytest.approx(math.log(2))


def test_jsd_of_disjoint_distributions_is_log_2():
    assert js_divergence(double(1, 0), double(0, 1)).item() == pytest.approx(math.log(2))


@settings(deadline=None, max_examples=50)
@given(distributions(), distributions())
def test_against_scipy(p, q):
    assert kl_divergence(p, q).item() == pytest.approx(stats.entropy(p.numpy(), q.numpy()), abs=1e-12)
    assert js_divergence(p, q).item() == pytest.approx(jensenshannon(p.numpy(), q.numpy()) ** 2, abs=1e-12)


@settings(deadline=None, max_examples=50)
@given(distributions(), distributions())
def test_never_negative_symmetric_bounded_and_blind_to_order(p, q):
    shuffled = torch.from_numpy(np.array([2, 0, 3, 1]))
    assert kl_divergence(p, q) >= -1e-15
    assert js_divergence(p, q) + 1e-15 >= 0 and js_divergence(p, q) <= math.log(2)
    assert js_divergence(p, q).item() == pytest.approx(js_divergence(q, p).item(), abs=1e-15)
    assert kl_divergence(p, q).item() == pytest.approx(kl_divergence(p[shuffled], q[shuffled]).item(), abs=1e-14)


def test_leading_dimensions_are_kept():
    p = torch.softmax(torch.randn(2, 3, 5), -1)
    assert entropy(p).shape == kl_divergence(p, p).shape == js_divergence(p, p).shape == (2, 3)
    torch.testing.assert_close(kl_divergence(p, p[0, 0])[0, 0], torch.tensor(0.0))


@pytest.mark.parametrize("bad", [double(0.5, 0.6), double(1.2, -0.2), double(float("nan"), 1.0)])
def test_what_is_no_distribution_is_refused(bad):
    with pytest.raises(ValueError, match="q: expected probabilities that sum to 1"):
        kl_divergence(double(0.5, 0.5), bad)
    with pytest.raises(ValueError, match=r"p: expected \(\.\.\., K\) floating point probabilities"):
        entropy(torch.tensor([0, 1]))


def test_numpy_arrays_and_lists_are_taken():
    p, q = np.array([0.25, 0.75]), np.array([0.5, 0.5])
    for function in (kl_divergence, js_divergence):
        assert function(p, q).item() == function(torch.from_numpy(p), torch.from_numpy(q)).item()
        assert function(list(p), list(q)).item() == pytest.approx(function(p, q).item(), abs=1e-6)
    assert entropy(p).item() == pytest.approx(stats.entropy(p), abs=1e-12)
