"""05.entropy, 05.cross_entropy, 05.kl_divergence: surprise, one's own and that of somebody who expected otherwise."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib import metrics
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require

LOG2 = math.log(2)


def cross_entropy(p: Tensor, q: Tensor) -> Tensor:
    """H(p, q) = −Σ p log q, with 0 log 0 = 0 and infinite where p > 0 = q. p, q: (..., K) probabilities → (...)"""
    return -torch.special.xlogy(p, q).sum(-1)


def row(*values: float) -> Tensor:
    """Probabilities in float64."""
    return torch.tensor(values, dtype=torch.float64)


def of_shape(found, shape: tuple[int, ...], what: str) -> Tensor:
    """`found` as a tensor of this shape, or a sentence that says what came instead."""
    require(isinstance(found, Tensor), f"Expected {what} as a tensor, got {type(found).__name__}.")
    require(
        found.shape == shape,
        f"Expected {what} of shape {shape}, one number for each distribution, got {tuple(found.shape)}.",
    )
    return found


def seen(found):
    """What `engine.same` can compare: tensors as they are, anything else by the name of its type."""
    return found if isinstance(found, Tensor) else type(found).__name__


P, Q = row(0.7, 0.2, 0.1), row(0.1, 0.3, 0.6)
ROWS = torch.stack([P, Q, row(1, 0, 0)]), torch.stack([Q, P, row(0.25, 0.5, 0.25)])  # (3, 3) each


# ---------------------------------------------------------------- entropy


def _certain(answer):
    found = of_shape(answer(row(0, 1, 0, 0)), (), "the entropy").item()
    require(
        abs(found) < 1e-12,
        f"An outcome that is certain surprises nobody: entropy 0; yours gives {found:.4g}."
        + (
            " 0·log 0 is NaN on a computer: `torch.special.xlogy(p, p)` makes it 0."
            if math.isnan(found)
            else " Is there an ε in the logarithm?"
        ),
    )


def _even(answer):
    for outcomes in (2, 10):
        found = of_shape(answer(torch.full((outcomes,), 1 / outcomes).double()), (), "the entropy").item()
        require(
            abs(found - math.log(outcomes)) < 1e-6,
            f"{outcomes} equally likely outcomes have entropy log {outcomes} = {math.log(outcomes):.4f} nats; yours gives {found:.4f}.",
        )


def _entropy_by_hand(answer):
    found = of_shape(answer(row(0.5, 0.25, 0.25)), (), "the entropy").item()
    require(
        abs(found - 1.5 * LOG2) < 1e-9,
        f"(½, ¼, ¼): half of the time a surprise of log 2, half of the time log 4, on average {1.5 * LOG2:.4f}; yours gives {found:.4f}.",
    )


def _rare(answer):
    rare = 1e-9
    want = -(rare * math.log(rare) + (1 - rare) * math.log1p(-rare))
    found = of_shape(answer(row(1 - rare, rare)), (), "the entropy").item()
    require(
        abs(found - want) < 1e-9,
        f"An outcome of probability 10⁻⁹ beside a nearly certain one: entropy {want:.3g}; yours gives {found:.3g}. Is there an ε or a clamp in the logarithm?",
    )


def _entropy_of_rows(answer):
    found = of_shape(answer(ROWS[0]), (3,), "the entropies")
    want = metrics.entropy(ROWS[0])
    require(
        torch.allclose(found, want, atol=1e-9),
        f"Three distributions, one a row, have the entropies {[round(v, 3) for v in want.tolist()]}; yours {[round(v, 3) for v in found.tolist()]}.",
    )


entropy = Exercise(
    id="05.entropy",
    reference=metrics.entropy,
    difficulty=1,
    minutes=5,
    properties=[
        Property("0 for a certain outcome, zeros included", _certain),
        Property("log K for K equally likely outcomes", _even),
        Property("a case by hand, (½, ¼, ¼)", _entropy_by_hand),
        Property("a rare outcome keeps its surprise", _rare),
        Property("one number for each row of a batch", _entropy_of_rows),
    ],
    behaviour=lambda answer: [seen(answer(p)) for p in (row(0.5, 0.25, 0.25), row(0, 1, 0), ROWS[0])],
    tolerance=(1e-6, 1e-9),
    other_forms=[
        lambda p: torch.special.entr(p).sum(-1),
        lambda p: -(p * p.clamp(min=1e-300).log()).sum(-1),
    ],
    wrong_answers={
        "without its sign": WrongAnswer(
            lambda p: torch.special.xlogy(p, p).sum(-1),
            "It behaves like Σ p log p, which is never positive: surprise is minus the logarithm of a probability.",
        ),
        "0 log 0": WrongAnswer(
            lambda p: -(p * p.log()).sum(-1), "It behaves like p·log p taken literally: 0·(−∞) is NaN on a computer. `torch.special.xlogy(p, p)` makes it 0."
        ),
        "bits": WrongAnswer(
            lambda p: metrics.entropy(p) / LOG2, "It behaves like bits, with log₂: a coin has 1 bit. Here: nats, log 2 = 0.693."
        ),
        "mean for sum": WrongAnswer(
            lambda p: torch.special.entr(p).mean(-1),
            "It behaves like the mean over the outcomes: each surprise is weighted by its p already, so the terms are summed.",
        ),
        "surprises unweighted": WrongAnswer(
            lambda p: -p.clamp(min=1e-12).log().mean(-1),
            "It behaves like the plain average of −log p over the outcomes: rare ones count as much as common ones. The weights are p.",
        ),
        "the whole batch": WrongAnswer(
            lambda p: torch.special.entr(p).sum(), "It sums over all rows. Each row is a distribution of its own: sum over the last dimension, `sum(-1)`."
        ),
        "share of the largest": WrongAnswer(
            lambda p: metrics.entropy(p) / math.log(p.shape[-1]),
            "It behaves like H/log K, which makes 1 the largest value of every K. Here the largest value is log K: that is where IS ≤ K comes from.",
        ),
        "collision": WrongAnswer(
            lambda p: 1 - p.square().sum(-1), "It behaves like 1 − Σ p², the probability that two draws differ (Gini's index). Entropy is −Σ p log p."
        ),
    },
    hints=["The surprise at an outcome of probability p is −log p; entropy is its mean under p.", "`torch.special.xlogy(p, p)` is p·log p with 0·log 0 = 0."],
)  # fmt: skip


# ---------------------------------------------------------------- cross-entropy


def _own_expectation(answer):
    found = of_shape(answer(P, P.clone()), (), "the cross-entropy").item()
    want = metrics.entropy(P).item()
    require(
        abs(found - want) < 1e-9,
        f"Who expects what comes is surprised by H(p) = {want:.4f} and no more; yours gives {found:.4f}.",
    )


def _cross_by_hand(answer):
    found = of_shape(answer(row(1, 0), row(0.25, 0.75)), (), "the cross-entropy").item()
    require(
        abs(found - 2 * LOG2) < 1e-9,
        f"The first outcome always comes and was given ¼: a surprise of log 4 = {2 * LOG2:.4f}; yours gives {found:.4f}.",
    )


def _identity(answer):
    found = of_shape(answer(P, Q), (), "the cross-entropy").item()
    h, extra = metrics.entropy(P).item(), metrics.kl_divergence(P, Q).item()
    require(
        abs(found - h - extra) < 1e-9,
        f"For p = (0.7, 0.2, 0.1) and q = (0.1, 0.3, 0.6), H(p) = {h:.4f} and KL(p‖q) = {extra:.4f}, together {h + extra:.4f}; yours gives {found:.4f}.",
    )


def _impossible(answer):
    found = of_shape(answer(row(0.999, 0.001), row(1, 0)), (), "the cross-entropy").item()
    require(
        found == math.inf,
        f"What q calls impossible comes once in a thousand times: infinite surprise. Yours gives {found:.4g}. Is there an ε or a clamp?",
    )


def _never_comes(answer):
    found = of_shape(answer(row(1, 0), row(1, 0)), (), "the cross-entropy").item()
    require(
        found == 0,
        f"What never comes cannot surprise: 0·log 0 counts as 0; yours gives {found:.4g}. `torch.special.xlogy(p, q)` knows that.",
    )


def _cross_of_rows(answer):
    found = of_shape(answer(*ROWS), (3,), "the cross-entropies")
    want = cross_entropy(*ROWS)
    require(
        torch.allclose(found, want, atol=1e-9),
        f"Row by row {[round(v, 3) for v in want.tolist()]}; yours {[round(v, 3) for v in found.tolist()]}.",
    )


cross_entropy_exercise = Exercise(
    id="05.cross_entropy",
    reference=cross_entropy,
    difficulty=1,
    minutes=5,
    properties=[
        Property("a case by hand, (1, 0) against (¼, ¾)", _cross_by_hand),
        Property("H(p, p) = H(p)", _own_expectation),
        Property("H(p, q) = H(p) + KL(p‖q)", _identity),
        Property("infinite where q rules out what comes", _impossible),
        Property("0·log 0 counts as 0", _never_comes),
        Property("one number for each row of a batch", _cross_of_rows),
    ],
    behaviour=lambda answer: [seen(answer(*pair)) for pair in ((P, Q), (row(0.999, 0.001), row(1, 0)), (row(1, 0), row(1, 0)), ROWS)],
    tolerance=(1e-6, 1e-9),
    other_forms=[
        lambda p, q: metrics.entropy(p) + metrics.kl_divergence(p, q),
        lambda p, q: -torch.where(p > 0, p * q.log(), torch.zeros_like(p)).sum(-1),
    ],
    wrong_answers={
        "the other way round": WrongAnswer(
            lambda p, q: cross_entropy(q, p), "It behaves like −Σ q log p. What comes is weighted (p), what was expected is inside the logarithm (q)."
        ),
        "relative": WrongAnswer(
            metrics.kl_divergence, "It behaves like KL(p‖q), 0 at q = p. Cross-entropy is H(p) more: the surprise that nobody is spared."
        ),
        "without its sign": WrongAnswer(
            lambda p, q: torch.special.xlogy(p, q).sum(-1), "It behaves like Σ p log q, the mean log-likelihood. Cross-entropy is minus that."
        ),
        "0 log 0": WrongAnswer(lambda p, q: -(p * q.log()).sum(-1), "It behaves like p·log q taken literally: 0·(−∞) is NaN. `torch.special.xlogy(p, q)` makes it 0."),
        "epsilon": WrongAnswer(
            lambda p, q: -(p * (q + 1e-8).log()).sum(-1),
            "An ε stands inside the logarithm: a model that ruled out what happened then pays 18 nats at most, instead of everything.",
        ),
        "bits": WrongAnswer(lambda p, q: cross_entropy(p, q) / LOG2, "It behaves like bits. Here: nats."),
        "mean for sum": WrongAnswer(
            lambda p, q: -torch.special.xlogy(p, q).mean(-1), "It behaves like the mean over the outcomes: p weights them already, so the terms are summed."
        ),
        "q as logits": WrongAnswer(
            lambda p, q: -(p * q.log_softmax(-1)).sum(-1), "q goes through a softmax first, as in `F.cross_entropy`, which takes logits. Here q is a distribution already."
        ),
    },
    hints=["Outcome i comes with probability pᵢ and then surprises by −log qᵢ.", "`-torch.special.xlogy(p, q).sum(-1)`: 0·log 0 is 0, and p·log 0 is −∞."],
)  # fmt: skip


# ---------------------------------------------------------------- Kullback-Leibler


def _equal(answer):
    found = of_shape(answer(P, P.clone()), (), "the divergence").item()
    require(abs(found) < 1e-12, f"KL(p‖p) = 0; yours gives {found:.4g}.")


def _kl_by_hand(answer):
    found = of_shape(answer(row(1, 0), row(0.5, 0.5)), (), "the divergence").item()
    require(
        abs(found - LOG2) < 1e-9,
        f"(1, 0) against (½, ½): expected with ½, came for certain, log 2 = 0.6931; yours gives {found:.4f}."
        + (" The term with p = 0 is 0, also with a logarithm of 0 in it." if math.isnan(found) else ""),
    )


def _direction(answer):
    want = metrics.kl_divergence(P, Q).item(), metrics.kl_divergence(Q, P).item()
    found = answer(P, Q).item(), answer(Q, P).item()
    require(
        all(abs(a - b) < 1e-9 for a, b in zip(found, want)),
        f"For p = (0.7, 0.2, 0.1) and q = (0.1, 0.3, 0.6), KL(p‖q) = {want[0]:.4f} and KL(q‖p) = {want[1]:.4f}; yours {found[0]:.4f} and {found[1]:.4f}.",
    )


def _kl_impossible(answer):
    found = of_shape(answer(row(0.999, 0.001), row(1, 0)), (), "the divergence").item()
    require(
        found == math.inf,
        f"q rules out what p does once in a thousand times: KL(p‖q) = ∞; yours gives {found:.4g}. Is there an ε or a clamp?",
    )


def _neither(answer):
    found = of_shape(answer(row(1, 0, 0), row(0.5, 0.5, 0)), (), "the divergence").item()
    require(
        abs(found - LOG2) < 1e-9,
        f"(1, 0, 0) against (½, ½, 0): what neither has adds nothing, so log 2 = 0.6931; yours gives {found:.4f}."
        + (" 0/0 and 0·(−∞) are NaN: take the two logarithms apart, each under `xlogy`." if math.isnan(found) else ""),
    )


def _kl_of_rows(answer):
    found = of_shape(answer(*ROWS), (3,), "the divergences")
    want = metrics.kl_divergence(*ROWS)
    require(
        torch.allclose(found, want, atol=1e-9),
        f"Row by row {[round(v, 3) for v in want.tolist()]}; yours {[round(v, 3) for v in found.tolist()]}.",
    )


def _torch_default(p, q):
    return F.kl_div(q.log(), p, reduction="none").mean()  # what reduction="mean" does, which is the default


kl = Exercise(
    id="05.kl_divergence",
    reference=metrics.kl_divergence,
    difficulty=2,
    minutes=7,
    properties=[
        Property("0 between a distribution and itself", _equal),
        Property("a case by hand, (1, 0) against (½, ½)", _kl_by_hand),
        Property("both directions, which differ", _direction),
        Property("infinite where q rules out what p does", _kl_impossible),
        Property("nothing where neither has anything", _neither),
        Property("one number for each row of a batch", _kl_of_rows),
    ],
    behaviour=lambda answer: [seen(answer(*pair)) for pair in ((P, Q), (row(1, 0), row(0.5, 0.5)), (row(0.999, 0.001), row(1, 0)), ROWS)],
    tolerance=(1e-6, 1e-9),
    other_forms=[
        lambda p, q: cross_entropy(p, q) - metrics.entropy(p),
        lambda p, q: F.kl_div(q.log(), p, reduction="none").masked_fill(p == 0, 0).sum(-1),
    ],
    wrong_answers={
        "the other way round": WrongAnswer(
            lambda p, q: metrics.kl_divergence(q, p), "It behaves like KL(q‖p). The first one is what comes and weights the terms; the second is what was expected."
        ),
        "terms without a sum": WrongAnswer(
            lambda p, q: torch.special.xlogy(p, p) - torch.special.xlogy(p, q),
            "It returns p·log(p/q) for each outcome, as a much-copied formula has it. Single terms can be negative and mean nothing; KL is their sum.",
        ),
        "0 log 0": WrongAnswer(
            lambda p, q: (p * (p / q).log()).sum(-1), "It behaves like p·log(p/q) taken literally: 0·(−∞) is NaN. `torch.special.xlogy(p, ·)` makes it 0."
        ),
        "epsilon": WrongAnswer(
            lambda p, q: (p * ((p + 1e-8) / (q + 1e-8)).log()).sum(-1), "An ε stands inside the logarithm: KL is infinite where q = 0 < p, and yours has an end."
        ),
        "mean for sum": WrongAnswer(
            _torch_default, "It behaves like `F.kl_div` with its default reduction: the mean over all entries, K times too small. Sum over the outcomes."
        ),
        "arguments of kl_div": WrongAnswer(
            lambda p, q: F.kl_div(p.log(), q, reduction="sum"),
            "It behaves like `F.kl_div(p.log(), q)`, which is KL(q‖p): PyTorch's function takes the logarithm of what was expected first, then what comes, and sums a batch into one number.",
        ),
        "symmetrised": WrongAnswer(
            lambda p, q: (metrics.kl_divergence(p, q) + metrics.kl_divergence(q, p)) / 2,
            "It behaves like the mean of both directions (Jeffreys, halved). KL is not symmetric, and the difference is this chapter's subject.",
        ),
        "absolute": WrongAnswer(
            lambda p, q: (torch.special.xlogy(p, p) - torch.special.xlogy(p, q)).abs().sum(-1),
            "It adds absolute values. Some terms are negative; the sum never is.",
        ),
        "cross-entropy": WrongAnswer(cross_entropy, "It behaves like −Σ p log q, H(p) too much: at q = p it is not 0."),
        "bits": WrongAnswer(lambda p, q: metrics.kl_divergence(p, q) / LOG2, "It behaves like bits. Here: nats."),
    },
    hints=[
        "KL(p‖q) = Σ p log p − Σ p log q: cross-entropy minus entropy. You have both.",
        "`torch.special.xlogy(p, ·)` in both sums, so that 0·log 0 = 0.",
    ],
    solution_also=[metrics.entropy],
)  # fmt: skip
