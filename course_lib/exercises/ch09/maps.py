"""09.adain and 09.fade_in: what a style does to a layer's maps, and how a new layer comes in without a jump."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.exercises.ch09.shapes import normal, tensor
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.exercises.slopes import follow
from course_lib.models.style import upsample

# ---------------------------------------------------------------- adaptive instance normalisation


def adain(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Each map of each image to mean 0 and deviation 1, then times the style's scale, plus its shift.

    Karras, Laine, Aila 2018 (arXiv:1812.04948), eq. 1.  x: (N, C, H, W);  scale, shift: (N, C)
    """
    mean, variance = x.mean((2, 3), keepdim=True), x.var((2, 3), correction=0, keepdim=True)
    return scale[:, :, None, None] * (x - mean) * (variance + 1e-8).rsqrt() + shift[:, :, None, None]


def _maps(n=3, c=4, h=5, seed=1):
    offsets = torch.arange(c, dtype=torch.float32)[None, :, None, None] + torch.arange(n)[:, None, None, None]
    return normal(n, c, h, h, seed=seed) * (1 + offsets) + 3 * offsets


def _styles(n=3, c=4, seed=2):
    scale, shift = normal(2, n, c, seed=seed)
    scale[0, 0] = -1.5  # a scale may be negative
    return scale, 2 * shift


def _by_hand(answer):
    x = torch.tensor([[[[1.0, 1.0], [5.0, 5.0]]]])
    found = tensor(answer(x, torch.tensor([[10.0]]), torch.tensor([[3.0]])), (1, 1, 2, 2), "one map")
    want = torch.tensor([[[[-7.0, -7.0], [13.0, 13.0]]]])
    require(
        torch.allclose(found, want, atol=1e-3),
        f"The map 1, 1, 5, 5 has mean 3 and deviation 2, so it is −1, −1, 1, 1 and, with scale 10 and shift 3, −7, −7, 13, 13; yours: "
        f"{[round(v, 3) for v in found.flatten().tolist()]}.",
    )


def _moments(answer):
    x, (scale, shift) = _maps(), _styles()
    found = tensor(answer(x, scale, shift), (3, 4, 5, 5), "maps of the same shape")
    mean, deviation = found.mean((2, 3)), found.std((2, 3), correction=0)
    off = (mean - shift).abs().max().item(), (deviation - scale.abs()).abs().max().item()
    require(
        off[0] < 1e-3,
        f"The mean of each map becomes the style's shift of its own image and channel; yours is up to {off[0]:.3f} off.",
    )
    require(
        off[1] < 1e-3,
        f"The deviation of each map becomes the size of the style's scale, of its own image and channel; yours is up to {off[1]:.3f} off.",
    )


def _what_was_is_gone(answer):
    x, (scale, shift) = _maps(), _styles()
    off = (answer(x, scale, shift) - answer(x / 3 + 4, scale, shift)).abs().max().item()
    require(
        off < 1e-2,
        f"Mean and deviation of what comes in are to be replaced, and some of them are left in the result: it moves by {off:.3f} with them.",
    )


def _flips(answer):
    x, (scale, shift) = _maps(), _styles()
    one, other = answer(x, scale, torch.zeros_like(shift)), answer(x, -scale, torch.zeros_like(shift))
    off = (one + other).abs().max().item()
    require(
        off < 1e-3,
        f"A scale of the other sign turns each map upside down: a scale is no deviation, it may be negative. Yours is {off:.3f} off.",
    )


def _flat(answer):
    x = torch.full((1, 2, 3, 3), 4.0, requires_grad=True)
    found = answer(x, torch.ones(1, 2), torch.full((1, 2), 0.5))
    require(
        bool(torch.isfinite(found).all()) and (found - 0.5).abs().max().item() < 1e-3,
        f"A map that is the same everywhere has nothing to scale and becomes the shift, 0.5; yours: {found.flatten()[0].item():.3f}. Add 10⁻⁸ to the variance.",
    )
    found.sum().backward()
    require(
        bool(torch.isfinite(x.grad).all()),
        "At a map without variation the slope is not finite: the 10⁻⁸ belongs under the root.",
    )


