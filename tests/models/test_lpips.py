"""LPIPS against the original package, and where the original has no gradient."""

import pytest
import torch

from course_lib import assets, metrics
from course_lib.files import cache_dir
from course_lib.models import lpips as networks

MINE = cache_dir() / "assets" / "lpips-vgg-weights.safetensors"  # before each test gets a cache of its own


@pytest.fixture
def vgg():
    if not MINE.exists():
        pytest.skip("not fetched: gan-course fetch lpips-vgg")
    mine = assets.cached("lpips-vgg", "weights")
    mine.parent.mkdir(parents=True)
    mine.symlink_to(MINE)


def pairs(count=4, size=64, seed=0):
    draw = torch.Generator().manual_seed(seed)
    x = torch.rand(count, 3, size, size, generator=draw) * 2 - 1
    return x, (x + 0.3 * torch.randn(x.shape, generator=draw)).clamp(-1, 1)


@pytest.mark.filterwarnings("ignore")  # of torchvision's old keyword arguments, which the package uses
@pytest.mark.parametrize("network", ["alex", "vgg"])
def test_it_equals_the_original_package(network, request):
    original = pytest.importorskip("lpips")
    if network == "vgg":
        request.getfixturevalue("vgg")
    theirs = original.LPIPS(net=network, pnet_rand=True, verbose=False)  # its heads are its own; its backbone would be
    ours = networks.load(network)  # downloaded, so it gets ours: both descend from torchvision's
    convs = [module for module in theirs.net.modules() if isinstance(module, torch.nn.Conv2d)]
    for conv, our_conv in zip(convs, ours.convs, strict=True):
        conv.load_state_dict(our_conv.state_dict())
    for index, head in enumerate(ours.heads):
        assert torch.equal(theirs.lins[index].model[-1].weight.flatten(), head)
    for x, y in (pairs(), pairs(2, 97, seed=1)):
        with torch.inference_mode():
            assert (metrics.lpips(x, y, network) - theirs(x, y).flatten()).abs().max() < 1e-5


def test_the_backbone_is_torchvisions():
    """The first filter's sum in torchvision's alexnet-owt-7be5be79.pth, of which the file's own copy is float32."""
    first = networks.load().convs[0]
    assert first.weight.shape == (64, 3, 11, 11) and first.weight[0, 0, 0, :3].tolist() == pytest.approx(
        [0.11864, 0.09407, 0.09542], abs=1e-4
    )


def test_equal_images_have_distance_zero_and_order_does_not_matter():
    x, y = pairs()
    assert metrics.lpips(x, x).tolist() == [0.0] * 4
    assert torch.equal(metrics.lpips(x, y), metrics.lpips(y, x)) and (metrics.lpips(x, y) > 0.02).all()


def test_more_noise_is_further_away():
    x, _ = pairs(2)
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(5))
    distances = torch.stack([metrics.lpips(x, (x + s * noise).clamp(-1, 1)) for s in (0.02, 0.1, 0.3)])
    assert (distances.diff(dim=0) > 0).all()


def test_values_beyond_the_range_are_measured_only_where_that_is_asked_for():
    x, y = pairs()
    inside, outside = networks.load().of_any_range(x, y), networks.load().of_any_range(1.2 * x, y)
    assert torch.equal(inside, metrics.lpips(x, y)) and not torch.allclose(inside, outside, rtol=1e-2)
    with pytest.raises(ValueError, match=r"x: expected values in \[-1, 1\]"):
        metrics.lpips(1.2 * x, y)
    with pytest.raises(ValueError, match=r"x: expected \(N, 3, H, W\)"):
        networks.load().of_any_range(x[:, :1], y[:, :1])


