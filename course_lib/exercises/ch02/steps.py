"""02.discriminator_step and 02.generator_step: one turn of the game."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.losses import LOSSES
from course_lib.training import loop

LOSS = LOSSES["non_saturating"]


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


class _World:
    """Two tiny networks with BatchNorm (so that joint batches show), plain SGD, and fixed data."""

    def __init__(self, seed=0):
        torch.manual_seed(seed)
        self.generator, self.discriminator = _TinyGenerator(), _TinyDiscriminator()
        with torch.no_grad():
            self.discriminator.layers[3].weight.mul_(4)
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
        found = answer(self.generator, self.discriminator, self.optimizer_d, self.real, self.z, LOSS)
        require(
            isinstance(found, (tuple, list)) and len(found) == 3 and all(isinstance(t, torch.Tensor) for t in found),
            f"Expected three tensors (the loss, real logits, fake logits), got {_described(found)}.",
        )
        return found

    def g_step(self, answer):
        found = answer(self.generator, self.discriminator, self.optimizer_g, self.z, LOSS)
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


def _logits_named(logits: torch.Tensor, name: str) -> None:
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


def _d_loss_value(answer):
    world = _World()
    wanted_world = _World()
    want, want_real, want_fake = wanted_world.d_step(loop.discriminator_step)
    got, real_logits, fake_logits = world.d_step(answer)
    require(got.ndim == 0, f"The loss should be one number, a tensor of shape (); yours has shape {tuple(got.shape)}.")
    _logits_named(real_logits, "real logits")
    _logits_named(fake_logits, "fake logits")
    require(
        close(real_logits, want_real) and close(fake_logits, want_fake),
        f"The logits differ from D(real) and D(G(z)) in train mode, each in a batch of its own: mean {real_logits.mean():.3f} and "
        f"{fake_logits.mean():.3f}, expected {want_real.mean():.3f} and {want_fake.mean():.3f}.",
    )
    require(close(got, want), f"The loss should be the sum of both terms, {want:.4f} here; yours is {got:.4f}.")


def _d_learns(answer):
    world, wanted = _World(), _World()
    before = weights(world.discriminator)
    world.d_step(answer)
    wanted.d_step(loop.discriminator_step)
    after, want = weights(world.discriminator), weights(wanted.discriminator)
    require(
        not torch.equal(before, after),
        "The discriminator's weights did not move: is there a backward and an optimizer step?",
    )
    with torch.no_grad():
        loss = [
            LOSS.discriminator(w.discriminator(w.real), w.discriminator(w.generator(w.z))).item()
            for w in (_World(), world)
        ]
    require(
        loss[1] < loss[0],
        f"After the step the discriminator should be better: its loss went from {loss[0]:.3f} to {loss[1]:.3f}.",
    )
    require(
        close(after, want),
        f"The weights moved by {(after - before).norm():.4f}, but not where one SGD step on the loss goes.",
    )


def _starts_clean(step, library_step, own: str):
    other = "generator" if own == "discriminator" else "discriminator"

    def check(answer):
        world, wanted = _World(), _World()
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


def _g_left_alone(answer):
    world = _World()
    before = weights(world.generator)
    world.d_step(answer)
    require(
        torch.equal(before, weights(world.generator)), "The generator's weights changed in the discriminator's step."
    )
    left = gradients(world.generator)
    require(
        left == 0,
        f"Gradients of total size {left:.3f} were left in the generator. Nothing breaks as long as its own step clears "
        "them first, but the backward pass went through the whole generator for nothing, and in a loop that "
        "forgets to clear them the generator would learn to be caught. Cut the graph: `detach` or `no_grad`.",
    )


def _detached(step):
    def check(answer):
        for tensor in step(_World(), answer):
            require(
                not tensor.requires_grad,
                "What is returned still carries its graph: kept in a list of losses, every step's "
                "activations stay in memory. Return `loss.detach()`, and the logits likewise.",
            )

    return check


def _modes_kept(step):
    def check(answer):
        world = _World()
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


def _step_behaviour(step, own: str):
    def behaviour(answer) -> list:
        world, seen = _World(), []
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


def _order_mistakes(make, left_over: str) -> dict[str, WrongAnswer]:
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


def _d_answer(
    *,
    detach=True,
    joint=False,
    order="clear backward update",
    swapped=False,
    halved=False,
    sigmoid=False,
    real_only=False,
    eval_mode=False,
    keep_graph=False,
):
    """A family of discriminator steps, each with one thing done otherwise."""

    def answer(generator, discriminator, optimizer, real, z, loss):
        fake = generator(z)
        if detach:
            fake = fake.detach()
        if eval_mode:
            discriminator.eval()
        if joint:
            real_logits, fake_logits = discriminator(torch.cat([real, fake])).split(len(real))
        else:
            real_logits, fake_logits = discriminator(real), discriminator(fake)
        if sigmoid:
            value = loss.discriminator(real_logits.sigmoid(), fake_logits.sigmoid())
        elif swapped:
            value = loss.discriminator(fake_logits, real_logits)
        elif real_only:
            value = F.softplus(-real_logits).mean()
        else:
            value = loss.discriminator(real_logits, fake_logits)
        value = value / 2 if halved else value
        doing = {"clear": optimizer.zero_grad, "backward": value.backward, "update": optimizer.step}
        for each in order.split():
            doing[each]()
        if keep_graph:
            return value, real_logits, fake_logits
        return value.detach(), real_logits.detach(), fake_logits.detach()

    return answer


def _d_by_binary_cross_entropy(generator, discriminator, optimizer, real, z, loss):
    optimizer.zero_grad()
    fake = generator(z).detach()
    real_logits = discriminator(real)
    on_real = F.binary_cross_entropy_with_logits(real_logits, torch.ones_like(real_logits))
    on_real.backward()  # two backward passes add up to that of the sum
    fake_logits = discriminator(fake)
    on_fake = F.binary_cross_entropy_with_logits(fake_logits, torch.zeros_like(fake_logits))
    on_fake.backward()
    optimizer.step()
    return (on_real + on_fake).detach(), real_logits.detach(), fake_logits.detach()


discriminator_step = Exercise(
    id="02.discriminator_step",
    reference=loop.discriminator_step,
    difficulty=2,
    minutes=12,
    properties=[
        Property("the loss is the sum over both batches, the logits are D's own", _d_loss_value),
        Property("one optimizer step that makes the discriminator better", _d_learns),
        Property("the generator is left alone: no weight moves, no gradient is left in it", _g_left_alone),
        Property("what is returned carries no graph", _detached(_World.d_step)),
        Property("both networks are left in train mode and able to learn", _modes_kept(_World.d_step)),
        Property(
            "gradients left over from before do not matter",
            _starts_clean(_World.d_step, loop.discriminator_step, "discriminator"),
        ),
    ],
    behaviour=_step_behaviour(_World.d_step, "discriminator"),
    other_forms=[_d_by_binary_cross_entropy],
    wrong_answers={
        "no detach": WrongAnswer(
            _d_answer(detach=False),
            "It behaves like `discriminator(generator(z))` without `detach`. Often "
            "said to train the generator backwards; it does not, because this optimizer holds the "
            "discriminator's weights only. What it does is pay for the generator's backward pass.",
        ),
        **_order_mistakes(_d_answer, "the generator's step runs its gradient through D and may leave it there"),
        "labels swapped": WrongAnswer(
            _d_answer(swapped=True), "Real and fake are swapped in the loss: it learns to call the fakes real."
        ),
        "mean of both terms": WrongAnswer(
            _d_answer(halved=True),
            "It behaves like the mean of both terms, (real + fake)/2: the game's "
            "value is their sum, log 4 = 1.386 where nothing can be told apart. Half of it is half "
            "the gradient, and a curve that cannot be compared.",
        ),
        "sigmoid twice": WrongAnswer(
            _d_answer(sigmoid=True),
            "It behaves like a sigmoid in front of a loss that takes logits: then no "
            "«logit» leaves (0, 1), and the loss can never fall below 1.006.",
        ),
        "real images only": WrongAnswer(
            _d_answer(real_only=True), "Only the real images are in the loss: «everything is real» solves it."
        ),
        "one joint batch": WrongAnswer(
            _d_answer(joint=True),
            "Real and fake went through D in one batch: BatchNorm then normalises with "
            "statistics of both together. Neither way is a law (the chapter shows what it changes); here each has its own.",
        ),
        "eval mode": WrongAnswer(
            _d_answer(eval_mode=True),
            "The discriminator was put into eval mode and left there: BatchNorm then uses "
            "running statistics instead of the batch's.",
        ),
        "graph returned": WrongAnswer(
            _d_answer(keep_graph=True), "All right but for the return: `detach` what leaves the function."
        ),
    },
    hints=[
        "Five things in order: fakes, logits, loss, gradients, update. Which of them must not reach the generator?",
        "`loss.discriminator(real_logits, fake_logits)` is the whole objective; `zero_grad`, `backward`, `step` are the rest.",
    ],
)


def _g_loss_value(answer):
    world, wanted = _World(), _World()
    want, want_logits = wanted.g_step(loop.generator_step)
    got, logits = world.g_step(answer)
    _logits_named(logits, "fake logits")
    require(
        close(logits, want_logits),
        f"The logits differ from D(G(z)) in train mode: mean {logits.mean():.3f}, expected {want_logits.mean():.3f}.",
    )
    require(
        got.ndim == 0 and close(got, want),
        f"The loss should be loss.generator(fake_logits) = {want:.4f} here; yours is {got.mean():.4f}.",
    )


def _g_learns(answer):
    world, wanted = _World(), _World()
    before = weights(world.generator)
    world.g_step(answer)
    wanted.g_step(loop.generator_step)
    after, want = weights(world.generator), weights(wanted.generator)
    require(
        not torch.equal(before, after),
        "The generator's weights did not move. Is there a backward and an optimizer step, and does "
        "the gradient reach the generator?",
    )
    with torch.no_grad():
        logits = [w.discriminator(w.generator(w.z)).mean().item() for w in (_World(), world)]
    require(
        logits[1] > logits[0],
        f"After the step its fakes should look more real: their mean logit went from {logits[0]:.3f} to {logits[1]:.3f}.",
    )
    require(
        close(after, want),
        f"The weights moved by {(after - before).norm():.4f}, but not where one SGD step on the loss goes.",
    )


def _d_left_alone(answer):
    world = _World()
    before = weights(world.discriminator)
    world.g_step(answer)
    require(
        torch.equal(before, weights(world.discriminator)),
        "The discriminator's weights changed in the generator's step.",
    )


def _g_answer(
    *,
    detach=False,
    order="clear backward update",
    fool=True,
    saturating=False,
    train_d=False,
    stay_frozen=False,
    eval_mode=False,
    keep_graph=False,
    sigmoid=False,
):
    """A family of generator steps, each with one thing done otherwise."""

    def answer(generator, discriminator, optimizer, z, loss):
        if stay_frozen:
            discriminator.requires_grad_(False)
        if eval_mode:
            discriminator.eval()
        fake = generator(z)
        if detach:
            fake = fake.detach()
        logits = discriminator(fake)
        if saturating:
            value = LOSSES["saturating"].generator(logits)
        elif sigmoid:
            value = loss.generator(logits.sigmoid())
        elif fool:
            value = loss.generator(logits)
        else:
            value = F.softplus(logits).mean()
        doing = {"clear": optimizer.zero_grad, "backward": value.backward, "update": optimizer.step}
        for each in order.split():
            doing[each]()
        if train_d:
            with torch.no_grad():
                for parameter in discriminator.parameters():
                    parameter -= 0.5 * parameter.grad
        return (value, logits) if keep_graph else (value.detach(), logits.detach())

    return answer


def _g_plain(generator, discriminator, optimizer, z, loss):
    logits = discriminator(generator(z))
    value = F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))
    optimizer.zero_grad()
    value.backward()
    optimizer.step()
    return value.detach(), logits.detach()


generator_step = Exercise(
    id="02.generator_step",
    reference=loop.generator_step,
    difficulty=2,
    minutes=8,
    solution_also=[loop.frozen],
    properties=[
        Property("the loss is that of the fakes' logits", _g_loss_value),
        Property("one optimizer step after which the fakes look more real to D", _g_learns),
        Property("the discriminator's weights stay where they are", _d_left_alone),
        Property("what is returned carries no graph", _detached(_World.g_step)),
        Property("both networks are left in train mode and able to learn", _modes_kept(_World.g_step)),
        Property(
            "gradients left over from before do not matter",
            _starts_clean(_World.g_step, loop.generator_step, "generator"),
        ),
    ],
    behaviour=_step_behaviour(_World.g_step, "generator"),
    other_forms=[_g_plain],
    wrong_answers={
        "detached fakes": WrongAnswer(
            _g_answer(detach=True),
            "The fakes are detached: right in D's step, but here the gradient has to "
            "travel through D's input back into the generator.",
        ),
        **_order_mistakes(_g_answer, "a discriminator's step without `detach` leaves gradients in G"),
        "helps the discriminator": WrongAnswer(
            _g_answer(fool=False),
            "It behaves like minimising −log(1 − D(G(z))): D's own goal, so the generator learns to be caught.",
        ),
        "saturating loss": WrongAnswer(
            _g_answer(saturating=True),
            "It behaves like the saturating loss log(1 − D(G(z))), whatever `loss` was "
            "passed: where D is sure of a fake its slope is nearly 0. Use `loss.generator`.",
        ),
        "sigmoid twice": WrongAnswer(
            _g_answer(sigmoid=True), "It behaves like a sigmoid in front of a loss that takes logits."
        ),
        "trains both": WrongAnswer(
            _g_answer(train_d=True), "The discriminator was updated too, and towards being fooled: that ends the game."
        ),
        "D left frozen": WrongAnswer(
            _g_answer(stay_frozen=True),
            "`requires_grad_(False)` on D saves work, but it has to be undone: "
            "otherwise D's next step finds nothing to learn.",
        ),
        "eval mode": WrongAnswer(_g_answer(eval_mode=True), "The discriminator was put into eval mode and left there."),
        "graph returned": WrongAnswer(
            _g_answer(keep_graph=True), "All right but for the return: `detach` what leaves the function."
        ),
    },
    hints=[
        "No real images here, and no `detach`: which way does the gradient have to travel?",
        "`loss.generator(discriminator(generator(z)))`, then `zero_grad`, `backward`, `step` of the *generator's* optimizer.",
    ],
)
