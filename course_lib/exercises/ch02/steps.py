"""Where both players' steps are judged: two tiny networks with fixed data, and what the two steps have in common."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from course_lib.exercises.engine import WrongAnswer, require
from course_lib.losses import LOSSES

LOSS = LOSSES["non_saturating"]
OTHER = LOSSES["least_squares"]  # a step takes whatever loss it is given


class _TinyGenerator(nn.Module):
    latent_dim = 3

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 4), nn.Tanh())

    def forward(self, z):
        return self.layers(z)


class _TinyDiscriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.LeakyReLU(0.2), nn.Linear(6, 1))

    def forward(self, images):
        return self.layers(images).squeeze(1)


class _RecordingSGD(torch.optim.SGD):
    """Plain SGD that remembers in which order it was asked for what."""

    def __init__(self, parameters):
        super().__init__(parameters, lr=0.5)
        self.asked: list[str] = []

    def zero_grad(self, set_to_none=True):
        self.asked.append("zero_grad")
        super().zero_grad(set_to_none)

    def step(self, closure=None):
        self.asked.append("step")
        return super().step(closure)


class World:
    """Two tiny networks with BatchNorm (so that joint batches show), plain SGD, and fixed data."""

    def __init__(self, seed=0, loss=LOSS, loudness=4.0):
        self.loss = loss
        torch.manual_seed(seed)
        self.generator, self.discriminator = _TinyGenerator(), _TinyDiscriminator()
        with torch.no_grad():
            self.discriminator.layers[3].weight.mul_(loudness)
        self.optimizer_g = _RecordingSGD(self.generator.parameters())
        self.optimizer_d = _RecordingSGD(self.discriminator.parameters())
        for name, network in (
            ("G", self.generator),
            ("D", self.discriminator),
        ):  # a gradient that arrives is remembered too
            for optimizer in (self.optimizer_g, self.optimizer_d):
                next(network.parameters()).register_post_accumulate_grad_hook(
                    lambda _, asked=optimizer.asked, name=name: asked.append(f"gradient in {name}")
                )
        self.real = torch.randn(8, 4) + 1
        self.z = torch.randn(8, 3)

    def d_step(self, answer):
        found = answer(self.generator, self.discriminator, self.optimizer_d, self.real, self.z, self.loss)
        require(
            isinstance(found, (tuple, list)) and len(found) == 3 and all(isinstance(t, torch.Tensor) for t in found),
            f"Expected three tensors (the loss, real logits, fake logits), got {_described(found)}.",
        )
        return found

    def g_step(self, answer):
        found = answer(self.generator, self.discriminator, self.optimizer_g, self.z, self.loss)
        require(
            isinstance(found, (tuple, list)) and len(found) == 2 and all(isinstance(t, torch.Tensor) for t in found),
            f"Expected two tensors (the loss, fake logits), got {_described(found)}.",
        )
        return found


def _described(thing) -> str:
    if isinstance(thing, (tuple, list)):
        return f"{len(thing)} of {', '.join(type(each).__name__ for each in thing)}"
    return "nothing (is there a return?)" if thing is None else type(thing).__name__


def close(found: torch.Tensor, wanted: torch.Tensor) -> bool:
    """Equal but for float32's rounding in another order of operations."""
    return torch.allclose(found, wanted, rtol=1e-4, atol=1e-5)


def _stray_gradients(network: nn.Module) -> None:
    """What the other player's step may have left behind: it ran through this network too."""
    for parameter in network.parameters():
        parameter.grad = torch.ones_like(parameter) if parameter.grad is None else parameter.grad + 1


def logits_named(logits: torch.Tensor, name: str) -> None:
    require(
        logits.shape == (8,) and logits.is_floating_point(),
        f"The {name} should be D's output, one number for each of the 8 images: shape (8,) floating point; "
        f"yours are {tuple(logits.shape)} {logits.dtype}.",
    )


def weights(network: nn.Module) -> torch.Tensor:
    """All learned numbers of a network, as they are now."""
    return torch.cat([p.detach().flatten() for p in network.parameters()]).clone()


def gradients(network: nn.Module) -> float:
    """Sum of all absolute gradients; 0 where there are none."""
    return sum(p.grad.abs().sum().item() for p in network.parameters() if p.grad is not None)


