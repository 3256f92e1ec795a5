"""08.importance_weighted: from several draws to a tighter bound."""

from __future__ import annotations

import math

import torch

from course_lib import bounds
from course_lib.exercises.ch08.latents import listed, of_shape, rows, seen
from course_lib.exercises.ch08.terms import LOG2
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.exercises.slopes import follow

WEIGHTS = rows([0.0, -2.0, -4.0], [math.log(3), 1.0, -5.0])  # two draws, three images
FOUR = rows([-1.0, 0.5], [0.3, -2.0], [2.0, 0.1], [-0.4, 0.0])


def _single(answer):
    found = of_shape(answer(WEIGHTS[:1]), (3,), "one bound for each image")
    require(
        torch.allclose(found, WEIGHTS[0]),
        f"One draw is the ELBO at that draw: {listed(WEIGHTS[0])}; yours {listed(found)}.",
    )


def _same_weights(answer):
    found = of_shape(answer(torch.full((7, 2), -3.25, dtype=torch.float64)), (2,), "one bound for each image")
    require(
        torch.allclose(found, torch.full((2,), -3.25, dtype=torch.float64)),
        f"Seven equal weights of log −3.25 have the mean −3.25, however many they are; yours {listed(found)}.",
    )


def _two(answer):
    found = of_shape(answer(WEIGHTS[:, :1]), (1,), "one bound for each image").item()
    require(
        abs(found - LOG2) < 1e-6,
        f"Weights 1 and 3 have the mean 2, so the bound is log 2 = {LOG2:.4f}; yours {found:.4f}.",
    )


def _underflow(answer):
    found = of_shape(answer(torch.tensor([[-1000.0], [-1001.0]])), (1,), "one bound for each image").item()
    want = -1000 + math.log((1 + math.exp(-1)) / 2)
    require(
        abs(found - want) < 1e-3,
        f"log-weights of −1000 and −1001, as images have them: {want:.3f}; yours {found:.4g}. exp(−1000) is 0 on a computer: `torch.logsumexp`.",
    )


def _far_apart(answer):
    log_weights = torch.tensor([[-240.0, -1400.0], [-360.0, -1280.0], [-300.0, -1401.0]])
    found = of_shape(answer(log_weights), (2,), "one bound for each image")
    want = log_weights.logsumexp(0) - math.log(3)
    require(
        torch.allclose(found, want, atol=1e-2),
        f"Two images of −240 and −1280 nats, draws 120 nats apart: {listed(want)}; yours {listed(found)}. Take out the largest weight of each image, not of the batch or of the first draw.",
    )  # fmt: skip


def _slopes(answer):
    follow(answer, log_weights=FOUR)


def _order(answer):
    found, mean = of_shape(answer(FOUR), (2,), "one bound for each image"), FOUR.mean(0)
    require(
        bool((found >= mean - 1e-9).all()) and not torch.allclose(found, mean),
        f"The logarithm is concave: log of the mean is above the mean of the logarithms, {listed(mean)}; yours {listed(found)}.",
    )


importance_weighted = Exercise(
    id="08.importance_weighted",
    reference=bounds.importance_weighted,
    difficulty=2,
    minutes=6,
    properties=[
        Property("one draw is the ELBO", _single),
        Property("equal weights", _same_weights),
        Property("weights 1 and 3 by hand", _two),
        Property("weights of e⁻¹⁰⁰⁰", _underflow),
        Property("images far apart, and draws far apart", _far_apart),
        Property("slopes that are those of its values", _slopes),
        Property("never below the mean of the logarithms", _order),
    ],
    behaviour=lambda answer: [seen(answer(log_weights)) for log_weights in (WEIGHTS, FOUR, torch.tensor([[-1000.0], [-1001.0]]))],
    tolerance=(1e-5, 1e-7),
    other_forms=[
        lambda log_weights: (log_weights - log_weights.amax(0)).exp().mean(0).log() + log_weights.amax(0),
        lambda log_weights: torch.logsumexp(log_weights - math.log(log_weights.shape[0]), 0),
    ],
    wrong_answers={
        "mean of the logarithms": WrongAnswer(
            lambda log_weights: log_weights.mean(0), "It is the mean of the logarithms: the ELBO, better estimated. The logarithm comes last, and that is what tightens the bound."
        ),
        "sum for mean": WrongAnswer(
            lambda log_weights: log_weights.logsumexp(0), "It is the logarithm of the sum: log K too much, so no bound. Subtract log K."
        ),
        "exponential first": WrongAnswer(
            lambda log_weights: log_weights.exp().mean(0).log(), "exp(−1000) is 0 on a computer, and its logarithm −∞. `torch.logsumexp` takes the largest weight out first."
        ),
        "over the images": WrongAnswer(
            lambda log_weights: log_weights.logsumexp(1) - math.log(log_weights.shape[1]),
            "It averages over the images. Draws stand in rows, dim 0: the mean is over the draws of one image.",
        ),
        "the best draw": WrongAnswer(lambda log_weights: log_weights.amax(0), "It takes the best draw. Rising for ever with K, that is no bound; the mean is."),
        "no logarithm": WrongAnswer(lambda log_weights: log_weights.exp().mean(0), "It is the mean weight, an estimate of p(x) itself. Its logarithm is asked."),
        "K subtracted": WrongAnswer(
            lambda log_weights: log_weights.logsumexp(0) - len(log_weights), "It subtracts K instead of log K: a mean is a sum divided by K."
        ),
        "one number": WrongAnswer(
            lambda log_weights: (log_weights.logsumexp(0) - math.log(len(log_weights))).mean(), "It is the mean over the images. Each image has a bound of its own."
        ),
        "normalised weights": WrongAnswer(
            lambda log_weights: (log_weights.softmax(0) * log_weights).sum(0),
            "It weighs the logarithms by normalised weights. That is the gradient's weighting of this bound, not the bound.",
        ),
    },
    hints=["log of a mean of exponentials: `torch.logsumexp` over dim 0 …", "… less `math.log(K)`, K = `len(log_weights)`."],
)  # fmt: skip
