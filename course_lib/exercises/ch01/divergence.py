"""01.js_divergence: what the game measures."""

from __future__ import annotations

import math

import torch

from course_lib import metrics
from course_lib.exercises.ch01.game import LOG2, LOG4
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.exercises.given_back import scalar


def _double(*values):
    return torch.tensor(values, dtype=torch.float64)


def _disjoint(answer):
    found = scalar(answer(_double(0.5, 0.5, 0, 0), _double(0, 0, 0.25, 0.75)), "the divergence", torch.float64).item()
    require(
        abs(found - LOG2) < 1e-9,
        f"Two distributions that share nothing are log 2 = 0.6931 apart; yours gives {found:.4f}."
        + (
            " Where p = 0 the term is 0: `torch.special.xlogy` knows that, 0·log 0 does not."
            if math.isnan(found)
            else ""
        ),
    )


def _equal(answer):
    p = _double(0.1, 0.2, 0.7)
    found = scalar(answer(p, p.clone()), "the divergence", torch.float64).item()
    require(abs(found) < 1e-12, f"A distribution is 0 away from itself; yours gives {found:.4g}.")


def _closed_form(answer):
    found = scalar(answer(_double(1, 0), _double(0.5, 0.5)), "the divergence", torch.float64).item()
    want = 0.5 * math.log(4 / 3) + 0.5 * (0.5 * math.log(2 / 3) + 0.5 * LOG2)
    require(
        abs(found - want) < 1e-9, f"For (1, 0) and (½, ½), m is (¾, ¼) and JSD is {want:.4f}; yours gives {found:.4f}."
    )


def _symmetric(answer):
    p, q = _double(0.7, 0.2, 0.1), _double(0.1, 0.3, 0.6)
    one, other = answer(p, q).item(), answer(q, p).item()
    require(abs(one - other) < 1e-12, f"JSD(p, q) = JSD(q, p); yours gives {one:.4f} and {other:.4f}.")


def _nobody_there(answer):
    found = answer(_double(0.5, 0.5, 0, 0), _double(1, 0, 0, 0)).item()
    want = metrics.js_divergence(_double(0.5, 0.5), _double(1, 0)).item()
    require(
        abs(found - want) < 1e-9,
        f"Outcomes that neither distribution ever has change nothing: {want:.4f}; yours gives {found:.4f}. There p, q and m are all 0, and so is p·log p − p·log m, but p/m is not a number.",
    )


def _many_bins(answer):
    draw = torch.Generator().manual_seed(4)
    p, q = torch.softmax(3 * torch.randn(2, 20_000, generator=draw, dtype=torch.float64), 1)
    found, want = answer(p, q).item(), metrics.js_divergence(p, q).item()
    require(
        abs(found - want) < 1e-11,
        f"For 20,000 outcomes, most of them rare, it is {want:.12f}; yours gives {found:.12f}. An ε beside small probabilities is as large as they are.",
    )


def _jsd_of_means(p, q):
    m = (p + q) / 2
    return metrics.entropy(m) - (metrics.entropy(p) + metrics.entropy(q)) / 2


def _jsd_naive(p, q):
    m = (p + q) / 2
    return 0.5 * (p * (p / m).log()).sum() + 0.5 * (q * (q / m).log()).sum()


def _jsd_by_the_game(p, q):
    d = torch.where(p + q > 0, p / (p + q), 0.5)  # where nothing ever is, nobody asks
    return (torch.special.xlogy(p, d).sum() + torch.special.xlogy(q, 1 - d).sum() + LOG4) / 2


def _jsd_geometric(p, q):
    m = (p * q).sqrt()
    return (_kl_to(p, m) + _kl_to(q, m)) / 2


jsd = Exercise(
    id="01.js_divergence",
    reference=metrics.js_divergence,
    difficulty=2,
    minutes=8,
    properties=[
        Property("0 between a distribution and itself", _equal),
        Property("a case by hand, (1, 0) against (½, ½)", _closed_form),
        Property("two distributions that share nothing", _disjoint),
        Property("outcomes that neither of them has", _nobody_there),
        Property("many rare outcomes", _many_bins),
        Property("the same both ways round", _symmetric),
    ],
    behaviour=lambda answer: [
        answer(_double(0.7, 0.2, 0.1), _double(0.1, 0.3, 0.6)),
        answer(_double(0.5, 0.5, 0, 0), _double(0, 0, 0.25, 0.75)),
    ],
    tolerance=(1e-6, 1e-9),
    other_forms=[_jsd_of_means, _jsd_by_the_game],
    solution_also=[metrics.kl_divergence],
    wrong_answers={
        "0 log 0": WrongAnswer(
            _jsd_naive, "It behaves like p·log(p/m) taken literally: 0·log 0 is NaN on a computer. `torch.special.xlogy(p, p)` is 0 there, and so is `xlogy(p, m)`; p/m may be 0/0."
        ),
        "twice": WrongAnswer(
            lambda p, q: 2 * metrics.js_divergence(p, q),
            "It behaves like KL(p‖m) + KL(q‖m), without the two halves: 2·JSD, which is what V measures, plus log 4.",
        ),
        "mean of the two KLs": WrongAnswer(
            lambda p, q: (metrics.kl_divergence(p, q) + metrics.kl_divergence(q, p)) / 2,
            "It behaves like ½KL(p‖q) + ½KL(q‖p), Jeffreys' divergence (halved): infinite where one of them is 0. JSD compares both with their mean m.",
        ),
        "one side": WrongAnswer(
            lambda p, q: metrics.kl_divergence(p, (p + q) / 2),
            "It behaves like KL(p‖m) alone: not symmetric. q's half is missing.",
        ),
        "base 2": WrongAnswer(lambda p, q: metrics.js_divergence(p, q) / LOG2, "It behaves like bits, with 1 as the largest value. Here: nats, log 2 = 0.693."),
        "the root": WrongAnswer(
            lambda p, q: metrics.js_divergence(p, q).clamp(min=0).sqrt(),
            "It behaves like the square root: the Jensen-Shannon *distance*, which SciPy computes under a similar name.",
        ),
        "sum for mean": WrongAnswer(
            lambda p, q: (_kl_to(p, p + q) + _kl_to(q, p + q)) / 2,
            "m behaves like p + q: it then sums to 2 and is no distribution. m = (p + q)/2.",
        ),
        "geometric mean": WrongAnswer(_jsd_geometric, "m behaves like √(pq): infinite where they do not overlap. The mean in m is the arithmetic one."),
    },
    hints=[
        "m = (p + q)/2, then half of KL(p‖m) and half of KL(q‖m).",
        "KL(p‖m) = Σ p log p − Σ p log m, each with `torch.special.xlogy`, so that 0·log 0 = 0.",
    ],
)  # fmt: skip


def _kl_to(p, m):
    return (torch.special.xlogy(p, p) - torch.special.xlogy(p, m)).sum()
