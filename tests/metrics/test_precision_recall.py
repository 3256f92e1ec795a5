"""Radii, precision, recall, density, coverage, realism: by hand, brute force, directions, bad input."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import metrics


def distances(x, y):
    """All differences in float64, rounded as the library rounds."""
    squared = np.square(x.numpy()[:, None].astype(np.float64) - y.numpy()[None].astype(np.float64)).sum(-1)
    return np.sqrt(squared.astype(x.numpy().dtype))


def brute_radii(x, k):
    return np.sort(distances(x, x), axis=1)[:, k]


def brute(real, fake, k, strict):
    d, of_real, of_fake = distances(real, fake), brute_radii(real, k)[:, None], brute_radii(fake, k)[None]
    inside = np.less if strict else np.less_equal
    return (
        inside(d, of_real).any(0).mean(),
        inside(d, of_fake).any(1).mean(),
        (d < of_real).sum(0).mean() / k,
        (d < of_real).any(1).mean(),
    )


def test_on_a_line_by_hand():
    real, fake = torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([[2.0], [4.0], [9.0]])
    assert metrics.neighbour_radii(real, 1).tolist() == [1, 1, 2]
    assert metrics.neighbour_radii(fake, 1).tolist() == [2, 2, 5]
    # 2 and 4 lie within a real ball, 9 does not; 0 is on the border of the ball around 2.
    assert metrics.precision_recall(real=real, fake=fake, k=1) == (pytest.approx(2 / 3), 1)
    assert metrics.precision_recall(real=real, fake=fake, k=1, strict=True) == (
        pytest.approx(2 / 3),
        pytest.approx(2 / 3),
    )
    assert metrics.density_coverage(real=real, fake=fake, k=1) == (pytest.approx(2 / 3), pytest.approx(1 / 3))


# Small whole numbers: ties everywhere, duplicates often, and float32 products that are exact or nearly so.
tied = st.tuples(st.integers(0, 10_000), st.integers(7, 40), st.integers(7, 40), st.integers(1, 4), st.integers(1, 6))


@settings(deadline=None, max_examples=60)
@given(
    tied,
    st.sampled_from([torch.float32, torch.float64]),
    st.booleans(),
    st.integers(1, 50),
    st.sampled_from([0.0, 1e3]),
)
def test_against_brute_force_with_ties_and_any_block(case, dtype, strict, block, offset):
    seed, n, m, d, k = case
    draw = torch.Generator().manual_seed(seed)
    real, fake = (torch.randint(0, 4, (count, d), generator=draw).to(dtype) + offset for count in (n, m))
    found = metrics.prdc(real=real, fake=fake, k=k, strict=strict, block=block)
    assert found == pytest.approx(brute(real, fake, k, strict), rel=1e-12)
    assert metrics.neighbour_radii(real, k, block=block).tolist() == pytest.approx(
        brute_radii(real, k).tolist(), rel=4e-16
    )


@pytest.mark.parametrize(("scale", "offset"), [(1, 0), (1e-3, 1e3), (1e-20, 0), (1e18, 0)])
def test_against_brute_force_where_products_lose_digits(scale, offset):
    real, fake = torch.randn(150, 40) * scale + offset, torch.randn(130, 40) * scale * 0.9 + offset
    fake[:40] = real[:40]  # copies: distances of 0, and ties with every radius
    assert metrics.prdc(real=real, fake=fake, k=3, block=64) == pytest.approx(brute(real, fake, 3, True), rel=1e-12)
    loose = metrics.precision_recall(real=real, fake=fake, k=3, block=1000)
    assert loose == pytest.approx(brute(real, fake, 3, False)[:2], rel=1e-12)


def test_many_copies_of_few_images():
    real, fake = torch.randn(8, 30).repeat(40, 1), torch.randn(5, 30).repeat(60, 1)
    fake[:120] = real[:120]
    assert metrics.neighbour_radii(real, 5).max() == 0
    assert metrics.prdc(real=real, fake=fake, strict=False).precision == pytest.approx(120 / 300)
    assert metrics.prdc(real=real, fake=fake) == (0, 0, 0, 0)


def test_constant_features_touch_and_hold_nothing():
    ones = torch.ones(30, 4)
    assert metrics.precision_recall(real=ones, fake=ones) == (1, 1)
    assert metrics.prdc(real=ones, fake=ones) == (0, 0, 0, 0)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.integers(6, 60), st.integers(6, 60), st.integers(1, 5))
def test_swapping_the_sets_swaps_the_numbers_and_order_is_nothing(seed, n, m, k):
    torch.manual_seed(seed)
    real, fake = torch.randn(n, 5), torch.randn(m, 5) + 0.5
    found = metrics.precision_recall(real=real, fake=fake, k=k)
    assert metrics.precision_recall(real=fake, fake=real, k=k) == found[::-1]
    shuffled = {"real": real[torch.randperm(n)], "fake": fake[torch.randperm(m)]}
    assert metrics.precision_recall(**shuffled, k=k) == found


def test_dropping_modes_lowers_recall_and_coverage_and_not_precision():
    torch.manual_seed(3)
    centres = 10 * torch.randn(8, 16)
    real, fake = (centres[torch.randint(0, 8, (800,))] + torch.randn(800, 16) for _ in range(2))
    few = centres[torch.randint(0, 4, (800,))] + torch.randn(800, 16)
    whole, dropped = (metrics.prdc(real=real, fake=rows, k=5) for rows in (fake, few))
    assert dropped.recall < 0.7 * whole.recall and dropped.coverage < 0.7 * whole.coverage
    assert dropped.precision > whole.precision - 0.03


def test_one_outlier_widens_the_fake_manifold_but_no_real_ball():
    torch.manual_seed(4)
    real, fake = torch.randn(200, 8), torch.randn(200, 8) * 0.1
    wild = torch.cat([fake, 50 * torch.ones(1, 8)])
    assert (
        metrics.precision_recall(real=real, fake=wild).recall
        > metrics.precision_recall(real=real, fake=fake).recall + 0.25
    )
    before, after = (metrics.density_coverage(real=real, fake=rows).coverage for rows in (fake, wild))
    assert before == after


def test_known_radii_spare_the_work_and_change_nothing():
    real, fake = torch.randn(80, 6), torch.randn(70, 6)
    known = {"real_radii": metrics.neighbour_radii(real, 4), "fake_radii": metrics.neighbour_radii(fake, 4)}
    assert metrics.prdc(real=real, fake=fake, k=4, **known) == metrics.prdc(real=real, fake=fake, k=4)
    with pytest.raises(ValueError, match=r"real_radii: expected \(80,\) floating point"):
        metrics.prdc(real=real, fake=fake, k=4, real_radii=known["fake_radii"])


@pytest.fixture
def less_than_float32_allowed():
    """By PyTorch's settings of today; asked for the older ones beside them, it raises."""
    backends = torch.backends.cuda.matmul, torch.backends.mkldnn.matmul
    before = [each.fp32_precision for each in backends]
    for each, precision in zip(backends, ("tf32", "bf16")):
        each.fp32_precision = precision
    yield backends
    for each, precision in zip(backends, before):
        each.fp32_precision = precision


