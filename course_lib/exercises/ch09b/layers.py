"""09b.add_noise and 09b.mix_styles: what differs from draw to draw, and which layers obey which latent."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib import latent
from course_lib.exercises.ch09.shapes import normal, tensor
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require

# ---------------------------------------------------------------- noise


def add_noise(x: Tensor, noise: Tensor, amount: Tensor) -> Tensor:
    """One map of noise an image, added to every channel by that channel's learned amount.

    Karras, Laine, Aila 2018 (arXiv:1812.04948), section 2.  x: (N, C, H, W);  noise: (N or 1, 1, H, W);  amount: (C,)
    """
    return x + amount[:, None, None] * noise


def _given(n=3, c=4, h=5, seed=1):
    return normal(n, c, h, h, seed=seed), normal(n, 1, h, h, seed=seed + 1), torch.tensor([0.5, 0.0, -2.0, 1.0])


def _on_zeros(answer):
    _, noise, amount = _given()
    found = tensor(answer(torch.zeros(3, 4, 5, 5), noise, amount), (3, 4, 5, 5), "maps of the same shape")
    require(
        torch.allclose(found[:, 3:], noise, atol=1e-6),
        "On maps of zeros, a channel with amount 1 shows the noise map of its own image, as it is. Yours shows something else.",
    )
    require(
        torch.allclose(found[:, 2:3], -2 * noise, atol=1e-6) and found[:, 1].abs().max().item() < 1e-6,
        "A channel with amount −2 shows the same map times −2, one with amount 0 nothing: an amount belongs to a channel and may be negative. Yours shows something else.",
    )


def _adds(answer):
    x, noise, amount = _given()
    found = tensor(answer(x.clone(), noise, amount), (3, 4, 5, 5), "maps of the same shape")
    away = (found - x) - (answer(torch.zeros_like(x), noise, amount))
    require(
        away.abs().max().item() < 1e-5,
        f"Noise is *added*: what it changes does not depend on the maps. Yours changes maps by up to {away.abs().max():.3f} more or less than zeros.",
    )
    require(torch.allclose(found[:, 1], x[:, 1], atol=1e-6), "A channel with amount 0 stays as it is; yours does not.")


def _one_for_all(answer):
    x, noise, amount = _given()
    found = tensor(answer(x.clone(), noise[:1], amount), (3, 4, 5, 5), "maps of the same shape")
    want = x + amount[:, None, None] * noise[:1]
    require(
        torch.allclose(found, want, atol=1e-5),
        "A noise of shape (1, 1, H, W) is the same for every image of the batch; yours is not.",
    )


def _learned(answer):
    x, noise, amount = _given()
    amount.requires_grad_()
    out = answer(x.clone(), noise, amount).sum()
    require(
        out.requires_grad, "No gradient reaches the amounts, so how much noise a channel wants could not be learned."
    )
    slope = torch.autograd.grad(out, amount)[0]
    want = noise.sum()
    require(
        torch.allclose(slope, want.expand(4), atol=1e-3),
        f"The slope in every amount is the sum of the noise, {want:.3f}; yours: {[round(v, 3) for v in slope.tolist()]}.",
    )


def _maps_left_alone(answer):
    x, noise, amount = _given()
    before = x.clone()
    answer(x, noise, amount)
    require(
        torch.equal(x, before),
        "The maps that you were given have changed: `+=` writes into them. Whoever calls you still needs them; return new ones.",
    )


def _noise_behaviour(answer) -> list:
    x, noise, amount = _given()
    kept = x.clone()
    return [answer(x, noise, amount), str(torch.equal(x, kept)), answer(kept.clone(), noise[:1], amount)]


def _each_map(x, noise, amount):
    found = x.clone()
    for c, value in enumerate(amount):
        found[:, c] = x[:, c] + value * noise[:, 0]
    return found


noisy = Exercise(
    id="09b.add_noise",
    reference=add_noise,
    difficulty=1,
    minutes=4,
    properties=[
        Property("on zeros: one map an image, an amount a channel", _on_zeros),
        Property("added, whatever the maps are", _adds),
        Property("one noise for the whole batch", _one_for_all),
        Property("the amounts can be learned", _learned),
        Property("the maps left as they were", _maps_left_alone),
    ],
    behaviour=_noise_behaviour,
    other_forms=[
        lambda x, noise, amount: torch.addcmul(x, amount.reshape(1, -1, 1, 1), noise),
        _each_map,
    ],
    wrong_answers={
        "multiplied": WrongAnswer(
            lambda x, noise, amount: x * (1 + amount[:, None, None] * noise),
            "The noise multiplies the maps, as dropout does. Here it is added, also where a map is 0.",
        ),
        "in place": WrongAnswer(
            lambda x, noise, amount: x.add_(amount[:, None, None] * noise),
            "The values are right, but they are written into the maps that were given. `x + …` makes new ones, `x += …` does not.",
        ),
        "noise of its own": WrongAnswer(
            lambda x, noise, amount: x + amount[:, None, None] * torch.randn(x.shape),
            "It draws fresh noise for every channel. StyleGAN adds *one* map to all of them, and the map is given.",
        ),
        "one amount": WrongAnswer(
            lambda x, noise, amount: x + amount.mean() * noise, "All channels get the mean amount. Each channel has its own."
        ),
        "the first image's noise": WrongAnswer(
            lambda x, noise, amount: x + amount[:, None, None] * noise[:1], "Every image gets the noise of the first one."
        ),
        "no amounts": WrongAnswer(lambda x, noise, amount: x + noise, "The noise is added as it is; the amounts have no part in it."),
        "noise instead of maps": WrongAnswer(
            lambda x, noise, amount: amount[:, None, None] * noise.expand(len(x), -1, -1, -1), "The maps themselves are lost: only the noise is left."
        ),
        "size kept": WrongAnswer(
            lambda x, noise, amount: (x + amount[:, None, None] * noise) / (1 + amount.square()).sqrt()[:, None, None],
            "The sum is divided by √(1 + amount²), so that deviations stay. StyleGAN leaves that to the AdaIN that follows.",
        ),
        "amounts made positive": WrongAnswer(
            lambda x, noise, amount: x + amount.abs()[:, None, None] * noise,
            "The amounts lose their sign. It matters: two channels with amounts of different sign move in opposite directions at the same pixel.",
        ),
    },
    hints=["`amount[:, None, None]` has shape (C, 1, 1), which fits (N, C, H, W).", "The noise has one channel, so it is repeated for all C by broadcasting."],
)  # fmt: skip


# ---------------------------------------------------------------- style mixing

W, L = 3, 6


def _pairs(n=4, seed=3):
    return normal(n, W, seed=seed), normal(n, W, seed=seed + 1)


def _check_rows(found, coarse, fine, cuts, layers):
    for row, cut in enumerate(cuts):
        for layer in range(layers):
            want = (coarse if layer < cut else fine)[row]
            require(
                torch.equal(found[row, layer], want),
                f"With the crossover at {cut}, layer {layer} takes the style of `{'coarse' if layer < cut else 'fine'}`, whole and unchanged; yours has something else there.",
            )


def _in_the_middle(answer):
    coarse, fine = _pairs()
    found = tensor(answer(coarse, fine, 2, L), (4, L, W), f"one style for each of {L} layers")
    _check_rows(found, coarse, fine, [2] * 4, L)


def _ends(answer):
    coarse, fine = _pairs()
    for cut, whole, name in ((0, fine, "fine"), (L, coarse, "coarse")):
        found = tensor(answer(coarse, fine, cut, L), (4, L, W), f"one style for each of {L} layers")
        require(
            torch.equal(found, whole[:, None].expand(-1, L, -1)),
            f"With the crossover at {cut} of {L} layers, all of them take the style of `{name}`; yours do not.",
        )


def _own_crossovers(answer):
    coarse, fine = _pairs()
    cuts = torch.tensor([0, 1, 5, 6])
    found = tensor(answer(coarse, fine, cuts, L), (4, L, W), f"one style for each of {L} layers")
    _check_rows(found, coarse, fine, cuts.tolist(), L)


def _mix_behaviour(answer) -> list:
    coarse, fine = _pairs()
    seen = [answer(coarse, fine, 2, L), answer(coarse, fine, L, L)]
    try:
        seen.append(answer(coarse, fine, torch.tensor([0, 1, 5, 6]), L))
    except Exception as error:  # an answer for numbers alone is a behaviour of its own
        seen.append(type(error).__name__)
    return seen


def _column(crossover):
    return torch.as_tensor(crossover).reshape(-1, 1, 1)


def _where(rule):
    def answer(coarse, fine, crossover, layers):
        layer = torch.arange(layers)[None, :, None]
        first = rule(layer, _column(crossover), layers)
        return torch.where(first, coarse[:, None], fine[:, None]).expand(len(coarse), layers, -1)

    return answer


def _blend(coarse, fine, crossover, layers):
    share = _column(crossover) / layers
    return (share * coarse[:, None] + (1 - share) * fine[:, None]).expand(-1, layers, -1)


def _soft(coarse, fine, crossover, layers):
    share = torch.sigmoid((_column(crossover) - torch.arange(layers)[None, :, None] - 0.5) * 2.0)
    return share * coarse[:, None] + (1 - share) * fine[:, None]


def _first_only(coarse, fine, crossover, layers):
    return latent.mix_styles(coarse, fine, int(torch.as_tensor(crossover).flatten()[0]), layers)


def _filled_in(coarse, fine, crossover, layers):
    cuts = torch.as_tensor(crossover).reshape(-1).expand(len(coarse)).tolist()
    return torch.stack(
        [torch.stack([a if layer < cut else b for layer in range(layers)]) for a, b, cut in zip(coarse, fine, cuts)]
    )


mixed = Exercise(
    id="09b.mix_styles",
    reference=latent.mix_styles,
    difficulty=2,
    minutes=7,
    properties=[
        Property("coarse below the crossover, fine from there on, each style whole", _in_the_middle),
        Property("at 0 all of the second, at the number of layers all of the first", _ends),
        Property("a crossover for each pair", _own_crossovers),
    ],
    behaviour=_mix_behaviour,
    other_forms=[_filled_in, _where(lambda layer, cut, layers: layer < cut)],
    wrong_answers={
        "the other way round": WrongAnswer(
            _where(lambda layer, cut, layers: layer >= cut), "Early layers take the second latent's style. `coarse` rules the layers *below* the crossover."
        ),
        "one layer late": WrongAnswer(
            _where(lambda layer, cut, layers: layer <= cut), "The crossover layer itself still takes `coarse`. From the crossover *on*, it is `fine`: with 0, all layers are."
        ),
        "interpolated": WrongAnswer(
            _blend, "Every layer gets a blend of both styles. Mixing is a crossover: each layer sees one of the two and nothing in between."
        ),
        "a soft crossover": WrongAnswer(_soft, "Near the crossover the styles are blended. It is sharp: a layer takes one or the other."),
        "one layer swapped": WrongAnswer(
            _where(lambda layer, cut, layers: layer != cut), "Only the crossover layer takes `fine`. All layers from there on do."
        ),
        "counted from the end": WrongAnswer(
            _where(lambda layer, cut, layers: layer < layers - cut), "The crossover is counted from the last layer. Layer 0 is at 4×4, and counting begins there."
        ),
        "counted in resolutions": WrongAnswer(
            _where(lambda layer, cut, layers: layer // 2 < cut), "The crossover is taken as a resolution of two layers. It is the number of a layer."
        ),
        "the first pair's crossover": WrongAnswer(_first_only, "All pairs are mixed at the first one's crossover; with a tensor of crossovers each has its own."),
    },
    hints=[
        "`torch.arange(layers) < crossover` says which layers take `coarse`; `torch.as_tensor(crossover).reshape(-1, 1)` makes that work for a number and for a tensor.",
        "`torch.where(mask[:, :, None], coarse[:, None], fine[:, None])`: (N or 1, layers, 1) against (N, 1, w_dim).",
    ],
)  # fmt: skip
