"""Differentiable augmentation: what each transform does to one image, that images are independent, that gradients pass."""

import pytest
import torch

from course_lib.data.augment import TRANSFORMS, diff_augment


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def images():
    return torch.rand(64, 3, 16, 16, generator=seeded(9)) * 2 - 1


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_shape_dtype_and_input_stay(images, name, dtype):
    images = images.to(dtype)
    before = images.clone()
    out = diff_augment(images, (name,), seeded())
    assert out.shape == images.shape and out.dtype == dtype and not torch.equal(out, images)
    assert torch.equal(images, before)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_the_generators_state_alone_decides(images, name):
    one, two, other = (diff_augment(images, (name,), seeded(s)) for s in (1, 1, 2))
    assert torch.equal(one, two) and not torch.equal(one, other)
    state = torch.get_rng_state()
    diff_augment(images, (name,), seeded())
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("name", TRANSFORMS)
def test_each_image_alone(images, name):
    """Changing one image changes its own result only, and equal images come out different."""
    changed = images.clone()
    changed[5] = -changed[5]
    first, second = (diff_augment(x, (name,), seeded()) for x in (images, changed))
    same = (first == second).flatten(1).all(1)
    assert same.sum() == 63 and not same[5]
    twins = diff_augment(images[:1].expand(64, -1, -1, -1), (name,), seeded())
    assert len(twins.flatten(1).unique(dim=0)) > 20


@pytest.mark.parametrize("name", TRANSFORMS)
def test_gradients_by_finite_differences(name):
    small = torch.randn(2, 3, 6, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: diff_augment(x, (name,), seeded(3)), small)
    assert torch.autograd.gradgradcheck(lambda x: diff_augment(x, (name,), seeded(3)).square(), small)


def test_brightness_adds_one_number_from_minus_to_plus_a_half(images):
    shift = diff_augment(images, ("brightness",), seeded()) - images
    number = shift[:, 0, 0, 0]
    torch.testing.assert_close(shift, number[:, None, None, None].expand_as(shift))
    assert number.min() >= -0.5 and number.max() < 0.5 and number.std().item() == pytest.approx(12**-0.5, abs=0.05)


def test_contrast_and_saturation_keep_a_mean_and_scale_around_it(images):
    for name, axes, low, high in (("contrast", (1, 2, 3), 0.5, 1.5), ("saturation", (1,), 0.0, 2.0)):
        out = diff_augment(images, (name,), seeded())
        mean = images.mean(axes, keepdim=True)
        torch.testing.assert_close(out.mean(axes, keepdim=True), mean)
        factor = ((out - mean).flatten(1).norm(dim=1) / (images - mean).flatten(1).norm(dim=1))[:, None, None, None]
        torch.testing.assert_close(out, mean + factor * (images - mean))
        assert factor.min() >= low and factor.max() < high and factor.max() - factor.min() > 0.6 * (high - low)


def test_grey_images_have_no_saturation():
    grey = torch.rand(4, 1, 8, 8)
    torch.testing.assert_close(diff_augment(grey, ("saturation",), seeded()), grey)


def shifted(image, down, right):
    """An image moved by whole pixels over zeros, in two slices."""
    out = torch.zeros_like(image)
    height, width = image.shape[1:]
    rows, columns = slice(max(down, 0), height + min(down, 0)), slice(max(right, 0), width + min(right, 0))
    from_rows, from_columns = slice(max(-down, 0), height - max(down, 0)), slice(max(-right, 0), width - max(right, 0))
    out[:, rows, columns] = image[:, from_rows, from_columns]
    return out


def test_translation_is_one_of_the_25_shifts_by_up_to_an_eighth(images):
    out = diff_augment(images, ("translation",), seeded())
    seen = set()
    for before, after in zip(images, out):
        fits = [(d, r) for d in range(-2, 3) for r in range(-2, 3) if torch.equal(shifted(before, d, r), after)]
        assert len(fits) == 1
        seen |= set(fits)
    assert {d for d, _ in seen} == {r for _, r in seen} == set(range(-2, 3)) and len(seen) > 15


@pytest.mark.parametrize(("side", "length"), [(16, 8), (9, 5)])
def test_cutout_is_a_square_of_half_the_side(side, length):
    holes = diff_augment(torch.ones(2000, 2, side, side), ("cutout",), seeded()) == 0
    assert torch.equal(holes[:, 0], holes[:, 1])
    rows, columns = holes[:, 0].any(2), holes[:, 0].any(1)
    assert torch.equal(holes[:, 0], rows[:, :, None] & columns[:, None, :])
    for line in (rows, columns):
        lengths = line.sum(1)
        assert lengths.max() == length and (line.float().diff().abs().sum(1) <= 2).all()
        assert lengths.min() == (length + 1) // 2  # centred on the edge
        share = line.float().mean(0)
        torch.testing.assert_close(share, share.flip(0), atol=0.05, rtol=0)  # no end is favoured


def test_transforms_follow_each_other_in_the_order_of_the_policy(images):
    draw = seeded(4)
    want = diff_augment(diff_augment(images, ("cutout",), draw), ("brightness",), draw)
    assert torch.equal(diff_augment(images, ("cutout", "brightness"), seeded(4)), want)
    assert diff_augment(images, ()) is images


def test_the_default_policy_tells_images_apart_but_not_beyond_recognition(images):
    out = diff_augment(images, generator=seeded())
    assert torch.isfinite(out).all() and (out == 0).flatten(1).float().mean(1).min() >= 0.05


def test_bad_input_says_so(images):
    with pytest.raises(
        ValueError, match="policy: expected one of brightness, .*, got 'cut-out'; did you mean 'cutout'"
    ):
        diff_augment(images, ("cut-out",))
    with pytest.raises(ValueError, match=r"images: expected \(N, C, H, W\) float, got \(64, 3, 16, 16\) torch.uint8"):
        diff_augment(images.to(torch.uint8))
    with pytest.raises(ValueError, match=r"images: expected \(N, C, H, W\) float, got \(3, 16, 16\)"):
        diff_augment(images[0])
