"""09b.mean_of_w and 09b.truncate: the style in the middle, and the way to it."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib import latent
from course_lib.exercises.ch09.shapes import normal, tensor
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.models.style import Mapping, pixel_norm

# ---------------------------------------------------------------- the mean of w


def mean_of_w(mapping, z: Tensor, block: int = 1000) -> Tensor:
    """The mean of mapping(z) over all latents, `block` of them mapped at a time, without a graph: (w_dim,).

    mapping: (N, d) → (N, w_dim);  z: (N, d), N not always a multiple of block
    """
    total = 0
    with torch.no_grad():
        for rows in z.split(block):
            total = total + mapping(rows).sum(0)
    return total / len(z)


class _Watched:
    """A mapping that notes how many latents came at a time."""

    def __init__(self, mapping):
        self.mapping, self.sizes = mapping, []

    def __call__(self, z):
        require(
            isinstance(z, Tensor) and z.ndim == 2, "The mapping takes (N, d) latents; yours gave it something else."
        )
        self.sizes.append(len(z))
        return self.mapping(z)


def _network():
    torch.manual_seed(3)
    return Mapping(6, 5, layers=2, lr_multiplier=1.0)


def _squares(answer):
    found = tensor(answer(lambda z: z.square(), torch.tensor([[1.0], [3.0]]), 1), (1,), "one style").item()
    require(
        abs(found - 5) < 1e-5,
        f"Latents 1 and 3, and a mapping that squares: styles 1 and 9, mean 5 (the square of the mean latent would be 4); yours {found:.3f}.",
    )


def _short_block(answer):
    z, network = normal(25, 6), _network()
    want = network(z).mean(0).detach()
    for block in (25, 10, 4):
        off = (tensor(answer(network, z.clone(), block), (5,), "one style") - want).abs().max().item()
        require(
            off < 1e-5,
            f"25 latents in blocks of {block}: the mean is that of all 25, so a short last block counts for what it holds; yours is up to {off:.4f} off.",
        )


def _memory(answer):
    watched = _Watched(_network())
    answer(watched, normal(60, 6), 20)
    require(max(watched.sizes) <= 20, f"With block = 20 you mapped {max(watched.sizes)} latents at once.")
    require(sum(watched.sizes) == 60, f"60 latents were given, {sum(watched.sizes)} were mapped.")


def _no_graph(answer):
    found = answer(_network(), normal(8, 6), 4)
    require(
        not found.requires_grad,
        "The mean carries a graph of all the latents it was made from; compute it under `torch.no_grad()`.",
    )


def _mean_behaviour(answer) -> list:
    watched, z = _Watched(_network()), normal(25, 6) + 0.3
    found = answer(watched, z, 10)
    return [
        found,
        "graph" if found.requires_grad else "no graph",
        "small" if max(watched.sizes, default=0) <= 10 else "large",
    ]


@torch.no_grad()
def _mean_in_steps(mapping, z, block=1000):
    mean, seen = torch.zeros(()), 0
    for start in range(0, len(z), block):
        w = mapping(z[start : start + block])
        seen += len(w)
        mean = mean + (w.mean(0) - mean) * len(w) / seen
    return mean


@torch.no_grad()
def _mean_of_means(mapping, z, block=1000):
    return torch.stack([mapping(rows).mean(0) for rows in z.split(block)]).mean(0)


averaged = Exercise(
    id="09b.mean_of_w",
    reference=mean_of_w,
    difficulty=1,
    minutes=5,
    properties=[
        Property("the mean of mapped latents, not a mapped mean", _squares),
        Property("all latents count alike, whatever the blocks", _short_block),
        Property("a block of latents at a time and no more, and all of them", _memory),
        Property("no graph", _no_graph),
    ],
    behaviour=_mean_behaviour,
    other_forms=[
        _mean_in_steps,
        lambda mapping, z, block=1000: torch.cat([mapping(rows).detach() for rows in z.split(block)]).mean(0),
    ],
    wrong_answers={
        "the mapped mean": WrongAnswer(
            torch.no_grad()(lambda mapping, z, block=1000: mapping(z.mean(0, keepdim=True))[0]),
            "It maps the mean latent. The mapping is not linear: the mean of images of points is not the image of the mean.",
        ),
        "mapping of 0": WrongAnswer(
            torch.no_grad()(lambda mapping, z, block=1000: mapping(torch.zeros_like(z[:1]))[0]),
            "It maps z = 0, which is the mean of the *distribution* of z. Pixel norm leaves 0 at 0, where no latent ever is.",
        ),
        "mean of block means": WrongAnswer(
            _mean_of_means, "Every block's mean counts the same, also that of a short last block. Add up sums and divide once, by the number of latents."
        ),
        "all at once": WrongAnswer(
            torch.no_grad()(lambda mapping, z, block=1000: mapping(z).mean(0)), "All latents are mapped at once; `block` has no part in it."
        ),
        "with its graph": WrongAnswer(
            lambda mapping, z, block=1000: sum(mapping(rows).sum(0) for rows in z.split(block)) / len(z),
            "The number is right, but it holds the graph of every latent in memory.",
        ),
        "the sum": WrongAnswer(
            torch.no_grad()(lambda mapping, z, block=1000: sum(mapping(rows).sum(0) for rows in z.split(block))), "The sum of the styles: it is not divided by their number."
        ),
        "the median": WrongAnswer(
            torch.no_grad()(lambda mapping, z, block=1000: torch.cat([mapping(rows) for rows in z.split(block)]).median(0).values),
            "The median of each entry. Truncation goes towards the mean.",
        ),
        "normalised": WrongAnswer(
            torch.no_grad()(lambda mapping, z, block=1000: pixel_norm(mean_of_w(mapping, z, block)[None])[0]),
            "The mean is normalised. It is short because styles point in many directions, and its length matters: ψ = 0 uses it as it is.",
        ),
        "the last block left out": WrongAnswer(
            torch.no_grad()(
                lambda mapping, z, block=1000: sum(mapping(z[i * block : (i + 1) * block]).sum(0) for i in range(max(len(z) // block, 1)))
                / (max(len(z) // block, 1) * min(block, len(z)))
            ),
            "The last, short block is left out.",
        ),
    },
    hints=["Loop over `z.split(block)` and add up `mapping(rows).sum(0)`.", "Divide once, by `len(z)`; all of it under `torch.no_grad()`."],
)  # fmt: skip


# ---------------------------------------------------------------- truncation

L = 6


def _styles(n=4, d=3, seed=7):
    return normal(n, d, seed=seed), 2 * normal(d, seed=seed + 1)


def _half_way(answer):
    found = tensor(
        answer(torch.tensor([[4.0, 0.0]]), torch.tensor([2.0, 1.0]), 0.5, layers=2),
        (1, 2, 2),
        "one style for each of 2 layers",
    )
    want = torch.tensor([3.0, 0.5]).expand(1, 2, 2)
    require(
        torch.allclose(found, want),
        f"w = (4, 0), w̄ = (2, 1): half-way lies (3, 0.5), in both layers; yours {found[0].tolist()}.",
    )


def _zero_and_one(answer):
    w, mean = _styles()
    none = tensor(answer(w.clone(), mean.clone(), 0.0, layers=L), (4, L, 3), f"one style for each of {L} layers")
    require(
        torch.allclose(none, mean.expand(4, L, 3), atol=1e-6),
        "At ψ = 0 every layer of every image takes w̄; yours do not.",
    )
    whole = tensor(answer(w.clone(), mean.clone(), 1.0, layers=L), (4, L, 3), f"one style for each of {L} layers")
    require(
        torch.allclose(whole, w[:, None].expand(-1, L, -1), atol=1e-6), "At ψ = 1 w is left as it is; yours is not."
    )


def _left_alone(answer):
    w, mean = _styles()
    before = w.clone(), mean.clone()
    answer(w, mean, 0.5, layers=L)
    require(
        torch.equal(w, before[0]) and torch.equal(mean, before[1]),
        "After the call, w (or its mean) is no longer what it was: it was changed in place. Whoever calls you still needs it.",
    )


def _distance(answer):
    w, mean = _styles()
    for psi in (0.3, 1.5):
        found = answer(w.clone(), mean, psi, layers=L)[:, 0]
        share = ((found - mean).norm() / (w - mean).norm()).item()
        require(
            abs(share - psi) < 1e-4,
            f"At ψ = {psi} the distance to w̄ is {psi} times what it was, above 1 too; yours is {share:.3f} times.",
        )


def _cut(answer):
    w, mean = _styles()
    for cutoff in (0, 2, L):
        found = tensor(
            answer(w.clone(), mean.clone(), 0.5, layers=L, cutoff=cutoff),
            (4, L, 3),
            f"one style for each of {L} layers",
        )
        for layer in range(L):
            want = (w + mean) / 2 if layer < cutoff else w
            require(
                torch.allclose(found[:, layer], want, atol=1e-5),
                f"cutoff = {cutoff}: layers below it are truncated, from it on w stays as it is. Layer {layer} is not so.",
            )


def _truncate_behaviour(answer) -> list:
    w, mean = _styles()
    given, kept = w.clone(), mean.clone()
    return [
        answer(w.clone(), mean, 0.4, layers=L),
        answer(w.clone(), mean, 1.6, layers=L),
        answer(w.clone(), mean, 0.4, layers=L, cutoff=2),
        str(torch.equal(mean, kept)),
        answer(given, mean, 0.4, layers=L),
        "left alone" if torch.equal(given, w) else "changed",
    ]


def _cutting(truncated, below=True, moved=0):
    def answer(w, w_mean, psi, *, layers, cutoff=None):
        cut = layers if cutoff is None else cutoff + moved
        chosen = (torch.arange(layers) < cut) == below
        return torch.where(chosen[None, :, None], truncated(w, w_mean, psi)[:, None], w[:, None])

    return answer


def _toward(w, w_mean, psi):
    return w_mean + psi * (w - w_mean)


def _by_layers(w, w_mean, psi, *, layers, cutoff=None):
    cut = layers if cutoff is None else cutoff
    return torch.stack([psi * w + (1 - psi) * w_mean if layer < cut else w for layer in range(layers)], 1)


def _fading(w, w_mean, psi, *, layers, cutoff=None):
    cut = layers if cutoff is None else cutoff
    return torch.stack([_toward(w, w_mean, psi ** (layer + 1)) if layer < cut else w for layer in range(layers)], 1)


truncated = Exercise(
    id="09b.truncate",
    reference=latent.truncate,
    difficulty=2,
    minutes=6,
    properties=[
        Property("half-way, by hand", _half_way),
        Property("ψ = 0 is the mean style, ψ = 1 leaves w", _zero_and_one),
        Property("ψ times the distance, above 1 too", _distance),
        Property("layers from the cutoff on keep w", _cut),
        Property("w and its mean left as they were", _left_alone),
    ],
    behaviour=_truncate_behaviour,
    other_forms=[_by_layers, _cutting(_toward)],
    wrong_answers={
        "towards 0": WrongAnswer(
            _cutting(lambda w, w_mean, psi: psi * w), "w is shortened towards 0, where no style is. The middle of W is w̄."
        ),
        "the other way round": WrongAnswer(
            _cutting(lambda w, w_mean, psi: w + psi * (w_mean - w)), "ψ weighs the mean: at ψ = 1 nothing but w̄ is left. It is the share of the *distance* that is kept."
        ),
        "in place": WrongAnswer(
            _cutting(lambda w, w_mean, psi: w.sub_(w_mean).mul_(psi).add_(w_mean)),
            "The values are right where all layers are truncated, but they are written into w: `-=` and `*=` change what the caller gave, and with a cutoff nothing is left of w to keep.",
        ),
        "around the batch": WrongAnswer(
            _cutting(lambda w, w_mean, psi: _toward(w, w.mean(0), psi)), "It goes towards the mean of this batch. w̄ is the mean over very many latents, the same for every batch."
        ),
        "late layers truncated": WrongAnswer(
            _cutting(_toward, below=False), "The layers from the cutoff *on* are truncated. It is the coarse ones, below it, that are; the fine ones keep their w."
        ),
        "one layer more": WrongAnswer(_cutting(_toward, moved=1), "The cutoff layer itself is truncated too; layers from the cutoff on keep w."),
        "cutoff ignored": WrongAnswer(
            lambda w, w_mean, psi, *, layers, cutoff=None: _cutting(_toward)(w, w_mean, psi, layers=layers), "All layers are truncated: the cutoff has no part in it."
        ),
        "clipped": WrongAnswer(
            _cutting(lambda w, w_mean, psi: w_mean + (w - w_mean).clamp(-psi, psi)),
            "Entries are clipped to ψ around the mean, so what is near stays and what is far piles up. ψ-truncation shortens every style by one factor.",
        ),
        "more at every layer": WrongAnswer(_fading, "Each layer is truncated harder than the one before, ψ, ψ², ψ³, … Here all of them have one ψ."),
        "never above 1": WrongAnswer(
            _cutting(lambda w, w_mean, psi: _toward(w, w_mean, min(psi, 1.0))), "ψ above 1 is cut off to 1. It leads *away* from the mean, which is allowed and instructive."
        ),
    },
    hints=[
        "`w_mean + psi * (w - w_mean)`, or `torch.lerp(w_mean.expand_as(w), w, psi)`.",
        "One style a layer: `[:, None].expand(-1, cut, -1)` of the truncated ones and `[:, None].expand(-1, layers - cut, -1)` of w, joined along dimension 1; without a cutoff all layers are truncated.",
    ],
)  # fmt: skip
