"""KID against the formula written out, laws, and bad input."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import metrics
from course_lib.metrics.kid import kernel_sums


def plain(x, y):
    """Unbiased MMD² with (x·y/d + 1)³, in float64, all pairs at once."""
    x, y = x.double(), y.double()
    kernel = lambda a, b: (a @ b.T / a.shape[1] + 1) ** 3  # noqa: E731
    n, m = len(x), len(y)
    xx, yy = kernel(x, x), kernel(y, y)
    within = (xx.sum() - xx.trace()) / (n * (n - 1)) + (yy.sum() - yy.trace()) / (m * (m - 1))
    return (within - 2 * kernel(x, y).mean()).item()


def test_by_hand():
    # In one dimension with x = {0, 1} and y = {0, -1}: k(x1,x2) = 1, k(y1,y2) = 1, cross 1, 1, 1 and 0.
    found = metrics.kid_of_subsets(
        torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [-1.0]]), torch.tensor([[0, 1]]), torch.tensor([[0, 1]])
    )
    assert found.tolist() == [pytest.approx(2 - 2 * 3 / 4)]


@pytest.mark.parametrize(("n", "m", "size"), [(60, 50, 40), (500, 700, 10)])  # shared kernels; one subset at a time
def test_subsets_against_the_formula(n, m, size):
    x, y = torch.randn(n, 16).exp(), torch.randn(m, 16).exp() * 1.1
    a, b = (torch.stack([torch.randperm(count)[:size] for _ in range(12)]) for count in (n, m))
    want = [plain(x[i], y[j]) for i, j in zip(a, b)]
    assert metrics.kid_of_subsets(x.double(), y.double(), a, b).tolist() == pytest.approx(want, rel=1e-10)
    assert metrics.kid_of_subsets(x, y, a, b).tolist() == pytest.approx(want, abs=1e-6 * max(map(abs, want)))


def test_all_pairs_against_the_formula_and_the_jackknife_written_out():
    x, y = torch.randn(30, 5, dtype=torch.float64), torch.randn(25, 5, dtype=torch.float64) + 0.5
    found = metrics.kid_unbiased(x, y)
    assert found.kid == pytest.approx(plain(x, y), rel=1e-12)
    variance = 0.0
    for rows, other in ((x, y), (y, x)):
        n = len(rows)
        values = torch.tensor([plain(torch.cat([rows[:i], rows[i + 1 :]]), other) for i in range(n)]).double()
        variance += (n - 1) / n * (values - values.mean()).square().sum()
    assert found.standard_error == pytest.approx(variance.sqrt().item(), rel=1e-4)


def test_sums_known_already_change_nothing():
    x, y = torch.randn(40, 5), torch.randn(25, 5) + 0.5
    sums = kernel_sums(x)
    wide = x.double()
    kernel = (wide @ wide.T / 5 + 1) ** 3
    torch.testing.assert_close(sums, kernel.sum(1) - kernel.diagonal(), rtol=1e-5, atol=1e-5)
    assert metrics.kid_unbiased(x, y, real_sums=sums) == metrics.kid_unbiased(x, y)
    with pytest.raises(ValueError, match=r"real_sums: expected \(40,\) like real, got \(25,\)"):
        metrics.kid_unbiased(x, y, real_sums=kernel_sums(y))


def test_the_standard_error_is_that_of_new_samples():
    values = []
    for seed in range(200):
        draw = torch.Generator().manual_seed(seed)
        x, y = (torch.randn(60, 4, generator=draw, dtype=torch.float64) + shift for shift in (0, 1.0))
        values.append(metrics.kid_unbiased(x, y))
    spread = torch.tensor([value.kid for value in values]).std().item()
    told = torch.tensor([value.standard_error for value in values]).mean().item()
    assert told == pytest.approx(spread, rel=0.2)


def test_one_distribution_scores_zero_on_average():
    x, y = torch.randn(400, 8), torch.randn(400, 8)
    found = metrics.kid_unbiased(x, y)
    assert abs(found.kid) < 4 * found.standard_error
    assert metrics.kid_unbiased(x, y + 1).kid > 10 * found.standard_error


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.integers(20, 60), st.integers(20, 60), st.integers(1, 70))
def test_order_of_the_sets_and_block_size_do_not_matter(seed, n, m, block):
    torch.manual_seed(seed)
    x, y = torch.randn(n, 3, dtype=torch.float64), torch.randn(m, 3, dtype=torch.float64)
    settings = {"subsets": 3, "subset_size": 20}
    mean = metrics.kid(x, y, **settings).mean
    assert metrics.kid(x, y, block=block, **settings).mean == pytest.approx(mean, rel=1e-10, abs=1e-12)
    assert metrics.kid(y, x, **settings).mean == pytest.approx(mean, rel=1e-10, abs=1e-12)
    assert metrics.kid_unbiased(x, y, block=block).kid == pytest.approx(plain(x, y), rel=1e-9, abs=1e-12)


def test_float32_far_from_zero_keeps_its_digits():
    x, y = torch.randn(300, 64) * 0.1 + 10, torch.randn(300, 64) * 0.1 + 10.01
    assert metrics.kid_unbiased(x, y).kid == pytest.approx(plain(x, y), rel=1e-6)


def test_bad_input_is_named():
    x = torch.randn(10, 4)
    with pytest.raises(ValueError, match="real: expected at least 1000 rows .subset_size"):
        metrics.kid(x, x)
    with pytest.raises(ValueError, match=r"fake: expected \(M, 4\) like real, got \(10, 3\)"):
        metrics.kid(x, x[:, :3], subset_size=5)
    with pytest.raises(ValueError, match="fake: expected finite numbers"):
        metrics.kid_unbiased(x, x / 0)
    with pytest.raises(ValueError, match="real_rows: expected row numbers from 0 to 9"):
        metrics.kid_of_subsets(x, x, torch.tensor([[0, 10]]), torch.tensor([[0, 1]]))
    with pytest.raises(ValueError, match="fake_rows: expected no row twice"):
        metrics.kid_of_subsets(x, x, torch.tensor([[0, 1]]), torch.tensor([[1, 1]]))
