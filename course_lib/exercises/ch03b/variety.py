"""03b.minibatch_std: how a critic can see a lack of variety."""

from __future__ import annotations

import torch

from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require


def minibatch_std(x: torch.Tensor, group: int) -> torch.Tensor:
    """The features with one more channel that says how much the images of a group differ.

    Karras et al. 2017 (arXiv:1710.10196) as StyleGAN2 computes it: the population standard deviation over the group, with
    10⁻⁸ added to the variance, averaged over channels and places.  x: (N, C, H, W);  returns (N, C + 1, H, W)
    """
    n, _, h, w = x.shape
    groups = x.reshape(group, n // group, -1)  # image i is with i + n/group, i + 2n/group, …
    std = (groups.var(0, correction=0) + 1e-8).sqrt().mean(1)  # (n/group,)
    return torch.cat([x, std.repeat(group).reshape(n, 1, 1, 1).expand(n, 1, h, w)], 1)


def _features(n=4, c=3, h=2, seed=1):
    return torch.randn(n, c, h, h, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _more(answer, x, group):
    found = answer(x, group)
    require(isinstance(found, torch.Tensor), f"Expected a tensor, got {type(found).__name__}.")
    n, c, h, w = x.shape
    require(
        found.shape == (n, c + 1, h, w),
        f"From {tuple(x.shape)} expected one more channel, {(n, c + 1, h, w)}; got {tuple(found.shape)}.",
    )
    require(torch.equal(found[:, :c], x), "The features should come first and unchanged, the new channel last.")
    return found[:, c]


def _by_hand(answer):
    x = torch.tensor([1.0, 3.0]).reshape(2, 1, 1, 1)
    found = _more(answer, x, 2)[0, 0, 0].item()
    require(
        abs(found - 1) < 1e-5,
        f"Two images of one pixel, 1 and 3: their population standard deviation is 1 (mean square distance from 2); yours says {found:.4f}.",
    )


def _four_by_hand(answer):
    x = torch.tensor([0.0, 0.0, 0.0, 4.0]).reshape(4, 1, 1, 1)
    found = _more(answer, x, 4)[0, 0, 0].item()
    require(
        abs(found - 3**0.5) < 1e-4,
        f"Four images of one pixel, 0, 0, 0 and 4: mean 1, mean square distance from it (1 + 1 + 1 + 9)/4 = 3, deviation √3 = 1.7321; yours says {found:.4f}.",
    )


def _reaches_the_images(answer):
    x = _features(4).requires_grad_(True)
    found = _more(answer, x, 2)
    require(
        found.requires_grad and torch.autograd.grad(found.sum(), x)[0].abs().max() > 0,
        "The new channel has no slope in the images: a generator could not learn from it to be more varied. No `detach`, no `no_grad`.",
    )


def _places(answer):
    x = torch.zeros(2, 1, 1, 2)
    x[1, 0, 0] = torch.tensor([2.0, 6.0])  # deviations 1 and 3 at the two places
    found = _more(answer, x, 2)
    require(
        torch.allclose(found, torch.full((2, 1, 2), 2.0), atol=1e-4),
        f"If two images differ by 2 at one place and by 6 at another, the deviations are 1 and 3, on average 2, everywhere; yours says {found.flatten().tolist()}.",
    )


def _collapsed(answer):
    x = _features(1).expand(4, 3, 2, 2).clone().requires_grad_(True)
    found = _more(answer, x, 4)
    require(
        found.max().item() < 1e-3,
        f"Four times the same image: no variety at all, so (nearly) 0. Yours says {found.max().item():.3f}.",
    )
    copies = torch.rand(1, 1, 28, 28, generator=torch.Generator().manual_seed(0)).repeat(64, 1, 1, 1)
    rounded = _more(answer, copies, 64)
    require(
        torch.isfinite(rounded).all() and rounded.max().item() < 2e-3,
        f"64 copies of one float32 image: no variety, so (nearly) 0. Yours says {rounded.max().item():.3g}. A mean of squares minus a squared mean is a small "
        "difference of large numbers and falls below 0 by rounding; subtract the mean first, or take `var`.",
    )
    found.sum().backward()
    require(
        torch.isfinite(x.grad).all(),
        "At four equal images the slope is NaN: a root has no slope at 0, and a collapsed generator would break the training. Add 10⁻⁸ to the variance.",
    )


def _strided(answer):
    x = _features(4)
    x[2], x[3] = x[0], x[1]  # with group 2, images 0 and 2 are together, 1 and 3
    found = _more(answer, x, 2)
    require(
        found.max().item() < 1e-3,
        f"In groups of 2, four images make the groups (0, 2) and (1, 3). Here 0 = 2 and 1 = 3, so no group has variety; yours says {found.max().item():.3f}. "
        "`x.reshape(group, N/group, …)` puts them so.",
    )


def _each_group(answer):
    x = _features(4)
    x[2] = x[0]
    found = _more(answer, x, 2)
    want = (x[1] - x[3]).abs().mean().item() / 2
    require(
        found[0].max().item() < 1e-3 and abs(found[1, 0, 0].item() - want) < 1e-4 and torch.equal(found[0], found[2]),
        f"Each group has its own number: 0 for images 0 and 2, which are equal, {want:.4f} for 1 and 3; yours gives {found[0, 0, 0]:.4f} and {found[1, 0, 0]:.4f}.",
    )


def _deviation_behaviour(answer) -> list:
    x = _features(4)
    same = _features(1).expand(4, 3, 2, 2).clone().requires_grad_(True)
    found = answer(same, 4)
    slope = torch.autograd.grad(found.sum(), same)[0]
    return [answer(x, 2), answer(x, 4), str(bool(torch.isfinite(slope).all()))]


def _with(groups=None, spread=None, append=None):
    """The right function with one of its three parts replaced."""

    def answer(x, group):
        n = len(x)
        parts = (groups or (lambda x, group: x.reshape(group, n // group, -1)))(x, group)
        std = (spread or (lambda y: (y.var(0, correction=0) + 1e-8).sqrt().mean(1)))(parts)
        extra = std.repeat(n // len(std)) if groups is not _side_by_side else std.repeat_interleave(group)
        extra = extra.reshape(n, 1, 1, 1).expand(n, 1, *x.shape[2:])
        return (append or (lambda x, extra: torch.cat([x, extra], 1)))(x, extra)

    return answer


def _side_by_side(x, group):
    return x.reshape(len(x) // group, group, -1).transpose(0, 1)


def _within_each_image(x, group):
    std = (x.flatten(1).var(1, correction=0) + 1e-8).sqrt()
    return torch.cat([x, std[:, None, None, None].expand(-1, 1, *x.shape[2:])], 1)


def _per_channel(x, group):
    groups = x.reshape(group, len(x) // group, *x.shape[1:])
    std = (groups.var(0, correction=0) + 1e-8).sqrt().mean((2, 3), keepdim=True)
    return torch.cat([x, std.repeat(group, 1, 1, 1).expand(-1, -1, *x.shape[2:])], 1)


def _with_a_loop(x, group):
    count = len(x) // group
    extra = torch.empty_like(x[:, :1])
    for first in range(count):
        members = x[first::count]
        away = members - members.mean(0)
        extra[first::count] = (away.square().mean(0) + 1e-8).sqrt().mean()
    return torch.cat([x, extra], 1)


deviation = Exercise(
    id="03b.minibatch_std",
    reference=minibatch_std,
    difficulty=2,
    minutes=10,
    properties=[
        Property("two images of one pixel", _by_hand),
        Property("four images of one pixel", _four_by_hand),
        Property("deviations averaged over places", _places),
        Property("0, and a finite slope, for a collapsed batch", _collapsed),
        Property("groups are strided", _strided),
        Property("each group has its own number", _each_group),
        Property("a slope that reaches the images", _reaches_the_images),
    ],
    behaviour=_deviation_behaviour,
    tolerance=(1e-4, 1e-7),
    other_forms=[_with_a_loop, _with()],
    wrong_answers={
        "neighbours": WrongAnswer(
            _with(groups=_side_by_side),
            "The groups are made of neighbours, (0, 1) and (2, 3). StyleGAN2's are strided; with a batch whose halves are real and fake, neighbours would be another layer.",
        ),
        "the whole batch": WrongAnswer(
            _with(groups=lambda x, group: x.reshape(len(x), 1, -1)),
            "It behaves as if the whole batch were one group: `group` has no part in it.",
        ),
        "sample variance": WrongAnswer(
            _with(spread=lambda y: (y.var(0) + 1e-8).sqrt().mean(1)),
            "The variance is divided by n − 1 (PyTorch's default). For a group of 2 that is √2 too much: `correction=0`.",
        ),
        "variance": WrongAnswer(
            _with(spread=lambda y: y.var(0, correction=0).mean(1)),
            "It behaves like the variance: the root is missing.",
        ),
        "root of the mean": WrongAnswer(
            _with(spread=lambda y: (y.var(0, correction=0).mean(1) + 1e-8).sqrt()),
            "The root is taken last, of the mean variance. Asked for is the mean of the deviations: root first, then the mean.",
        ),
        "mean absolute deviation": WrongAnswer(
            _with(spread=lambda y: (y - y.mean(0)).abs().mean((0, 2))),
            "It behaves like the mean *absolute* distance from the mean. A standard deviation is the root of the mean square one; for two images they agree.",
        ),
        "half the range": WrongAnswer(
            _with(spread=lambda y: (y.amax(0) - y.amin(0)).mean(1) / 2),
            "It behaves like half the distance between largest and smallest. For two images that is the deviation; with more it looks at two of them alone.",
        ),
        "detached": WrongAnswer(
            lambda x, group: minibatch_std(x.detach(), group),
            "The number is right and has no slope in the images: the critic would see the crowd, and the generator never hear of it.",
        ),
        "no 10⁻⁸": WrongAnswer(
            _with(spread=lambda y: y.var(0, correction=0).sqrt().mean(1)),
            "The variance has nothing added to it, so for equal images the slope of the root is infinite and the gradient NaN, exactly when the generator has collapsed.",
        ),
        "within each image": WrongAnswer(
            _within_each_image,
            "The deviation is taken over the values of one image: its contrast. Variety is what differs *between* images.",
        ),
        "everything pooled": WrongAnswer(
            _with(spread=lambda y: (y.transpose(0, 1).flatten(1).var(1, correction=0) + 1e-8).sqrt()),
            "All values of a group are pooled: places that differ from each other count as variety, even if all images are equal.",
        ),
        "a channel for each channel": WrongAnswer(
            _per_channel, "The deviations are averaged over places only, so as many channels are added as there were. Average over channels too."
        ),
        "new channel first": WrongAnswer(
            _with(append=lambda x, extra: torch.cat([extra, x], 1)), "The new channel comes first. Append it: the features keep their places."
        ),
    },
    hints=[
        "`x.reshape(group, N // group, -1)`: the variance over dimension 0 compares the images of each group.",
        "`(variance + 1e-8).sqrt().mean(1)` is one number a group; `.repeat(group)` gives each image its group's.",
    ],
)  # fmt: skip
