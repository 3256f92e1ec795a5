"""Each protocol against the tool it is named after: from the same features, and from the same pixels."""

import warnings
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from course_lib import assets, data
from course_lib.files import cache_dir
from course_lib.metrics import features, protocols
from course_lib.models import inception
from course_lib.models.inception import Inception

MINE = cache_dir() / "assets" / "fid-inception-weights.safetensors"  # before each test gets a cache of its own


@pytest.fixture
def network():
    """The real network where this machine has it, and otherwise the same plan with random weights."""
    if MINE.exists():
        mine = assets.cached("fid-inception", "weights")
        mine.parent.mkdir(parents=True)
        mine.symlink_to(MINE)
        return inception.load()
    torch.manual_seed(0)
    return Inception().eval().requires_grad_(False)


def extractor(network, name, **changes):
    one = protocols.protocol(name)
    return features.wrap(
        network, name="inception", dimension=2048, size=299, resize=one.resize, scaling=one.scaling, **changes
    )


def two_sets(n=200, d=16, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=draw).abs(), (1.2 * torch.randn(n, d, generator=draw) + 0.2).abs()


def photographs(count=6):
    """Colour images of 32 pixels with structure: clothes, tinted."""
    grey = data.load("fashion-mnist", "test").subset(slice(count)).padded(32).pixels.float()
    tint = torch.linspace(0.4, 1, 3 * count).reshape(count, 3, 1, 1)
    return (grey * tint).to(torch.uint8)


# ---------------------------------------------------------------- from features to digits


def test_fid_is_that_of_pytorch_fid_and_torch_fidelity():
    real, fake = two_sets()
    theirs = pytest.importorskip("torch_fidelity.metric_fid")
    stats = [theirs.fid_features_to_statistics(t.double()) for t in (real, fake)]
    expected = theirs.fid_statistics_to_metric(*stats, verbose=False)["frechet_inception_distance"]
    for name in ("torch-fidelity", "pytorch-fid", "clean", "torchmetrics"):
        assert protocols.fid(protocols.protocol(name), real=real, fake=fake) == pytest.approx(expected, rel=1e-9)
    score = pytest.importorskip("pytorch_fid.fid_score")
    moments = [(t.double().mean(0).numpy(), t.double().T.cov().numpy()) for t in (real, fake)]
    try:
        also = score.calculate_frechet_distance(*moments[0], *moments[1])
    except (TypeError, ValueError):
        return  # pytorch-fid 0.3.0 asks for sqrtm(disp=), which scipy 1.18 removed
    except DeprecationWarning:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            also = score.calculate_frechet_distance(*moments[0], *moments[1])
    assert also == pytest.approx(expected, rel=1e-9)


def test_stylegans_covariance_divides_by_n():
    real, fake = two_sets()
    moments = [(t.double().mean(0), t.double().T.cov(correction=0)) for t in (real, fake)]
    root = np.linalg.eigvals((moments[0][1] @ moments[1][1]).numpy()).real.clip(0) ** 0.5
    expected = (
        (moments[0][0] - moments[1][0]).square().sum() + moments[0][1].trace() + moments[1][1].trace() - 2 * root.sum()
    )
    assert protocols.fid(protocols.protocol("stylegan"), real=real, fake=fake) == pytest.approx(
        expected.item(), rel=1e-9
    )
    assert protocols.fid(protocols.protocol("clean"), real=real, fake=fake) != pytest.approx(expected.item(), rel=1e-4)


def test_kid_is_that_of_torch_fidelity_to_its_seed():
    theirs = pytest.importorskip("torch_fidelity.metric_kid")
    real, fake = two_sets()
    expected = theirs.kid_features_to_metric(fake.double(), real.double(), kid_subset_size=50, verbose=False)
    one = replace(protocols.protocol("torch-fidelity"), kid_subset_size=50)
    values = protocols.kid_values(one, real=real, fake=fake)
    assert len(values) == 100
    assert values.mean().item() == pytest.approx(expected["kernel_inception_distance_mean"], rel=1e-7)
    assert values.std(correction=0).item() == pytest.approx(expected["kernel_inception_distance_std"], rel=1e-6)


