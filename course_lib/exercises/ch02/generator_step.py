"""02.generator_step: one turn of the generator."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from course_lib.exercises.ch02.steps import (
    World,
    any_loss,
    close,
    detached,
    fill_gradients,
    in_order,
    logits_named,
    modes_kept,
    order_mistakes,
    starts_clean,
    step_behaviour,
    weights,
)
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.losses import LOSSES
from course_lib.training import loop


def _g_loss_value(answer):
    world, wanted = World(), World()
    want, want_logits = wanted.g_step(loop.generator_step)
    got, logits = world.g_step(answer)
    logits_named(logits, "fake logits")
    require(
        close(logits, want_logits),
        f"The logits differ from D(G(z)) in train mode: mean {logits.mean():.3f}, expected {want_logits.mean():.3f}.",
    )
    require(got.ndim == 0, f"The loss should be one number, a tensor of shape (); yours has shape {tuple(got.shape)}.")
    require(
        close(got, want),
        f"The loss should be loss.generator(fake_logits) = {want:.4f} here; yours is {got:.4f}.",
    )


def _g_learns(answer):
    world, wanted = World(), World()
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
        logits = [w.discriminator(w.generator(w.z)).mean().item() for w in (World(), world)]
    require(
        logits[1] > logits[0],
        f"After the step its fakes should look more real: their mean logit went from {logits[0]:.3f} to {logits[1]:.3f}.",
    )
    require(
        close(after, want),
        f"The weights moved by {(after - before).norm():.4f}, but not where one SGD step on the loss goes.",
    )


def _d_left_alone(answer):
    world = World()
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
        in_order(order, optimizer, value)
        if train_d:
            with torch.no_grad():
                for parameter in discriminator.parameters():
                    parameter -= 0.5 * parameter.grad
        return (value, logits) if keep_graph else (value.detach(), logits.detach())

    return answer


def _g_by_hand(generator, discriminator, optimizer, z, loss):
    optimizer.zero_grad()
    logits = discriminator(generator(z))
    value = loss.generator(logits)
    fill_gradients(generator, value)
    optimizer.step()
    return value.detach(), logits.detach()


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
        Property(
            "whatever loss is passed, however sure D is", any_loss(World.g_step, loop.generator_step, "generator")
        ),
        Property("the discriminator's weights stay where they are", _d_left_alone),
        Property("what is returned carries no graph", detached(World.g_step)),
        Property("both networks are left in train mode and able to learn", modes_kept(World.g_step)),
        Property(
            "gradients left over from before do not matter",
            starts_clean(World.g_step, loop.generator_step, "generator"),
        ),
    ],
    behaviour=step_behaviour(World.g_step, "generator"),
    other_forms=[_g_by_hand],
    wrong_answers={
        "its own loss": WrongAnswer(
            _g_plain,
            "It computes the cross-entropy itself, whatever `loss` was passed. Chapter 03 passes other losses: `loss.generator(fake_logits)`.",
        ),
        "detached fakes": WrongAnswer(
            _g_answer(detach=True),
            "The fakes are detached: right in D's step, but here the gradient has to "
            "travel through D's input back into the generator.",
        ),
        **order_mistakes(_g_answer, "a discriminator's step without `detach` leaves gradients in G"),
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