def starts_clean(step, library_step, own: str):
    other = "generator" if own == "discriminator" else "discriminator"

    def check(answer):
        world, wanted = World(), World()
        for _ in range(2):
            for each in (world, wanted):
                _stray_gradients(getattr(each, own))
            step(world, answer)
            step(wanted, library_step)
        off = (weights(getattr(world, own)) - weights(getattr(wanted, own))).norm().item()
        require(
            off < 1e-4,
            f"Right on its own, but off by {off:.3f} where gradients were left in the {own} before, by its own last step or by the "
            f"{other}'s, which runs through it too. `backward` adds to what is in `.grad`: clear first.",
        )

    return check


def any_loss(step, library_step, own: str):
    """The same step with another loss, and where D is so sure that a sigmoid rounds."""

    def check(answer):
        for options, words in (
            ({"loss": OTHER}, "Given the least-squares loss"),
            ({"loudness": 400.0}, "Where D's logits are in the hundreds"),
        ):
            world, wanted = World(**options), World(**options)
            found, want = step(world, answer)[0], step(wanted, library_step)[0]
            require(
                bool(torch.isfinite(found)) and close(found, want),
                f"{words}, the loss is {want:.4f}; yours is {found:.4f}. Use the `loss` that is passed: it takes logits, and nothing in it rounds to 0 or 1.",
            )
            require(
                close(weights(getattr(world, own)), weights(getattr(wanted, own))),
                f"{words}, the loss is right and the {own} moves elsewhere.",
            )

    return check


def detached(step):
    def check(answer):
        for tensor in step(World(), answer):
            require(
                not tensor.requires_grad,
                "What is returned still carries its graph: kept in a list of losses, every step's "
                "activations stay in memory. Return `loss.detach()`, and the logits likewise.",
            )

    return check


def modes_kept(step):
    def check(answer):
        world = World()
        step(world, answer)
        require(
            world.generator.training and world.discriminator.training,
            "A network was left in eval mode: BatchNorm would go on with frozen statistics in the next step.",
        )
        stuck = [
            name
            for name, network in (("generator", world.generator), ("discriminator", world.discriminator))
            if not all(p.requires_grad for p in network.parameters())
        ]
        require(
            not stuck,
            f"The {' and '.join(stuck)} was left with requires_grad False: its next step would learn nothing.",
        )

    return check


def step_behaviour(step, own: str):
    def behaviour(answer) -> list:
        world, seen = World(), []
        for _ in range(2):
            _stray_gradients(getattr(world, own))
            found = step(world, answer)
            seen += [torch.stack([t.detach().double().mean() for t in found]), *(str(t.requires_grad) for t in found)]
        for network in (world.discriminator, world.generator):
            seen += [
                weights(network),
                gradients(network) if network is world.generator or own == "discriminator" else 0.0,
            ]
        able = all(p.requires_grad for p in world.discriminator.parameters())
        asked = getattr(world, f"optimizer_{own[0]}").asked
        return [*seen, str(world.discriminator.training), str(able), " ".join(asked)]

    return behaviour


def fill_gradients(network: nn.Module, value: Tensor) -> None:
    """What zero_grad and backward leave in this network, and in no other."""
    parameters = list(network.parameters())
    for parameter, slope in zip(parameters, torch.autograd.grad(value, parameters)):
        parameter.grad = slope


def in_order(order: str, optimizer: torch.optim.Optimizer, value: Tensor) -> None:
    """The words clear, backward and update done in this order."""
    doing = {"clear": optimizer.zero_grad, "backward": value.backward, "update": optimizer.step}
    for each in order.split():
        doing[each]()


def order_mistakes(make, left_over: str) -> dict[str, WrongAnswer]:
    """What either step gets wrong about `zero_grad`, `backward`, `step`; left_over: who else may fill the gradients."""
    return {
        "gradients not cleared": WrongAnswer(make(order="backward update"), "`optimizer.zero_grad()` is missing."),
        "no update": WrongAnswer(
            make(order="clear backward"), "Gradients are computed but `optimizer.step()` is missing."
        ),
        "cleared too late": WrongAnswer(
            make(order="backward update clear"),
            f"It behaves like `zero_grad` after the update. Alone that is right; but {left_over}, and your `backward` adds to it.",
        ),
        "cleared before the update": WrongAnswer(
            make(order="backward clear update"),
            "`zero_grad` stands between `backward` and `step`: the gradients are thrown away before they are used.",
        ),
        "no backward": WrongAnswer(
            make(order="clear update"), "`backward()` is missing: the optimizer has nothing to follow."
        ),
        "updated too early": WrongAnswer(
            make(order="clear update backward"), "`step` stands before `backward`: the update comes a turn too late."
        ),
    }
