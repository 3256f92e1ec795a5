"""02.initialise: DCGAN's first weights."""

from __future__ import annotations

import math

import torch
from torch import nn

from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.models import dcgan


class _Probe(nn.Module):
    """Large enough that a standard deviation is known to 2 %, of shapes whose default initialisation is far from 0.02.

    Never run, so the shapes need not fit.
    """

    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(4, 1024, 4, bias=False)
        self.block = nn.Sequential(
            nn.Sequential(nn.Sequential(nn.ConvTranspose2d(1024, 4, 4, bias=False), nn.BatchNorm2d(4096)))
        )
        self.more = nn.Sequential(  # a second one of each: a large part of all weights of its kind
            nn.Conv2d(8, 512, 4, bias=False), nn.ConvTranspose2d(512, 8, 4, bias=False), nn.BatchNorm2d(4096)
        )

    def drawn(self) -> dict[str, torch.Tensor]:
        """All weights of a kind together."""

        def joined(kind, name):
            layers = [module for module in self.modules() if isinstance(module, kind)]
            return torch.cat([getattr(layer, name).detach().flatten() for layer in layers])

        return {
            "up": joined(nn.ConvTranspose2d, "weight"),
            "down": joined(nn.Conv2d, "weight"),
            "scale": joined(nn.BatchNorm2d, "weight"),
            "shift": joined(nn.BatchNorm2d, "bias"),
        }


def _initialised(answer) -> dict[str, torch.Tensor]:
    network = _Probe()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.constant_(module.bias, 3.0)  # so that «left as it was» is not mistaken for «set to 0»
    answer(network)
    return network.drawn()


def _std_of(which: str, name: str):
    def check(answer):
        weights = _initialised(answer)[which]
        std, mean = weights.std().item(), weights.mean().item()
        require(abs(std / 0.02 - 1) < 0.1, f"{name} should have a standard deviation of 0.02; yours has {std:.4f}.")
        require(abs(mean) < 0.005, f"{name} should have mean 0; yours has {mean:.3f}.")

    return check


def _normal(answer):
    found = _initialised(answer)
    for name, which in (("Convolutions", "down"), ("Transposed convolutions", "up"), ("BatchNorm's scales", "scale")):
        kurtosis = ((found[which] - found[which].mean()) / found[which].std()).pow(4).mean().item()
        require(
            abs(kurtosis - 3) < 0.5,
            f"{name}: a normal distribution has kurtosis 3; yours has {kurtosis:.2f} (a uniform one has 1.8).",
        )
    same = torch.equal(found["down"].flatten()[:100], found["up"].flatten()[:100])
    require(not same, "Two layers got the same numbers: is a seed set before each of them?")


def _in_place(answer):
    network = _Probe()
    before = list(network.parameters())
    answer(network)
    require(
        all(one is other for one, other in zip(before, network.parameters())),
        "A layer got a new parameter object. An optimizer made before would go on with the old one: draw into the one there is.",
    )
    require(
        network.training and all(p.requires_grad for p in network.parameters()),
        "The network was left in eval mode, or some of its weights unable to learn.",
    )
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            require(
                bool((module.running_mean == 0).all() and (module.running_var == 1).all()) and module.momentum == 0.1,
                "BatchNorm's running statistics are no weights: they are left at 0 and 1, and its momentum at 0.1.",
            )
    first = network.drawn()["down"].clone()
    answer(network)
    require(
        not torch.equal(first, network.drawn()["down"]),
        "A second network gets the same numbers as the first: a seed is set inside. G and D would begin alike, and so would everything random after it.",
    )


def _scale(answer):
    found = _initialised(answer)["scale"]
    require(
        abs(found.mean().item() - 1) < 0.01,
        f"BatchNorm's scales should lie around 1; yours have mean {found.mean():.3f}. "
        "With scales of 0.02 what leaves the last BatchNorm is fifty times too quiet (the earlier ones are normalised again).",
    )
    require(
        abs(found.std().item() / 0.02 - 1) < 0.1,
        f"BatchNorm's scales should have a standard deviation of 0.02; yours have {found.std():.4f}.",
    )


def _shift(answer):
    worst = _initialised(answer)["shift"].abs().max().item()
    require(worst == 0, f"BatchNorm's shifts should be 0; yours reach {worst:.3f}.")


