"""HYPE: how long people must look, and how often they are wrong, before they tell generated images from real ones.

Zhou et al. 2019 (arXiv:1904.01121v4). Two scores: HYPE-time, the exposure that an adaptive staircase settles on, and
HYPE-infinity, the share of wrong answers without a limit of time. An `Observer` whose threshold is known stands in
for a person wherever the estimators are tested.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from course_lib.runtime import keyed_generator

SLOPES = (0.15, 0.25, 0.4, 0.6, 0.9)  # of the observers that are tried, in natural logarithms of exposure
BLIND = (0.02, 0.08, 0.2)  # and their shares of images that are never told apart


# ---------------------------------------------------------------- without a limit of time


class HypeInfinity(NamedTuple):
    share: float  # of wrong answers, on real and generated images together; 1/2 where nobody can tell
    low: float
    high: float


def hype_infinity(
    wrong: Tensor, draws: int = 1000, level: float = 0.95, generator: torch.Generator | None = None
) -> HypeInfinity:
    """The share of wrong answers, with a bootstrap interval over whoever or whatever was drawn at random: the rows.

    Zhou et al. 2019 (arXiv:1904.01121v4): rows are people, redrawn with all of their answers, because answers of one
    person resemble each other. For one person alone give a column, (N, 1): then images are redrawn, and the interval
    speaks of other images and not of other people. Percentile interval: Efron 1979.

    wrong:  (rows, answers) of bool, half of the images real
    raises: ValueError if it is empty or not a bool table, draws < 1 or level not between 0 and 1
    """
    if wrong.ndim != 2 or wrong.dtype != torch.bool or wrong.numel() == 0:
        raise ValueError(
            f"wrong: expected (rows, answers) of bool with at least one answer, got {tuple(wrong.shape)} {wrong.dtype}"
        )
    if draws < 1 or not 0 < level < 1:
        raise ValueError(f"draws, level: expected at least 1 and between 0 and 1, got {draws} and {level}")
    by_row = wrong.double().mean(1)
    drawn = torch.randint(len(by_row), (draws, len(by_row)), generator=generator)
    tails = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64)
    low, high = torch.quantile(by_row[drawn].mean(1), tails)
    return HypeInfinity(by_row.mean().item(), low.item(), high.item())


# ---------------------------------------------------------------- an observer whose threshold is known


@dataclass(frozen=True)
class Observer:
    """Somebody who is right with probability ½ + ½·(1 − blind)·σ(log(ms / threshold_ms) / slope).

    threshold_ms: the exposure at which ¾ of the answers are right, where blind = 0
    slope:        how gently the curve rises, in natural logarithms of exposure
    blind:        share of images on which they only ever guess; HYPE-infinity is then blind/2
    raises:       ValueError unless threshold and slope are above 0 and blind is from 0 to 1
    """

    threshold_ms: float
    slope: float = 0.25
    blind: float = 0.04

    def __post_init__(self):
        for name in ("threshold_ms", "slope"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name}: expected more than 0, got {getattr(self, name)}")
        if not 0 <= self.blind <= 1:
            raise ValueError(f"blind: expected 0 to 1, got {self.blind}")

    def right(self, ms: Tensor | float) -> Tensor:
        """Probability of a right answer after an exposure; math.inf for as long as one likes."""
        ms = torch.as_tensor(ms, dtype=torch.float64)
        seen = ((ms.log() - math.log(self.threshold_ms)) / self.slope).sigmoid()
        return 0.5 + 0.5 * (1 - self.blind) * seen

    def exposure_for(self, share: float = 0.75) -> float:
        """The exposure after which that share of answers is right, in ms; math.inf if it never is. share: above ½, below 1"""
        if not 0.5 < share < 1:
            raise ValueError(f"share: expected between 0.5 and 1, got {share}")
        seen = (2 * share - 1) / (1 - self.blind) if self.blind < 1 else math.inf
        return self.threshold_ms * (seen / (1 - seen)) ** self.slope if seen < 1 else math.inf

    def answer(self, ms: Tensor | float, generator: torch.Generator | None = None) -> Tensor:
        """Whether an answer is right, drawn at random. Same shape as `ms`, bool"""
        probability = self.right(ms)
        return torch.rand(probability.shape, generator=generator, dtype=torch.float64) < probability


# ---------------------------------------------------------------- the staircase


@dataclass(frozen=True)
class Rule:
    """A weighted staircase on the logarithm of exposure (Kaernbach 1991): after a right answer one step shorter, after a
    wrong one three steps longer, so that it rests where three of four answers are right. Steps are twice as large
    until the first wrong answer.

    start_ms, shortest_ms, longest_ms: exposures;  step: factor of one step, above 1;  trials: answers in a run
    """

    start_ms: float = 500.0
    shortest_ms: float = 1000 / 60  # one frame of the commonest screen
    longest_ms: float = 1000.0
    step: float = 2**0.25
    longer: int = 3
    trials: int = 60

    def __post_init__(self):
        if not 0 < self.shortest_ms <= self.start_ms <= self.longest_ms < math.inf:
            raise ValueError(
                "shortest_ms, start_ms, longest_ms: expected 0 < shortest ≤ start ≤ longest, got "
                f"{self.shortest_ms}, {self.start_ms}, {self.longest_ms}"
            )
        if not self.step > 1 or self.longer < 1 or self.trials < 10:
            raise ValueError(
                "step, longer, trials: expected more than 1, at least 1 and at least 10, got "
                f"{self.step}, {self.longer}, {self.trials}"
            )

    def next(self, ms: Tensor, right: Tensor, settled: Tensor) -> Tensor:
        """The next exposure. ms: this one;  right: whether the answer was;  settled: whether any answer was wrong so far"""
        shorter = torch.where(settled, 1 / self.step, 1 / self.step**2)
        moved = ms * torch.where(right, shorter, self.step**self.longer)
        return moved.clamp(self.shortest_ms, self.longest_ms)


@dataclass
class Staircase:
    """One run of one person: ask for `.exposure_ms`, then report the answer and how long the image was really shown."""

    rule: Rule = Rule()
    shown_ms: list[float] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)

    def __post_init__(self):
        self.exposure_ms = self.rule.start_ms

    @property
    def finished(self) -> bool:
        return len(self.right) >= self.rule.trials

    def report(self, right: bool, shown_ms: float) -> None:
        """raises: ValueError if the image was shown for no time, or the run is over"""
        if not 0 < shown_ms < math.inf:
            raise ValueError(f"shown_ms: expected more than 0, got {shown_ms}")
        if self.finished:
            raise ValueError(f"right: expected {self.rule.trials} answers, got one more")
        self.shown_ms.append(float(shown_ms))
        self.right.append(bool(right))
        ms, was = torch.tensor(self.exposure_ms, dtype=torch.float64), torch.tensor(self.right)
        self.exposure_ms = self.rule.next(ms, was[-1], (~was).any()).item()


def simulate(
    observer: Observer, rule: Rule = Rule(), runs: int = 1, *, frame_ms: float = 1000 / 60, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """`runs` staircases of an observer at a screen with that frame. → (shown ms, right), each (runs, trials)"""
    if runs < 1 or not 0 < frame_ms < math.inf:
        raise ValueError(f"runs, frame_ms: expected at least 1 and more than 0, got {runs} and {frame_ms}")
    draw = keyed_generator("cpu", seed, "staircase")
    ms = torch.full((runs,), rule.start_ms, dtype=torch.float64)
    settled = torch.zeros(runs, dtype=torch.bool)
    shown, answers = [], []
    for _ in range(rule.trials):
        shown.append((ms / frame_ms).round().clamp(min=1) * frame_ms)  # a screen shows whole frames
        answers.append(observer.answer(shown[-1], draw))
        settled = settled | ~answers[-1]
        ms = rule.next(ms, answers[-1], settled)
    return torch.stack(shown, 1), torch.stack(answers, 1)


# ---------------------------------------------------------------- what a staircase has found


class HypeTime(NamedTuple):
    ms: float  # the exposure that the staircase settled on: geometric mean after the way down
    low: float  # of a 95 % interval, see hype_time
    high: float
    modal_ms: float  # the most frequent exposure, the paper's score: noisier
    bound: str | None  # "shortest" or "longest" if it ended up against that one: then the time is only a bound


def hype_time(shown_ms: Sequence[float] | Tensor, right: Sequence[bool] | Tensor, rule: Rule = Rule()) -> HypeTime:
    """HYPE-time of one run: the exposure after which three of four answers are right.

    The first answers, up to the first wrong one, are the way to the threshold and do not count: at least a quarter and
    at most a half of all. The interval comes from the likelihood of all answers under each observer of a grid (thresholds,
    slopes, shares of images that are never told apart), with equal weights: adaptive exposures do not disturb it.

    shown_ms, right: as a staircase with this rule collected them, at least 10 of each
    raises:          ValueError if there are fewer, their numbers differ, or an exposure is not above 0
    """
    shown, right = torch.as_tensor(shown_ms, dtype=torch.float64), torch.as_tensor(right, dtype=torch.bool)
    if shown.ndim != 1 or shown.shape != right.shape or len(shown) < 10:
        raise ValueError(
            "shown_ms, right: expected at least 10 exposures and as many answers, got "
            f"{tuple(shown.shape)} and {tuple(right.shape)}"
        )
    if not ((shown > 0) & torch.isfinite(shown)).all():
        raise ValueError(f"shown_ms: expected more than 0 each, got {shown.min().item()}")
    centre, modal = settled_on(shown[None], right[None])
    low, high = _interval(shown, right)
    ms, bound = centre.item(), None
    if ms >= 0.8 * rule.longest_ms or low >= 0.5 * rule.longest_ms:
        bound = "longest"
    elif ms <= 1.5 * rule.shortest_ms:
        bound = "shortest"
    return HypeTime(ms, min(low, ms), max(high, ms), modal.item(), bound)


def settled_on(shown: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    """Geometric mean and most frequent exposure of each run after its way down. (runs, trials) twice → (runs,) twice"""
    trials = right.shape[1]
    first_wrong = torch.where((~right).any(1), (~right).double().argmax(1) + 1, trials)
    way = first_wrong.clamp(min=trials // 4, max=trials // 2)
    counts = torch.arange(trials) >= way[:, None]
    mean = ((shown.log() * counts).sum(1) / counts.sum(1)).exp()
    return mean, torch.stack([row[kept].mode().values for row, kept in zip((shown * 10).round() / 10, counts)])


def _interval(shown: Tensor, right: Tensor) -> tuple[float, float]:
    """Between which exposures the middle 95 % of the likelihood of the ¾-right exposure lie."""
    levels, which = shown.unique(return_inverse=True)
    asked = torch.bincount(which).double()
    hits = torch.zeros_like(asked).index_add_(0, which, right.double())
    thresholds = torch.logspace(math.log10(5), math.log10(3000), 120, dtype=torch.float64).log()[:, None, None]
    slopes, blind = torch.tensor(SLOPES, dtype=torch.float64)[:, None], torch.tensor(BLIND, dtype=torch.float64)
    seen = ((levels.log() - thresholds[..., None]) / slopes[..., None]).sigmoid()
    probability = 0.5 + 0.5 * (1 - blind[:, None]) * seen
    likelihood = (hits * probability.log() + (asked - hits) * (1 - probability).log()).sum(-1).flatten()
    exposure, order = (thresholds + slopes * torch.logit(0.5 / (1 - blind))).flatten().sort()
    weight = (likelihood - likelihood.max()).exp()[order].cumsum(0)
    ends = torch.searchsorted(weight / weight[-1], torch.tensor([0.025, 0.975], dtype=torch.float64))
    low, high = exposure[ends].exp().tolist()
    return low, high
