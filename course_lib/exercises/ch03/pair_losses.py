"""03.wasserstein, 03.least_squares and 03.hinge: three pairs of losses, for the critic and for the generator."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from course_lib import losses
from course_lib.exercises.ch03.pairs import (
    COMMON_HINT,
    behaviour,
    both,
    hinge,
    least_squares,
    means,
    pair,
    pulls,
    values,
    wasserstein,
)
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require

PAIR_BY_PAIR = (
    "It adds the real images' terms to the fakes' before the mean. With equally many that is the same number; with 3 real images and 2 fakes it stops. "
    "A mean for each kind, then their sum."
)
W_D, W_G = losses.wasserstein_discriminator, losses.wasserstein_generator


def _only_differences(answer):
    real, fake = torch.tensor([2.0, -0.5, 0.3]), torch.tensor([-1.5, 0.4])
    one, other = (pair(answer, real + shift, fake + shift)[0].item() for shift in (0.0, 100.0))
    require(
        abs(one - other) < 1e-3,
        f"100 more on every score says nothing new about real and fake, yet the critic's loss goes from {one:.4g} to {other:.4g}. It is the *difference* of two means.",
    )


wasserstein_exercise = Exercise(
    id="03.wasserstein",
    reference=wasserstein,
    difficulty=1,
    minutes=5,
    solution_also=[W_D, W_G],
    properties=[
        Property(
            "a case by hand",
            values((-4.0, 1.0), [3.0, 5.0, 1.0], [-1.0], "the real mean is 3, the fake one −1, and both players minimise"),
        ),
        Property("the critic is paid for the difference alone", _only_differences),
        Property(
            "constant slopes: nobody is ever satisfied",
            pulls(
                ([-0.5, -0.5], [0.5, 0.5], [-0.5, -0.5]),
                [50.0, -50.0],
                [-30.0, 90.0],
                "real scores up, fake ones down, and the generator its own up, as hard for a logit of 90 as for one of −50",
            ),
        ),
        Property("a mean for each kind", means),
    ],
    behaviour=behaviour,
    other_forms=[
        lambda real_logits, fake_logits: ((real_logits * -1).mean() + (fake_logits * 1).mean(), (fake_logits * -1).mean()),
        lambda real_logits, fake_logits: (
            fake_logits.sum() / len(fake_logits) - real_logits.sum() / len(real_logits),
            -fake_logits.sum() / len(fake_logits),
        ),
    ],
    wrong_answers={
        "labels 1 and 0": WrongAnswer(
            lambda real_logits, fake_logits: ((real_logits * 1).mean() + (fake_logits * 0).mean(), (fake_logits * 1).mean()),
            "It behaves like mean(y_pred·y_true) with the labels 1 and 0, a helper that is handed around: the 0 wipes the fakes out of the critic's loss, and minimising the rest "
            "pushes the *real* scores down. That helper needs the labels −1 and +1.",
        ),
        "critic upside down": WrongAnswer(
            both(lambda real, fake: real.mean() - fake.mean(), W_G),
            "The critic's loss has the other sign: E D(x) − E D(G(z)) is what it *maximises*. Here everybody minimises.",
        ),
        "generator upside down": WrongAnswer(
            both(W_D, lambda fake: fake.mean()), "The generator minimises E D(G(z)): it learns to be scored low. It wants its samples scored *high*."
        ),
        "both upside down": WrongAnswer(
            both(lambda real, fake: real.mean() - fake.mean(), lambda fake: fake.mean()),
            "Both signs are turned: low scores would mean real. The two would play the same game mirrored, but the critic's claim, minus its loss, would be negative.",
        ),
        "swapped": WrongAnswer(
            lambda real_logits, fake_logits: (W_G(fake_logits), W_D(real_logits, fake_logits)), "Both are right, in the other order: the critic's first."
        ),
        "zero-sum": WrongAnswer(
            lambda real_logits, fake_logits: (W_D(real_logits, fake_logits), -W_D(real_logits, fake_logits)),
            "The generator's loss is minus the critic's. The slopes on its fakes are the right ones; the mean over the real scores is a constant to it that nobody needs. −E D(G(z)).",
        ),
        "with sigmoids": WrongAnswer(
            lambda real_logits, fake_logits: wasserstein(real_logits.sigmoid(), fake_logits.sigmoid()),
            "It behaves like a sigmoid in front: the slopes die where the critic is sure, which is what this loss was made to avoid. The scores are taken as they are.",
        ),
        "absolute value": WrongAnswer(
            both(lambda real, fake: -(real.mean() - fake.mean()).abs(), W_G),
            "It behaves like −|E D(x) − E D(G(z))|: a critic that scores fakes above real images would be praised for it. No absolute value.",
        ),
        "halved": WrongAnswer(
            both(lambda real, fake: W_D(real, fake) / 2, W_G), "It is the mean of the two terms; their sum is meant. Half of W₁ would be claimed at best."
        ),
        "sums": WrongAnswer(
            both(lambda real, fake: fake.sum() - real.sum(), lambda fake: -fake.sum()),
            "They behave like sums over the batch: the slopes grow with the batch size, and with unequal numbers the two sides do not balance.",
        ),
        "pair by pair": WrongAnswer(
            lambda real_logits, fake_logits: ((fake_logits - real_logits).mean(), W_G(fake_logits)),
            "It pairs real logits with fake ones. With 3 real images and 2 fakes that stops. Two means, one difference.",
        ),
        "cross-entropy": WrongAnswer(
            both(losses.cross_entropy_discriminator, losses.non_saturating_generator),
            "It behaves like the cross-entropy of chapter 01. A WGAN's critic has no probabilities: its loss is a difference of two means.",
        ),
    },
    hints=[
        "The critic maximises E D(x) − E D(G(z)), the generator E D(G(z)). Both *minimise* here, so turn the signs.",
        COMMON_HINT + " `fake_logits.mean() - real_logits.mean()`, and `-fake_logits.mean()`.",
    ],
)  # fmt: skip


L_D, L_G = losses.least_squares_discriminator, losses.least_squares_generator


def _targets(real_to, fake_to, generator_to, half=0.5):
    def losses_for(real_logits, fake_logits):
        critic = half * (real_logits - real_to).square().mean() + half * (fake_logits - fake_to).square().mean()
        return critic, half * (fake_logits - generator_to).square().mean()

    return losses_for


least_squares_exercise = Exercise(
    id="03.least_squares",
    reference=least_squares,
    difficulty=1,
    minutes=5,
    solution_also=[L_D, L_G],
    properties=[
        Property("nothing to pay where real images score 1 and fakes 0", values((0.0, 0.5), [1.0, 1.0], [0.0], "the critic has what it wants; the generator, which wants 1, is off by 1")),
        Property("a case by hand", values((3.5, 2.0), [3.0, 1.0], [3.0, -1.0], "½·(4 + 0)/2 for the real ones and ½·(9 + 1)/2 for the fakes; for the generator ½·(4 + 4)/2")),
        Property(
            "slopes grow with the distance from the target, on both sides",
            pulls(
                ([1.0, -0.5], [-2.0, 1.5], [-2.5, 1.0]),
                [3.0, 0.0],
                [-4.0, 3.0],
                "each logit is pulled to its target, also one that lies beyond it",
            ),
        ),
        Property("a mean for each kind", means),
    ],
    behaviour=behaviour,
    other_forms=[
        lambda real_logits, fake_logits: (
            F.mse_loss(real_logits, torch.ones_like(real_logits)) / 2 + F.mse_loss(fake_logits, torch.zeros_like(fake_logits)) / 2,
            F.mse_loss(fake_logits, torch.ones_like(fake_logits)) / 2,
        ),
        lambda real_logits, fake_logits: (
            ((real_logits**2 - 2 * real_logits + 1).mean() + (fake_logits**2).mean()) / 2,
            (fake_logits**2 - 2 * fake_logits + 1).mean() / 2,
        ),
    ],
    wrong_answers={
        "without the halves": WrongAnswer(
            _targets(1, 0, 1, half=1.0), "The halves are missing. Only the scale changes, and with it the learning rate: but a curve must be known to be compared."
        ),
        "targets −1 and 1": WrongAnswer(
            _targets(1, -1, 1), "The fakes' target behaves like −1. That is another choice of the paper's constants; here fakes are scored 0."
        ),
        "generator wants 0": WrongAnswer(
            _targets(1, 0, 0), "The generator's target behaves like 0, the critic's label for fakes: it learns to be caught. It wants 1."
        ),
        "generator stops half-way": WrongAnswer(
            _targets(1, 0, 0.5), "The generator's target behaves like ½, the score of a critic that cannot decide. Here it aims at 1, the score of real images."
        ),
        "labels flipped": WrongAnswer(_targets(0, 1, 0), "Real and fake have changed their targets. Real images are scored 1, fakes 0."),
        "with sigmoids": WrongAnswer(
            lambda real_logits, fake_logits: least_squares(real_logits.sigmoid(), fake_logits.sigmoid()),
            "It behaves like squares of *probabilities*: the sigmoid's slope dies where the critic is sure, and the squares cannot bring it back. The logits are regressed as they are.",
        ),
        "absolute values": WrongAnswer(
            lambda real_logits, fake_logits: (
                0.5 * (real_logits - 1).abs().mean() + 0.5 * fake_logits.abs().mean(),
                0.5 * (fake_logits - 1).abs().mean(),
            ),
            "It behaves like absolute differences: a slope of ½ at any distance. Squares pull harder the further off a logit is.",
        ),
        "one-sided": WrongAnswer(
            lambda real_logits, fake_logits: (
                0.5 * F.relu(1 - real_logits).square().mean() + 0.5 * F.relu(fake_logits).square().mean(),
                0.5 * F.relu(1 - fake_logits).square().mean(),
            ),
            "Logits beyond their target cost nothing: a squared hinge. Here they are pulled back: that is this loss's own mark.",
        ),
        "squared mean": WrongAnswer(
            lambda real_logits, fake_logits: (
                0.5 * (real_logits.mean() - 1).square() + 0.5 * fake_logits.mean().square(),
                0.5 * (fake_logits.mean() - 1).square(),
            ),
            "It squares the *mean* logit's difference: one at 6 and one at −4 would count as two at 1. Square each, then take the mean.",
        ),
        "sums": WrongAnswer(
            lambda real_logits, fake_logits: (
                0.5 * (real_logits - 1).square().sum() + 0.5 * fake_logits.square().sum(),
                0.5 * (fake_logits - 1).square().sum(),
            ),
            "They behave like sums over the batch: the slopes would grow with the batch size.",
        ),
        "pair by pair": WrongAnswer(
            both(lambda real, fake: 0.5 * ((real - 1).square() + fake.square()).mean(), L_G), PAIR_BY_PAIR
        ),
        "swapped": WrongAnswer(
            lambda real_logits, fake_logits: least_squares(real_logits, fake_logits)[::-1], "Both are right, in the other order: the critic's first."
        ),
    },
    hints=[
        "Ordinary regression: real logits to 1, fake ones to 0; the generator wants its fakes at 1. Half the mean square each.",
        COMMON_HINT + " `0.5 * (real_logits - 1).square().mean() + 0.5 * fake_logits.square().mean()`.",
    ],
)  # fmt: skip


H_D, H_G = losses.hinge_discriminator, losses.hinge_generator


hinge_exercise = Exercise(
    id="03.hinge",
    reference=hinge,
    difficulty=1,
    minutes=5,
    solution_also=[H_D, W_G],
    properties=[
        Property("2 for the critic where every logit is 0", values((2.0, 0.0), [0.0, 0.0], [0.0], "each kind is 1 short of its margin")),
        Property("a case by hand", values((2.25, -1.0), [3.0, 0.5], [3.0, -1.0], "(0 + ½)/2 for the real ones, (4 + 0)/2 for the fakes; the generator has minus the fakes' mean")),
        Property(
            "beyond the margin the critic has nothing to learn, and the generator goes on",
            pulls(
                ([0.0, -0.5], [0.0, 0.5], [-0.5, -0.5]),
                [1.5, 0.5],
                [-1.5, 0.5],
                "a real logit above 1 and a fake one below −1 have no slope; the generator's slope is the same everywhere",
            ),
        ),
        Property("a mean for each kind", means),
    ],
    behaviour=behaviour,
    other_forms=[
        lambda real_logits, fake_logits: (
            (1 - real_logits).clamp(min=0).mean() + (1 + fake_logits).clamp(min=0).mean(),
            -fake_logits.mean(),
        ),
        lambda real_logits, fake_logits: (
            -torch.minimum(real_logits - 1, torch.zeros_like(real_logits)).mean()
            - torch.minimum(-fake_logits - 1, torch.zeros_like(fake_logits)).mean(),
            -fake_logits.mean(),
        ),
    ],
    wrong_answers={
        "Wasserstein": WrongAnswer(
            wasserstein, "It behaves like the Wasserstein pair: the critic's loss has no margin and no end. max(0, ·) is what makes the hinge."
        ),
        "hinge for the generator too": WrongAnswer(
            both(H_D, lambda fake: F.relu(1 - fake).mean()),
            "The generator has a hinge as well: it stops at a logit of 1. The hinge is the critic's; the generator has −E D(G(z)).",
        ),
        "no margin": WrongAnswer(
            both(lambda real, fake: F.relu(-real).mean() + F.relu(fake).mean(), W_G),
            "It behaves like max(0, −D(x)) + max(0, D(G(z))): the margin of 1 is missing, and a critic that says 0 to everything pays nothing.",
        ),
        "margin of the difference": WrongAnswer(
            both(lambda real, fake: F.relu(1 - (real.mean() - fake.mean())), W_G),
            "The hinge is taken of the difference of the means: one good logit then pays for a bad one. Each logit has its own margin.",
        ),
        "hinge of the mean": WrongAnswer(
            both(lambda real, fake: F.relu(1 - real.mean()) + F.relu(1 + fake.mean()), W_G),
            "It is the hinge of the *mean* logit. Take max(0, ·) of each logit, then the mean.",
        ),
        "signs of the margin": WrongAnswer(
            both(lambda real, fake: F.relu(1 + real).mean() + F.relu(1 - fake).mean(), W_G),
            "Both margins are on the wrong side: real images are pushed below −1 and fakes above 1.",
        ),
        "maximised": WrongAnswer(
            both(lambda real, fake: -H_D(real, fake), W_G),
            "The critic's loss has the other sign. Papers write the hinge as min(0, −1 + D(x)), which is *maximised*; here everybody minimises.",
        ),
        "smooth": WrongAnswer(
            both(lambda real, fake: F.softplus(1 - real).mean() + F.softplus(1 + fake).mean(), W_G),
            "It behaves like softplus, a hinge with a rounded corner: beyond the margin a slope is left. `F.relu` has none.",
        ),
        "squared": WrongAnswer(
            both(lambda real, fake: F.relu(1 - real).square().mean() + F.relu(1 + fake).square().mean(), W_G),
            "The hinges are squared: their slope fades towards the margin. A plain max(0, ·) has the slope 1 up to it.",
        ),
        "generator upside down": WrongAnswer(
            both(H_D, lambda fake: fake.mean()), "The generator minimises E D(G(z)): it learns to be scored low. It wants its samples scored *high*."
        ),
        "halved": WrongAnswer(both(lambda real, fake: H_D(real, fake) / 2, W_G), "It is the mean of the two terms; their sum is meant: 2 where every logit is 0."),
        "sums": WrongAnswer(
            both(lambda real, fake: F.relu(1 - real).sum() + F.relu(1 + fake).sum(), lambda fake: -fake.sum()),
            "They behave like sums over the batch: the slopes would grow with the batch size.",
        ),
        "pair by pair": WrongAnswer(both(lambda real, fake: (F.relu(1 - real) + F.relu(1 + fake)).mean(), W_G), PAIR_BY_PAIR),
        "swapped": WrongAnswer(
            lambda real_logits, fake_logits: hinge(real_logits, fake_logits)[::-1], "Both are right, in the other order: the critic's first."
        ),
    },
    hints=[
        "A real logit of 1 or more costs the critic nothing, one of 0.5 costs 0.5; for fakes the same around −1. `F.relu(a)` is max(0, a).",
        COMMON_HINT + " The generator's loss has no hinge: `-fake_logits.mean()`.",
    ],
)  # fmt: skip