def _initialise_with(
    conv=(0.0, 0.02), scale=(1.0, 0.02), shift=0.0, kinds=(nn.Conv2d, nn.ConvTranspose2d), draw=nn.init.normal_
):
    """A family of answers: which layers are drawn, and from what."""

    def answer(network):
        for module in network.modules():
            if isinstance(module, kinds):
                draw(module.weight, *conv)
            elif isinstance(module, nn.BatchNorm2d):
                if scale is not None:
                    nn.init.normal_(module.weight, *scale)
                if shift is not None:
                    nn.init.constant_(module.bias, shift)

    return answer


def _initialise_through_apply(network):
    def one(module):
        kind = type(module).__name__
        if "Conv" in kind:
            module.weight.data = torch.randn_like(module.weight) * 0.02
        elif "BatchNorm" in kind:
            module.weight.data = 1 + torch.randn_like(module.weight) * 0.02
            module.bias.data.zero_()

    network.apply(one)


def _initialise_top_level_only(network):
    for module in network.children():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)


def _initialise_behaviour(answer) -> list:
    found = _initialised(answer)
    down = found["down"]
    kurtosis = ((down - down.mean()) / down.std()).pow(4).mean()
    return [
        torch.log10(found["up"].std()),
        torch.log10(down.std()),
        kurtosis.clamp(max=6) / 6,
        down.mean(),
        found["scale"].mean(),
        torch.log10(found["scale"].std() + 1e-5),
        found["shift"].mean(),
    ]


initialise = Exercise(
    id="02.initialise",
    reference=dcgan.initialise,
    difficulty=1,
    minutes=6,
    properties=[
        Property("convolutions: mean 0, standard deviation 0.02", _std_of("down", "A convolution's weights")),
        Property("transposed convolutions too", _std_of("up", "A transposed convolution's weights")),
        Property("BatchNorm scales around 1, also inside nested modules", _scale),
        Property("all drawn from normal distributions, each layer anew", _normal),
        Property("BatchNorm shifts exactly 0", _shift),
        Property("in place: the same parameters, still able to learn", _in_place),
    ],
    behaviour=_initialise_behaviour,
    tolerance=(0.0, 0.06),
    other_forms=[_initialise_through_apply],
    wrong_answers={
        "PyTorch's default": WrongAnswer(
            lambda network: network,
            "Nothing was changed: PyTorch's own initialisation is still there, which depends on the "
            "size of each layer and not on the paper.",
        ),
        "scales around 0": WrongAnswer(
            _initialise_with(scale=(0.0, 0.02)),
            "It behaves like N(0, 0.02²) for *all* weights, BatchNorm's scales included. Many texts say "
            "so; their code says N(1, 0.02²), and that is what trains.",
        ),
        "variance for deviation": WrongAnswer(
            _initialise_with(conv=(0.0, 0.02**2), scale=(1.0, 0.02**2)),
            "It behaves like 0.02² passed as standard deviation: `normal_` takes the standard deviation itself.",
        ),
        "deviation for variance": WrongAnswer(
            _initialise_with(conv=(0.0, math.sqrt(0.02)), scale=(1.0, math.sqrt(0.02))),
            "It behaves like a variance of 0.02: the deviation is 0.02, the variance 0.0004.",
        ),
        "no transposed": WrongAnswer(
            _initialise_with(kinds=(nn.Conv2d,)),
            "Only `nn.Conv2d` was drawn. `nn.ConvTranspose2d` is a class of its own, not a subclass, and "
            "the generator consists of nothing else.",
        ),
        "uniform": WrongAnswer(
            _initialise_with(conv=(-0.02, 0.02), draw=nn.init.uniform_),
            "It behaves like a uniform distribution on ±0.02, whose standard deviation is 0.0115.",
        ),
        "BatchNorm left": WrongAnswer(
            _initialise_with(scale=None, shift=None),
            "The convolutions are right; BatchNorm was left at its default. Its scales need a draw "
            "around 1 and its shifts 0.",
        ),
        "top level only": WrongAnswer(
            _initialise_top_level_only,
            "It behaves like a walk over `children()`: layers inside a Sequential are missed. "
            "`modules()` finds them at any depth.",
        ),
        "shift forgotten": WrongAnswer(
            _initialise_with(shift=None), "All drawn rightly; the shifts (`bias`) still hold what was there before."
        ),
    },
    hints=[
        "`network.modules()` walks over every layer at any depth; `isinstance` tells what it is.",
        "`nn.init.normal_(tensor, mean, std)` draws in place. BatchNorm's scale is called `weight`, its shift `bias`.",
        "Why around 1? Multiply a normalised activation by N(0, 0.02²) and look at what is left of it.",
    ],
)