def _place_by_place(answer):
    x, (scale, shift) = normal(2, 3, 3, 5, seed=8), normal(2, 2, 3, seed=9)
    x[1, 2] *= 1e-3  # a faint map: 10⁻⁸ is little beside its variance, 10⁻⁵ is not
    found, want = tensor(answer(x, scale, shift), (2, 3, 3, 5), "maps of the same shape"), _map_by_map(x, scale, shift)
    off = (found - want).abs().amax((2, 3))
    ordinary = off.flatten()[:-1].max().item()
    require(
        ordinary < 1e-3,
        f"In a map of 3×5 places each place becomes scale·(x − mean)/deviation + shift, where it stands; yours is up to {ordinary:.3f} off.",
    )
    require(
        off[1, 2].item() < 0.03,
        f"A map of deviation 0.001 is brought to 1 as well, to half a per cent; yours is up to {off[1, 2]:.3f} off. Add 10⁻⁸ to the variance, not more.",
    )


def _style_slopes(answer):
    x, (scale, shift) = normal(2, 3, 3, 4, seed=10).double(), normal(2, 2, 3, seed=11).double()
    follow(answer, x=x, scale=scale, shift=shift)


def _adain_behaviour(answer) -> list:
    x, (scale, shift) = _maps(), _styles()
    flat = torch.full((1, 2, 3, 3), 4.0, requires_grad=True)
    found = answer(flat, torch.ones(1, 2), torch.full((1, 2), 0.5))
    slope = torch.autograd.grad(found.sum(), flat)[0] if found.requires_grad else torch.zeros(1)
    return [answer(x, scale, shift), str(bool(torch.isfinite(found).all() and torch.isfinite(slope).all()))]


def _normalised(x, dims=(2, 3), correction=0, eps=1e-8):
    return (x - x.mean(dims, keepdim=True)) / (x.var(dims, correction=correction, keepdim=True) + eps).sqrt()


def _styled(normalised, scaled=lambda scale: scale):
    return lambda x, scale, shift: scaled(scale)[:, :, None, None] * normalised(x) + shift[:, :, None, None]


def _map_by_map(x, scale, shift):
    found = torch.empty_like(x)
    for n in range(x.shape[0]):
        for c in range(x.shape[1]):
            away = x[n, c] - x[n, c].mean()
            found[n, c] = scale[n, c] * away / (away.square().mean() + 1e-8).sqrt() + shift[n, c]
    return found


def _own_statistics(x, scale, shift):
    """What the name is used for in style transfer: the statistics of another image's maps (here of the next one)."""
    other = x.roll(1, 0)
    return other.std((2, 3), correction=0, keepdim=True) * _normalised(x) + other.mean((2, 3), keepdim=True)