def test_kid_is_that_of_clean_fid_where_both_are_seeded():
    theirs = pytest.importorskip("cleanfid.fid")
    real, fake = (t.double().numpy() for t in two_sets())
    np.random.seed(0)
    expected = theirs.kernel_distance(real, fake, num_subsets=20)  # subsets of 200: all there are
    one = replace(protocols.protocol("clean"), kid_subsets=20)
    values = protocols.kid_values(one, real=torch.from_numpy(real), fake=torch.from_numpy(fake))
    assert values.mean().item() == pytest.approx(expected, rel=1e-9)
    np.random.seed(0)
    expected = theirs.kernel_distance(real, fake, num_subsets=20, max_subset_size=30)
    one = replace(one, kid_subset_size=30)
    values = protocols.kid_values(one, real=torch.from_numpy(real), fake=torch.from_numpy(fake))
    assert values.mean().item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance`")
def test_kid_is_that_of_torchmetrics_where_both_are_seeded():
    theirs = pytest.importorskip("torchmetrics.image.kid")
    real, fake = (t.double() for t in two_sets())
    metric = theirs.KernelInceptionDistance(feature=torch.nn.Identity(), subsets=20, subset_size=30)
    metric.update(real, real=True), metric.update(fake, real=False)
    torch.manual_seed(0)
    expected = metric.compute()[0].item()
    one = replace(protocols.protocol("torchmetrics"), kid_subsets=20, kid_subset_size=30)
    assert protocols.kid_values(one, real=real, fake=fake).mean().item() == pytest.approx(expected, rel=1e-9)


def test_too_few_rows_for_a_subset_are_refused_where_the_tool_refuses():
    real, fake = two_sets()
    with pytest.raises(ValueError, match="expected 1000 rows each, as torch-fidelity draws, got 200 and 200"):
        protocols.kid_values(protocols.protocol("torch-fidelity"), real=real, fake=fake)
    assert len(protocols.kid_values(protocols.protocol("stylegan"), real=real, fake=fake)) == 100


def test_inception_score_is_that_of_torch_fidelity_and_torchmetrics_spread():
    theirs = pytest.importorskip("torch_fidelity.metric_isc")
    logits = 3 * torch.randn(503, 20, generator=torch.Generator().manual_seed(0))
    expected = theirs.isc_features_to_metric(logits)
    mean, std = protocols.inception_score(protocols.protocol("torch-fidelity"), logits=logits)
    assert mean == pytest.approx(expected["inception_score_mean"], rel=1e-9)
    assert std == pytest.approx(expected["inception_score_std"], rel=1e-9)
    plain = theirs.isc_features_to_metric(logits, shuffle=False)
    mean, std = protocols.inception_score(protocols.protocol("stylegan"), logits=logits)
    assert (mean, std) == pytest.approx((plain["inception_score_mean"], plain["inception_score_std"]), rel=1e-9)
    wider = protocols.inception_score(replace(protocols.protocol("stylegan"), score_ddof=1), logits=logits)[1]
    assert wider == pytest.approx(std * (10 / 9) ** 0.5)


def test_precision_and_recall_are_those_of_torch_fidelity():
    theirs = pytest.importorskip("torch_fidelity.metric_prc")
    real, fake = two_sets()
    fake = fake[:, :16] * torch.linspace(0.2, 2, 16)
    expected = theirs.prc_features_to_metric(fake, real, verbose=False)
    found = protocols.precision_recall(protocols.protocol("torch-fidelity"), real=real, fake=fake)
    assert found.precision == pytest.approx(expected["precision"]) and found.recall == pytest.approx(expected["recall"])
    assert 0 < found.recall < 1 and 0 < found.precision < 1


# ---------------------------------------------------------------- from pixels to features


def their_weights(network, peer):
    """The same weights in a peer's module, whose units come in the same order and have a scale of 1 besides."""
    theirs = [m for m in peer.modules() if type(m).__name__ == "BasicConv2d"]
    ours = [m for m in network.modules() if isinstance(m, inception.Unit)]
    for unit, other in zip(ours, theirs, strict=True):
        state = {"conv.weight": unit.weight, "bn.weight": torch.ones_like(unit.beta), "bn.bias": unit.beta}
        other.load_state_dict(state | {"bn.running_mean": unit.mean, "bn.running_var": unit.var}, strict=False)
    return peer.eval().requires_grad_(False)


def torch_fidelitys(network, monkeypatch, kind=None):
    peer = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    monkeypatch.setattr(peer, "load_state_dict_from_url", lambda *_, **__: {})
    monkeypatch.setattr(torch.nn.Module, "load_state_dict", lambda *_, **__: None)
    made = (kind or peer.FeatureExtractorInceptionV3)("inception-v3-compat", ["2048"])
    monkeypatch.undo()
    return their_weights(network, made)


def close(ours, theirs):
    return (ours - theirs).abs().max() < 1e-4 * theirs.abs().max().clamp(min=1)


def test_pixels_become_the_features_of_torch_fidelity(network, monkeypatch):
    peer = torch_fidelitys(network, monkeypatch)
    with torch.inference_mode():
        (theirs,) = peer(photographs())
    assert close(extractor(network, "torch-fidelity")(photographs()), theirs)
    assert not close(extractor(network, "pytorch-fid")(photographs()), theirs)


def test_pixels_become_the_features_of_torchmetrics(network, monkeypatch):
    peer = pytest.importorskip("torchmetrics.image.fid")
    kind = peer.NoTrainInceptionV3
    monkeypatch.setattr(kind, "load_state_dict", lambda *_, **__: None)
    made = torch_fidelitys(network, monkeypatch, kind=lambda name, layers: kind(name, layers, antialias=True))
    with torch.inference_mode():
        (theirs,) = made._torch_fidelity_forward(photographs())
    assert close(extractor(network, "torchmetrics")(photographs()), theirs)


def test_pixels_become_the_features_of_pytorch_fid(network, monkeypatch):
    peer = pytest.importorskip("pytorch_fid.inception")
    monkeypatch.setattr(peer, "load_state_dict_from_url", lambda *_, **__: {})
    monkeypatch.setattr(torch.nn.Module, "load_state_dict", lambda *_, **__: None)
    made = peer.InceptionV3()
    monkeypatch.undo()
    their_weights(network, made)
    with torch.inference_mode():
        theirs = made(photographs().float() / 255)[0][:, :, 0, 0]
    assert close(extractor(network, "pytorch-fid")(photographs()), theirs)


@pytest.mark.filterwarnings("ignore")  # of Pillow's mode argument, which the package gives
def test_pixels_become_the_features_of_clean_fid(network):
    peer = pytest.importorskip("cleanfid.resize")
    resize = peer.build_resizer("clean")
    big = torch.stack(
        [torch.from_numpy(resize(image.permute(1, 2, 0).numpy())).permute(2, 0, 1) for image in photographs()]
    )
    with torch.inference_mode():
        theirs = network((big - 128) / 128)
    assert (extractor(network, "clean")(photographs()) - theirs).abs().max() < 1e-3 * theirs.abs().max()


def test_stylegans_resize_is_tensorflows():
    """Its archive resizes by an affine grid whose corners are shifted by half a pixel of each grid."""
    x = photographs().float()
    side, wanted = x.shape[-1], 299
    theta = torch.eye(2, 3)
    theta[0, 2] += theta[0, 0] / side - theta[0, 0] / wanted
    theta[1, 2] += theta[1, 1] / side - theta[1, 1] / wanted
    # the grid's pixels are centres, and align_corners=False in both
    grid = F.affine_grid(theta.expand(len(x), 2, 3), [len(x), 3, wanted, wanted], align_corners=False)
    theirs = F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)
    assert (features.RESIZES["bilinear-tf1"](x, wanted) - theirs).abs().max() < 0.05  # of 255: positions in float32


# ---------------------------------------------------------------- from pixels to digits


def test_the_whole_way_with_one_network_differs_between_protocols_and_meets_torch_fidelity(network, monkeypatch):
    peer = torch_fidelitys(network, monkeypatch)
    real, fake = photographs(12)[:6], photographs(12)[6:]
    with torch.inference_mode():
        theirs = [peer(images)[0].double() for images in (real, fake)]
    metric = pytest.importorskip("torch_fidelity.metric_fid")
    stats = [metric.fid_features_to_statistics(t) for t in theirs]
    expected = metric.fid_statistics_to_metric(*stats, verbose=False)["frechet_inception_distance"]
    found = {}
    for name in ("torch-fidelity", "pytorch-fid", "clean", "stylegan", "torchmetrics"):
        one, eyes = protocols.protocol(name), extractor(network, name)
        found[name] = protocols.fid(one, real=eyes(real), fake=eyes(fake))
    assert found["torch-fidelity"] == pytest.approx(expected, rel=1e-3)  # its eigvals at N < d lose digits
    assert len({round(value, 3) for value in found.values()}) == 5


# ---------------------------------------------------------------- the table


def test_a_metric_says_whose_protocol_it_follows():
    chosen = protocols.protocol("pytorch-fid")
    assert protocols.follows("fid", chosen) == (chosen, "pytorch-fid")
    assert protocols.follows("kid", chosen)[1] == "torch-fidelity"
    assert protocols.follows("kid", protocols.protocol("clean"))[1] == "clean"
    assert protocols.follows("density_coverage", chosen) == (chosen, "prdc on pytorch-fid")
    assert protocols.follows("precision_recall", protocols.protocol("stylegan"))[1] == "torch-fidelity"


def test_protocols_are_named_frozen_and_checked():
    assert all(name == one.name for name, one in protocols.PROTOCOLS.items())
    with pytest.raises(FrozenInstanceError):
        protocols.protocol("clean").ddof = 0
    with pytest.raises(
        ValueError, match="protocol: expected one of pytorch-fid, .* got 'cleanfid'; did you mean 'clean"
    ):
        protocols.protocol("cleanfid")
    with pytest.raises(ValueError, match="resize: expected one of none"):
        replace(protocols.protocol("clean"), resize="nearest")