def test_products_keep_float32_whatever_is_allowed_elsewhere(less_than_float32_allowed):
    real, fake = 1e3 + torch.randn(90, 64), 1e3 + torch.randn(80, 64)
    found = metrics.prdc(real=real, fake=fake, k=3, strict=True)
    assert found == pytest.approx(brute(real, fake, 3, strict=True))
    wide = metrics.kid_unbiased(real.double(), fake.double()).kid
    assert metrics.kid_unbiased(real, fake).kid == pytest.approx(wide, rel=1e-4)
    assert [each.fp32_precision for each in less_than_float32_allowed] == ["tf32", "bf16"]  # the user's choice again


def test_realism_is_one_on_the_border_and_infinite_on_a_copy():
    real = torch.tensor([[0.0], [1.0], [3.0], [100.0]])
    found = metrics.realism(real=real, fake=torch.tensor([[-1.0], [0.0], [-2.0]]), k=1)
    assert found.tolist() == [1, float("inf"), 0.5]
    real, fake = torch.randn(90, 7), torch.randn(60, 7)
    radii = brute_radii(real, 3)
    counted = radii <= np.sort(radii)[(90 - 1) // 2]
    want = (radii[counted, None].astype(float) / distances(real, fake)[counted]).max(0)
    for block in (1, 16, 1024):
        torch.testing.assert_close(metrics.realism(real=real, fake=fake, block=block), torch.from_numpy(want))


def test_nearest_distances_against_brute_force():
    queries, points = torch.randn(50, 9) + 100, torch.randn(70, 9) + 100
    queries[0] = points[5]
    for block in (3, 1024):
        assert (
            metrics.nearest_distances(queries, points, block=block).tolist()
            == distances(queries, points).min(1).tolist()
        )


@pytest.mark.parametrize(
    ("real", "fake", "says"),
    [
        (torch.zeros(5, 4), torch.zeros(5, 3), r"fake: expected \(M, 4\) like real, got \(5, 3\)"),
        (torch.zeros(3, 4), torch.zeros(5, 4), "real: expected at least 4 rows .the k-th neighbour"),
        (torch.zeros(5, 4), torch.zeros(3, 4), "fake: expected at least 4 rows"),
        (torch.zeros(5, 4) / 0, torch.zeros(5, 4), "real: expected finite numbers"),
        (torch.zeros(5, 4), torch.zeros(5, 4).long(), r"fake: expected \(M, 4\) floating point"),
    ],
)
def test_bad_features_are_named(real, fake, says):
    with pytest.raises(ValueError, match=says):
        metrics.precision_recall(real=real, fake=fake)


def test_real_and_fake_have_no_order():
    with pytest.raises(TypeError):
        metrics.precision_recall(torch.zeros(5, 4), torch.zeros(5, 4))


def test_tight_clusters_far_apart():
    # Within a cluster every distance is below what a float32 product can tell from 0.
    torch.manual_seed(5)
    centres = 100 * torch.randn(4, 20)
    real, fake = (centres[torch.randint(0, 4, (160,))] + 1e-2 * torch.randn(160, 20) for _ in range(2))
    assert metrics.neighbour_radii(real, 5).tolist() == brute_radii(real, 5).tolist()
    assert metrics.prdc(real=real, fake=fake, block=64) == pytest.approx(brute(real, fake, 5, True), rel=1e-12)