adaptive = Exercise(
    id="09.adain",
    reference=adain,
    difficulty=2,
    minutes=8,
    properties=[
        Property("one map, by hand", _by_hand),
        Property("the style's moments, for each image and channel", _moments),
        Property("the maps' own moments have no part in it", _what_was_is_gone),
        Property("a negative scale turns a map upside down", _flips),
        Property("a flat map becomes the shift, with a finite slope", _flat),
        Property("place by place, in maps that are no squares, and in a faint one", _place_by_place),
        Property("slopes in x, scale and shift that are those of its values", _style_slopes),
    ],
    behaviour=_adain_behaviour,
    tolerance=(1e-3, 1e-4),
    other_forms=[
        lambda x, scale, shift: torch.addcmul(shift[:, :, None, None], scale[:, :, None, None], F.instance_norm(x, eps=1e-8)),
        _map_by_map,
    ],
    wrong_answers={
        "batch statistics": WrongAnswer(
            _styled(lambda x: _normalised(x, (0, 2, 3))),
            "Mean and deviation run over the batch too, as in BatchNorm: an image's result depends on its neighbours.",
        ),
        "layer statistics": WrongAnswer(
            _styled(lambda x: _normalised(x, (1, 2, 3))),
            "Mean and deviation run over the channels too, as in layer normalisation. Each *map* has its own.",
        ),
        "no mean": WrongAnswer(
            _styled(lambda x: x / (x.var((2, 3), correction=0, keepdim=True) + 1e-8).sqrt()),
            "Nothing is subtracted: the maps' old means stay, scaled, beside the style's shift.",
        ),
        "no deviation": WrongAnswer(
            _styled(lambda x: x - x.mean((2, 3), keepdim=True)), "Nothing is divided: the maps' old deviations stay, times the style's scale."
        ),
        "variance": WrongAnswer(
            _styled(lambda x: (x - x.mean((2, 3), keepdim=True)) / (x.var((2, 3), correction=0, keepdim=True) + 1e-8)),
            "It divides by the variance: the root is missing.",
        ),
        "n − 1": WrongAnswer(
            _styled(lambda x: _normalised(x, correction=1)),
            "The variance is divided by n − 1, PyTorch's default; a map is all there is, not a sample: `correction=0`.",
        ),
        "shifted, then scaled": WrongAnswer(
            lambda x, scale, shift: scale[:, :, None, None] * (_normalised(x) + shift[:, :, None, None]),
            "The shift is added before scaling, so it is scaled too. Scale first.",
        ),
        "1 + scale": WrongAnswer(
            _styled(_normalised, scaled=lambda scale: 1 + scale),
            "It multiplies by 1 + scale. In StyleGAN the 1 is the learned layer's bias at the beginning; here the scale comes ready.",
        ),
        "scale made positive": WrongAnswer(
            _styled(_normalised, scaled=torch.abs),
            "The scale loses its sign, as if it were a deviation. It is a number that is learned, and may be negative.",
        ),
        "the other image's statistics": WrongAnswer(
            _own_statistics,
            "It takes mean and deviation of another image's maps, which is AdaIN for style transfer (Huang, Belongie 2017). In StyleGAN both are computed from w.",
        ),
        "one style for all": WrongAnswer(
            lambda x, scale, shift: _styled(_normalised)(x, scale[:1].expand_as(scale), shift[:1].expand_as(shift)),
            "Every image gets the first one's style.",
        ),
        "no 10⁻⁸": WrongAnswer(
            _styled(lambda x: _normalised(x, eps=0.0)), "Nothing is added to the variance, so a flat map becomes NaN."
        ),
    },
    hints=[
        "`x.mean((2, 3), keepdim=True)` and `x.var((2, 3), correction=0, keepdim=True)`: one number for each map.",
        "`scale[:, :, None, None]` has shape (N, C, 1, 1) and multiplies every place of its map.",
    ],
)  # fmt: skip


# ---------------------------------------------------------------- fade-in


def fade_in(before: Tensor, image: Tensor, alpha: float) -> Tensor:
    """(1 − α)·before, enlarged, + α·image: before (N, C, H, W), image (N, C, 2H, 2W) → (N, C, 2H, 2W).

    Karras et al. 2017 (arXiv:1710.10196), figure 2; enlarged by repeating pixels.
    """
    return torch.lerp(upsample(before), image, alpha)


def _pair(n=2, c=3, h=3, seed=5):
    return normal(n, c, h, h, seed=seed), normal(n, c, 2 * h, 2 * h, seed=seed + 1)


def _at_zero(answer):
    before, image = _pair()
    found = tensor(answer(before, image, 0.0), (2, 3, 6, 6), "images of the new size")
    require(
        torch.equal(found, before.repeat_interleave(2, 2).repeat_interleave(2, 3)),
        "At α = 0 the result is the old image, every pixel four times, to the last bit: the new layer changes nothing yet. Yours is something else.",
    )


def _at_one(answer):
    before, image = _pair()
    found = tensor(answer(before, image, 1.0), (2, 3, 6, 6), "images of the new size")
    off = (found - image).abs().max().item()
    require(off < 1e-5, f"At α = 1 the result is the new image alone; yours is up to {off:.3f} away from it.")


def _quarter(answer):
    found = tensor(answer(torch.tensor([[[[4.0]]]]), torch.zeros(1, 1, 2, 2), 0.25), (1, 1, 2, 2), "one image of 2×2")
    require(
        torch.allclose(found, torch.full((1, 1, 2, 2), 3.0)),
        f"An old image of 4 and a new one of 0 at α = 0.25 give ¾·4 = 3; yours {found.flatten()[0].item():.3f}.",
    )


def _any_share(answer):
    before, image = normal(2, 3, 3, 5, seed=7), normal(2, 3, 6, 10, seed=8)
    for alpha in (0.6, 0.07):
        found = tensor(answer(before, image, alpha), (2, 3, 6, 10), "images of the new size")
        want = (1 - alpha) * before.repeat_interleave(2, 2).repeat_interleave(2, 3) + alpha * image
        off = (found - want).abs().max().item()
        require(
            off < 1e-5,
            f"At α = {alpha} on images of 3×5 pixels, each pixel is {1 - alpha:.2f} of the old and {alpha:.2f} of the new one at its own place; yours is up to {off:.3f} off.",
        )


