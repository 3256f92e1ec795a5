"""Moments and the Fréchet distance against closed forms and SciPy."""

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import metrics
from course_lib.metrics import frechet
from course_lib.metrics.frechet import trace_of_root


def test_closed_form():
    eye = torch.eye(8)
    assert metrics.frechet_distance(torch.zeros(8), eye, torch.full((8,), 0.5), 4 * eye) == pytest.approx(10, abs=1e-12)


def test_covariances_that_do_not_commute_against_scipy():
    a, b = torch.randn(6, 6, dtype=torch.float64), torch.randn(6, 6, dtype=torch.float64)
    x, y = a @ a.T, b @ b.T
    root = scipy.linalg.sqrtm((x @ y).numpy()).real
    want = 1.0 + np.trace((x + y).numpy() - 2 * root)
    mean = torch.zeros(6)
    mean[0] = 1
    assert metrics.frechet_distance(mean, x, torch.zeros(6), y) == pytest.approx(want, rel=1e-9)


def test_fid_of_a_rank_deficient_set_with_itself_is_zero():
    features = torch.randn(20, 64)
    assert metrics.fid(features, features) == pytest.approx(0, abs=1e-6)


def test_symmetric_and_blind_to_rotation():
    x, y = torch.randn(300, 5, dtype=torch.float64), torch.randn(200, 5, dtype=torch.float64) * 2 + 1
    q, _ = torch.linalg.qr(torch.randn(5, 5, dtype=torch.float64))
    assert metrics.fid(x, y) == pytest.approx(metrics.fid(y, x), rel=1e-10)
    assert metrics.fid(x, y) == pytest.approx(metrics.fid(x @ q, y @ q), rel=1e-10)


def test_moments_in_pieces_merged_and_far_from_zero():
    rows = torch.randn(1000, 4, dtype=torch.float64) + 1e3
    whole = metrics.GaussianMoments().update(rows)
    pieces = metrics.GaussianMoments().update(rows[:1]).update(rows[1:400])
    pieces.merge(metrics.GaussianMoments().update(rows[400:])).merge(metrics.GaussianMoments())
    assert pieces.count == 1000
    torch.testing.assert_close(pieces.mean, rows.mean(0), rtol=1e-13, atol=0)
    torch.testing.assert_close(pieces.cov(), torch.cov(rows.T), rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(whole.cov(ddof=0), torch.cov(rows.T, correction=0), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("real", "fake", "says"),
    [
        (
            torch.zeros(5, 64),
            torch.zeros(5, 128),
            r"fake_features: expected \(M, 64\) like real_features, got \(5, 128\)",
        ),
        (torch.full((5, 2), float("nan")), torch.zeros(5, 2), "expected finite numbers"),
        (
            torch.zeros(1, 2),
            torch.zeros(5, 2),
            "real_features: expected at least 2 rows .fewer have no covariance., got 1",
        ),
        (torch.zeros(5, 2, dtype=torch.long), torch.zeros(5, 2), "floating point"),
    ],
)
def test_bad_features_are_named(real, fake, says):
    with pytest.raises(ValueError, match=says):
        metrics.fid(real, fake)


def test_bad_moments_are_named():
    with pytest.raises(ValueError, match=r"cov_y: expected \(3, 3\), got \(2, 2\)"):
        metrics.frechet_distance(torch.zeros(3), torch.eye(3), torch.zeros(3), torch.eye(2))


def double(*shape):
    return torch.randn(*shape, dtype=torch.float64)


@pytest.mark.parametrize("what", ["constant", "duplicate", "few samples"])
def test_a_singular_covariance_against_the_plain_root(what):
    x, y = double(200, 12), double(300, 12) @ double(12, 12)
    if what == "constant":
        x[:, 3] = 5.0
    elif what == "duplicate":
        y[:, 4] = y[:, 7]
    else:
        y = y[:6]
    cov_x, cov_y = torch.cov(x.T), torch.cov(y.T)
    values, vectors = torch.linalg.eigh(cov_x)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    want = torch.linalg.eigvalsh(root @ cov_y @ root).clamp(min=0).sqrt().sum().item()
    assert trace_of_root(cov_x, cov_y).item() == pytest.approx(want, rel=1e-6)
    assert trace_of_root(cov_y, cov_x).item() == pytest.approx(want, rel=1e-6)


def test_few_samples_take_the_other_path_to_the_same_number():
    for n, m in ((20, 20), (20, 33), (60, 12), (15, 400)):
        x, y = double(n, 40) + 3, double(m, 40) @ double(40, 40)
        by_samples, by_covariances = frechet._fid_by_samples(x, y, 1), frechet._fid_by_covariances(x, y, 1)
        assert metrics.fid(x, y) == by_samples
        assert by_samples == pytest.approx(by_covariances, rel=1e-7)


def test_duplicate_images_among_few_samples():
    x, y = double(10, 40).repeat(2, 1), double(24, 40)
    assert metrics.fid(x, y) == pytest.approx(frechet._fid_by_covariances(x, y, 1), rel=1e-6)


def test_constant_features_are_as_far_apart_as_their_means():
    assert metrics.fid(torch.full((9, 3), 1.0), torch.full((5, 3), 3.0)) == pytest.approx(12, abs=1e-12)
    assert metrics.fid(torch.full((2, 3), 1.0), torch.full((2, 3), 3.0)) == pytest.approx(12, abs=1e-12)


def test_float32_features_lose_no_digits():
    x, y = torch.randn(500, 64).exp() + 1e3, 1.2 * torch.randn(400, 64).exp() + 1e3
    assert metrics.fid(x, y) == pytest.approx(metrics.fid(x.double(), y.double()), rel=1e-12)


def test_a_million_rows_far_from_zero():
    moments = metrics.GaussianMoments()
    for step in range(20):
        rows = torch.randn(50_000, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(step))
        moments.update(rows * torch.tensor([1.0, 2.0]) + 1e3)
    assert moments.count == 1_000_000
    torch.testing.assert_close(moments.cov(), torch.diag(double(2).new_tensor([1.0, 4.0])), rtol=5e-3, atol=5e-3)
    near = metrics.GaussianMoments()
    for step in range(20):
        rows = torch.randn(50_000, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(step))
        near.update(rows * torch.tensor([1.0, 2.0]))
    torch.testing.assert_close(moments.cov(), near.cov(), rtol=1e-11, atol=1e-12)


def test_an_update_that_is_refused_changes_nothing():
    moments = metrics.GaussianMoments().update(torch.eye(3))
    with pytest.raises(ValueError, match=r"features: expected \(N, 3\) like the rows before, got \(1, 4\)"):
        moments.update(torch.zeros(1, 4))
    with pytest.raises(ValueError, match="other: expected moments of 3 features, got 2"):
        moments.merge(metrics.GaussianMoments().update(torch.eye(2)))
    assert moments.count == 3 and torch.equal(moments.mean, torch.full((3,), 1 / 3, dtype=torch.float64))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(2, 30), st.integers(2, 30), st.integers(1, 12), st.floats(0.1, 10))
