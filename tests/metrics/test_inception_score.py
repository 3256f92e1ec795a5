"""Inception Score: closed forms, the definition written out, bounds, bad input."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import metrics


def plain(probabilities, splits):
    n = len(probabilities)
    scores = []
    for index in range(splits):
        p = probabilities[index * n // splits : (index + 1) * n // splits].double()
        scores.append(metrics.kl_divergence(p, p.mean(0).expand_as(p)).mean().exp())
    scores = torch.stack(scores)
    return scores.mean().item(), scores.std(correction=0).item()


@pytest.mark.parametrize("classes", [2, 7, 100])
def test_certain_and_balanced_scores_the_number_of_classes(classes):
    rows = torch.eye(classes).repeat(10, 1)
    assert metrics.inception_score(probabilities=rows) == (
        pytest.approx(classes, rel=1e-12),
        pytest.approx(0, abs=1e-9),
    )
    assert metrics.inception_score(logits=1e4 * rows).mean == pytest.approx(classes, rel=1e-12)


def test_one_distribution_for_all_scores_one_and_so_do_ten_images_in_ten_splits():
    assert metrics.inception_score(logits=torch.zeros(40, 5)).mean == pytest.approx(1, abs=1e-12)
    assert metrics.inception_score(logits=torch.randn(10, 5), splits=10).mean == pytest.approx(1, abs=1e-12)


def test_gaussian_kl_of_two_normals_in_closed_form_and_against_torch():
    zero, eye = torch.zeros(3), torch.eye(3)
    assert metrics.gaussian_kl(zero, eye, zero + 1, eye).item() == pytest.approx(1.5)
    assert metrics.gaussian_kl(zero, 4 * eye, zero, eye).item() == pytest.approx(1.5 * (4 - 1 - math.log(4)))
    a, b = torch.randn(3, 3, dtype=torch.float64), torch.randn(3, 3, dtype=torch.float64)
    p = torch.distributions.MultivariateNormal(torch.randn(3, dtype=torch.float64), a @ a.T + torch.eye(3))
    q = torch.distributions.MultivariateNormal(torch.randn(3, dtype=torch.float64), b @ b.T + torch.eye(3))
    found = metrics.gaussian_kl(p.mean, p.covariance_matrix, q.mean, q.covariance_matrix)
    torch.testing.assert_close(found, torch.distributions.kl_divergence(p, q))
    with pytest.raises(ValueError, match="cov_q: expected a symmetric, positive definite matrix"):
        metrics.gaussian_kl(zero, eye, zero, torch.zeros(3, 3))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.integers(5, 90), st.integers(2, 12), st.integers(1, 5), st.integers(1, 100))
def test_against_the_definition_with_any_block(seed, n, classes, splits, block):
    torch.manual_seed(seed)
    logits = 5 * torch.randn(n, classes)
    mean, std = plain(logits.double().softmax(1), splits)
    found = metrics.inception_score(logits=logits, splits=splits, block=block)
    assert found.mean == pytest.approx(mean, rel=1e-12) and found.std == pytest.approx(std, abs=1e-10)
    assert 1 - 1e-12 <= found.mean <= min(classes, math.ceil(n / splits)) + 1e-9
    p = logits.double().softmax(1)
    assert metrics.inception_score(probabilities=p, splits=splits).mean == pytest.approx(mean, rel=1e-12)


def test_a_missing_class_lowers_it():
    rows = torch.eye(10).repeat(20, 1)[torch.randperm(200)]
    assert metrics.inception_score(probabilities=rows[rows[:, 0] == 0], splits=1).mean == pytest.approx(9)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="exactly one of the two"):
        metrics.inception_score()
    with pytest.raises(ValueError, match="logits: expected at least 10 rows, one for each split, got 9"):
        metrics.inception_score(logits=torch.zeros(9, 3))
    with pytest.raises(ValueError, match="probabilities: expected probabilities that sum to 1"):
        metrics.inception_score(probabilities=torch.randn(20, 3))
    with pytest.raises(ValueError, match="logits: expected finite numbers"):
        metrics.inception_score(logits=torch.full((20, 3), float("nan")))
    with pytest.raises(ValueError, match=r"logits: expected \(N, K\) floating point"):
        metrics.inception_score(logits=torch.zeros(20, 3, dtype=torch.long))