def _both_learn(answer):
    before, image = (each.requires_grad_() for each in _pair())
    found = answer(before, image, 0.25).sum()
    require(found.requires_grad, "No gradient reaches either image.")
    slopes = torch.autograd.grad(found, (before, image), allow_unused=True)
    said = [0.0 if each is None else each.mean().item() for each in slopes]
    require(
        abs(said[0] - 3.0) < 1e-4 and abs(said[1] - 0.25) < 1e-4,
        f"Both images learn while one fades into the other: an old pixel, drawn four times with weight ¾, has slope 3, a new one ¼; yours {said[0]:.2f} and {said[1]:.2f}.",
    )


def _fade_behaviour(answer) -> list:
    before, image = _pair()
    leaf, new = before.clone().requires_grad_(), image.clone().requires_grad_()
    out = answer(leaf, new, 0.25).sum()
    slopes = torch.autograd.grad(out, (leaf, new), allow_unused=True) if out.requires_grad else (None, None)
    return [
        *(answer(before.clone(), image.clone(), alpha) for alpha in (0.0, 0.3, 1.0)),
        *("none" if each is None else "slope" for each in slopes),
    ]


faded = Exercise(
    id="09.fade_in",
    reference=fade_in,
    solution_also=[upsample],
    difficulty=1,
    minutes=5,
    properties=[
        Property("the old image, every pixel four times, at α = 0", _at_zero),
        Property("the new image at α = 1", _at_one),
        Property("¾ and ¼, by hand", _quarter),
        Property("any share, on images that are no squares", _any_share),
        Property("both images learn", _both_learn),
    ],
    behaviour=_fade_behaviour,
    other_forms=[
        lambda before, image, alpha: (1 - alpha) * before.repeat_interleave(2, 2).repeat_interleave(2, 3) + alpha * image,
        lambda before, image, alpha: torch.kron(before, torch.ones(2, 2)) * (1 - alpha) + image * alpha,
        lambda before, image, alpha: upsample(before) + alpha * (image - upsample(before)),
    ],
    wrong_answers={
        "the other way round": WrongAnswer(
            lambda before, image, alpha: torch.lerp(image, upsample(before), alpha),
            "α weighs the old image: training would begin with the untrained layer alone and end without it.",
        ),
        "bilinear": WrongAnswer(
            lambda before, image, alpha: torch.lerp(F.interpolate(before, scale_factor=2, mode="bilinear"), image, alpha),
            "The old image is enlarged smoothly. A reasonable choice, but at α = 0 it is not what the critic saw before; here pixels are repeated.",
        ),
        "tiled": WrongAnswer(
            lambda before, image, alpha: torch.lerp(before.repeat(1, 1, 2, 2), image, alpha),
            "`repeat` sets the whole image four times side by side. Each *pixel* is to be repeated: `repeat_interleave`, or nearest interpolation.",
        ),
        "added": WrongAnswer(
            lambda before, image, alpha: upsample(before) + alpha * image,
            "The new image is added without the old one leaving, as in StyleGAN2's skip connections. Fading weighs both: (1 − α) and α.",
        ),
        "a switch": WrongAnswer(
            lambda before, image, alpha: image if alpha >= 0.5 else upsample(before),
            "It switches at α = ½. The whole point is not to.",
        ),
        "the old one detached": WrongAnswer(
            lambda before, image, alpha: torch.lerp(upsample(before).detach(), image, alpha),
            "The old image is detached. Old layers stay trainable all the while; nothing is frozen when the networks grow.",
        ),
        "the new one detached": WrongAnswer(
            lambda before, image, alpha: torch.lerp(upsample(before), image.detach(), alpha), "The new image is detached, so the new layer never learns."
        ),
        "root weights": WrongAnswer(
            lambda before, image, alpha: (1 - alpha) ** 0.5 * upsample(before) + alpha**0.5 * image,
            "The weights are roots, so that squares add up to 1. Here the weights themselves do: brightness must not change on the way.",
        ),
    },
    hints=["`before.repeat_interleave(2, 2).repeat_interleave(2, 3)` draws every pixel four times.", "Then (1 − α) of that and α of the new image."],
)  # fmt: skip