def test_one_layer_of_two_channels_by_hand():
    a, b = torch.zeros(2, 2, 1, 2), torch.zeros(2, 2, 1, 2)
    a[0, :, 0] = torch.tensor([[3.0, 0.0], [4.0, 0.0]])  # one place is (3, 4), so (0.6, 0.8); the other is 0
    b[0, :, 0] = torch.tensor([[5.0, 0.0], [0.0, 2.0]])  # (1, 0) and (0, 1)
    head = torch.tensor([1.0, 10.0])
    want = ((0.4**2 + 10 * 0.8**2) + 10 * 1.0) / 2
    assert networks.layer_distance(a, b, head).tolist() == pytest.approx([want, 0.0])


def test_pairs_do_not_see_each_other():
    x, y = pairs()
    alone = torch.cat([metrics.lpips(x[i : i + 1], y[i : i + 1]) for i in range(len(x))])
    assert torch.allclose(metrics.lpips(x, y), alone, atol=1e-6)


def test_the_gradient_is_finite_where_features_are_zero():
    dead = networks.LPIPS()
    for conv in dead.convs:
        torch.nn.init.zeros_(conv.weight), torch.nn.init.zeros_(conv.bias)
    x, y = pairs(2)
    for distance, other in ((dead, y), (networks.load(), y), (networks.load(), x.clone()), (networks.load(), 0 * x)):
        moving = x.clone().requires_grad_()
        (slope,) = torch.autograd.grad(distance(moving, other).sum(), moving)
        assert torch.isfinite(slope).all()


def test_the_gradient_is_that_of_finite_differences():
    exact = networks.LPIPS()
    exact.load_state_dict(networks.load().state_dict())
    exact = exact.double().requires_grad_(False)
    x, y = (t.double() for t in pairs(1, 35))
    x, step = (0.99 * x).requires_grad_(), 1e-6  # away from the ends of the range
    direction = torch.randn(x.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    (slope,) = torch.autograd.grad(exact(x, y).sum(), x)
    with torch.no_grad():
        rise = (exact((x + step * direction).clamp(-1, 1), y) - exact((x - step * direction).clamp(-1, 1), y)) / (
            2 * step
        )
    assert rise.item() == pytest.approx((slope * direction).sum().item(), rel=1e-4)


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        (torch.zeros(1, 1, 64, 64), None, r"x: expected \(N, 3, H, W\) with H, W >= 31, got \(1, 1, 64, 64\)"),
        (torch.zeros(1, 3, 28, 28), None, r"x: expected \(N, 3, H, W\) with H, W >= 31, got \(1, 3, 28, 28\)"),
        (torch.zeros(1, 3, 64, 64).byte(), None, r"x: expected float in \[-1, 1\], got torch.uint8; data.to_float"),
        (torch.full((1, 3, 64, 64), 255.0), None, r"x: expected values in \[-1, 1\], got \[255, 255\]"),
        (torch.full((1, 3, 64, 64), torch.nan), None, r"x: expected values in \[-1, 1\], got \[nan, nan\]"),
        (torch.zeros(1, 3, 64, 64), torch.zeros(2, 3, 64, 64), r"y: expected \(1, 3, 64, 64\) like x, got \(2, "),
    ],
)
def test_other_images_are_refused(x, y, says):
    with pytest.raises(ValueError, match=says):
        metrics.lpips(x, x if y is None else y)


def test_unknown_networks_and_missing_weights_are_named():
    networks.load.cache_clear()
    with pytest.raises(ValueError, match="network: expected one of alex, vgg, got 'alexnet'; did you mean 'alex'"):
        metrics.lpips(*pairs(), network="alexnet")
    with pytest.raises(FileNotFoundError, match="gan-course fetch lpips-vgg"):
        metrics.lpips(*pairs(), network="vgg")


def test_a_changed_file_is_noticed(tmp_path, monkeypatch):
    content = bytearray(networks.ALEX.read_bytes())
    content[-1] ^= 1
    changed = tmp_path / "lpips-alex.safetensors"
    changed.write_bytes(content)
    monkeypatch.setattr(networks, "ALEX", changed)
    networks.load.cache_clear()
    with pytest.raises(ValueError, match="expected tensors with SHA-256 8da65d43"):
        networks.load()
