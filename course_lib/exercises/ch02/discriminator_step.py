"""02.discriminator_step: one turn of the discriminator."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from course_lib.exercises.ch02.steps import (
    LOSS,
    World,
    any_loss,
    close,
    detached,
    fill_gradients,
    gradients,
    in_order,
    logits_named,
    modes_kept,
    order_mistakes,
    starts_clean,
    step_behaviour,
    weights,
)
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.training import loop


def _d_loss_value(answer):
    world = World()
    wanted_world = World()
    want, want_real, want_fake = wanted_world.d_step(loop.discriminator_step)
    got, real_logits, fake_logits = world.d_step(answer)
    require(got.ndim == 0, f"The loss should be one number, a tensor of shape (); yours has shape {tuple(got.shape)}.")
    logits_named(real_logits, "real logits")
    logits_named(fake_logits, "fake logits")
    require(
        close(real_logits, want_real) and close(fake_logits, want_fake),
        f"The logits differ from D(real) and D(G(z)) in train mode, each in a batch of its own: mean {real_logits.mean():.3f} and "
        f"{fake_logits.mean():.3f}, expected {want_real.mean():.3f} and {want_fake.mean():.3f}.",
    )
    require(close(got, want), f"The loss should be the sum of both terms, {want:.4f} here; yours is {got:.4f}.")


def _d_learns(answer):
    world, wanted = World(), World()
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
            for w in (World(), world)
        ]
    require(
        loss[1] < loss[0],
        f"After the step the discriminator should be better: its loss went from {loss[0]:.3f} to {loss[1]:.3f}.",
    )
    require(
        close(after, want),
        f"The weights moved by {(after - before).norm():.4f}, but not where one SGD step on the loss goes.",
    )


def _g_left_alone(answer):
    world = World()
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
        in_order(order, optimizer, value)
        if keep_graph:
            return value, real_logits, fake_logits
        return value.detach(), real_logits.detach(), fake_logits.detach()

    return answer


def _d_by_hand(generator, discriminator, optimizer, real, z, loss):
    with torch.no_grad():
        fake = generator(z)
    optimizer.zero_grad()
    real_logits, fake_logits = discriminator(real), discriminator(fake)
    value = loss.discriminator(real_logits, fake_logits)
    fill_gradients(discriminator, value)
    optimizer.step()
    return value.detach(), real_logits.detach(), fake_logits.detach()


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
        Property(
            "whatever loss is passed, however sure D is",
            any_loss(World.d_step, loop.discriminator_step, "discriminator"),
        ),
        Property("the generator is left alone: no weight moves, no gradient is left in it", _g_left_alone),
        Property("what is returned carries no graph", detached(World.d_step)),
        Property("both networks are left in train mode and able to learn", modes_kept(World.d_step)),
        Property(
            "gradients left over from before do not matter",
            starts_clean(World.d_step, loop.discriminator_step, "discriminator"),
        ),
    ],
    behaviour=step_behaviour(World.d_step, "discriminator"),
    other_forms=[_d_by_hand],
    wrong_answers={
        "its own loss": WrongAnswer(
            _d_by_binary_cross_entropy,
            "It computes the cross-entropy itself, whatever `loss` was passed. Chapter 03 passes other losses: `loss.discriminator(real_logits, fake_logits)`.",
        ),
        "no detach": WrongAnswer(
            _d_answer(detach=False),
            "It behaves like `discriminator(generator(z))` without `detach`. Often "
            "said to train the generator backwards; it does not, because this optimizer holds the "
            "discriminator's weights only. What it does is pay for the generator's backward pass.",
        ),
        **order_mistakes(_d_answer, "the generator's step runs its gradient through D and may leave it there"),
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
