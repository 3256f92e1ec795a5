"""The same features through the packages that the field uses; each test is skipped where its package is not."""

import contextlib
import io
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.linalg
import torch

from course_lib import metrics


def package(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name)


@pytest.fixture
def pair():
    mixing = torch.randn(24, 24)
    return (torch.randn(400, 24) @ mixing).relu() + 0.3, (1.1 * torch.randn(500, 24) @ mixing).relu()


def with_disp(matrix, disp=True):
    """SciPy 1.18 dropped `disp`, which the packages still pass."""
    return scipy.linalg.sqrtm(matrix) if disp else (scipy.linalg.sqrtm(matrix), 0.0)


@pytest.mark.parametrize(
    ("module", "function"),
    [("pytorch_fid.fid_score", "calculate_frechet_distance"), ("cleanfid.fid", "frechet_distance")],
)
def test_fid(pair, module, function, monkeypatch):
    module = package(module)
    monkeypatch.setattr(module, "linalg", SimpleNamespace(sqrtm=with_disp))
    real, fake = (rows.double().numpy() for rows in pair)
    want = getattr(module, function)(real.mean(0), np.cov(real.T), fake.mean(0), np.cov(fake.T))
    assert metrics.fid(*pair) == pytest.approx(want, rel=1e-9)


def test_fid_of_torchmetrics(pair):
    module = package("torchmetrics.image.fid")
    (mean_x, cov_x), (mean_y, cov_y) = ((rows.double().mean(0), torch.cov(rows.double().T)) for rows in pair)
    want = module._compute_fid(mean_x, cov_x, mean_y, cov_y).item()
    assert metrics.fid(*pair) == pytest.approx(want, rel=1e-9)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_prdc_with_identical_counts(pair, k):
    reference = package("prdc")
    with contextlib.redirect_stdout(io.StringIO()):
        want = reference.compute_prdc(pair[0].numpy(), pair[1].numpy(), k)
    found = metrics.prdc(real=pair[0], fake=pair[1], k=k)
    assert found._asdict() == pytest.approx(want, rel=1e-14)
    assert metrics.density_coverage(real=pair[0], fake=pair[1], k=k) == (found.density, found.coverage)


def test_precision_and_recall_of_torch_fidelity(pair):
    reference = package("torch_fidelity.metric_prc")
    want = reference.prc_features_to_metric(
        pair[1].double(), pair[0].double(), prc_neighborhood=3, prc_batch_size=1000, save_cpu_ram=False, verbose=False
    )
    found = metrics.precision_recall(real=pair[0].double(), fake=pair[1].double(), k=3)
    assert found == pytest.approx((want["precision"], want["recall"]), abs=1e-6)  # it answers in float32


def test_kid_of_torch_fidelity_on_its_own_subsets(pair):
    reference = package("torch_fidelity.metric_kid")
    options = {
        "kid_subsets": 7,
        "kid_subset_size": 100,
        "kid_kernel": "poly",
        "kid_kernel_poly_degree": 3,
        "kid_kernel_poly_gamma": None,
        "kid_kernel_poly_coef0": 1,
        "rng_seed": 2020,
        "verbose": False,
    }
    real, fake = (rows.double() for rows in pair)
    want = reference.kid_features_to_metric(real, fake, **options)
    draw = np.random.RandomState(2020)
    rows = [torch.from_numpy(draw.choice(len(side), 100, replace=False)) for _ in range(7) for side in (real, fake)]
    found = metrics.kid_of_subsets(real, fake, torch.stack(rows[::2]), torch.stack(rows[1::2]))
    assert found.mean().item() == pytest.approx(want["kernel_inception_distance_mean"], rel=1e-9)
    assert found.std(correction=0).item() == pytest.approx(want["kernel_inception_distance_std"], rel=1e-9)


def test_kid_of_torchmetrics_over_all_rows(pair):
    module = package("torchmetrics.image.kid")
    real, fake = (rows.double()[:400] for rows in pair)
    assert metrics.kid_unbiased(real, fake).kid == pytest.approx(module.poly_mmd(real, fake).item(), rel=1e-9)


def test_inception_score_of_torch_fidelity():
    reference = package("torch_fidelity.metric_isc")
    logits = 4 * torch.randn(333, 20)
    want = reference.isc_features_to_metric(logits, shuffle=False)
    found = metrics.inception_score(logits=logits)
    assert found == pytest.approx((want["inception_score_mean"], want["inception_score_std"]), rel=1e-10)