def test_laws_of_fid(seed, n, m, d, scale):
    torch.manual_seed(seed)
    x, y = double(n, d), double(m, d) * 1.5 + 0.5
    value = metrics.fid(x, y)
    about = pytest.approx(value, rel=1e-6, abs=1e-6)
    rotation, _ = torch.linalg.qr(double(d, d))
    assert value >= 0
    assert metrics.fid(y, x) == about
    assert metrics.fid(x[torch.randperm(n)], y[torch.randperm(m)]) == about
    assert metrics.fid(x @ rotation + 1, y @ rotation + 1) == about
    assert metrics.fid(scale * x, scale * y) / scale**2 == about


def test_fewer_samples_score_worse_and_the_line_undoes_it():
    torch.manual_seed(1)
    real, fake = double(40_000, 8), double(4_000, 8) + 0.25
    truth = 8 * 0.25**2
    found = metrics.fid_infinity(real=real, fake=fake, points=10, smallest=100)
    assert metrics.fid(real, fake[:100]) > metrics.fid(real, fake) > truth
    assert found.slope > 0 and found.low < found.fid < found.high
    assert abs(found.fid - truth) < 0.05
    assert found == metrics.fid_infinity(real=real, fake=fake, points=10, smallest=100)
    with pytest.raises(ValueError, match="smallest: expected 2 to 3999"):
        metrics.fid_infinity(real=real, fake=fake, smallest=4000)


def test_what_is_no_covariance_is_refused():
    mean, eye = torch.zeros(2), torch.eye(2)
    with pytest.raises(ValueError, match="cov_x: expected a symmetric matrix"):
        metrics.frechet_distance(mean, torch.tensor([[1.0, 0.5], [0.0, 1.0]]), mean, eye)
    with pytest.raises(ValueError, match="cov_y: expected a covariance"):
        metrics.frechet_distance(mean, eye, mean, torch.tensor([[1.0, 2.0], [2.0, 1.0]]))
    with pytest.raises(ValueError, match="cov_y: expected no negative variance"):
        metrics.frechet_distance(mean, eye, mean, -eye)


def test_ddof_is_a_choice():
    x, y = double(50, 4), double(30, 4)
    population = metrics.frechet_distance(
        x.mean(0), torch.cov(x.T, correction=0), y.mean(0), torch.cov(y.T, correction=0)
    )
    assert metrics.fid(x, y, ddof=0) == pytest.approx(population, rel=1e-10)


def test_the_eigenvalue_that_centring_makes_zero_adds_nothing():
    x = double(20, 40)
    a = (x - x.mean(0)) / 19**0.5
    # Against itself the trace of the root is the trace of the covariance, to the last digits.
    assert metrics.fid(x, 2 * x) == pytest.approx(x.mean(0).square().sum().item() + a.square().sum().item(), rel=1e-13)
