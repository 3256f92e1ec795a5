"""07.prd_from_histograms: precision and recall as a curve."""

from __future__ import annotations

import math

import torch

from course_lib import metrics
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.metrics.prd import PRDCurve

MARGIN = 1e-10


def _shares(*values) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


REAL, FAKE = _shares(0.5, 0.3, 0.2, 0.0), _shares(0.1, 0.3, 0.2, 0.4)


def slopes(angles: int) -> torch.Tensor:
    """tan of equally spaced angles strictly between 0 and π/2, as a column."""
    return torch.linspace(MARGIN, math.pi / 2 - MARGIN, angles, dtype=torch.float64).tan()[:, None]


def _curve(found, angles: int) -> tuple[torch.Tensor, torch.Tensor]:
    require(
        isinstance(found, tuple | list) and len(found) >= 2,
        f"Expected precision and recall along the curve, two tensors; got {type(found).__name__}.",
    )
    for each in found[:2]:
        require(
            isinstance(each, torch.Tensor) and tuple(each.shape) == (angles,),
            f"Expected one precision and one recall for each of {angles} angles; yours: "
            f"{tuple(each.shape) if isinstance(each, torch.Tensor) else type(each).__name__}.",
        )
        require(
            not each.isnan().any(),
            f"Yours holds NaN at {int(each.isnan().sum())} of {angles} angles. At the angle 0, λ is 0, and an empty cell of the fakes is 0/0: "
            "stay strictly between 0 and π/2.",
        )
    return found[0].double(), found[1].double()


def _equal_histograms(answer):
    precision, recall = _curve(answer(real=REAL.clone(), fake=REAL.clone(), angles=101), 101)
    at = precision[50].item(), recall[50].item()
    require(
        max(abs(value - 1) for value in at) < 1e-9,
        f"Equal histograms: the middle of the curve (45 degrees, λ = 1) is precision 1, recall 1; yours {at[0]:.3f} and {at[1]:.3f}.",
    )


def _middle(answer):
    precision, recall = _curve(answer(real=REAL.clone(), fake=FAKE.clone(), angles=101), 101)
    require(
        abs(precision[50].item() - 0.6) < 1e-9 and abs(recall[50].item() - 0.6) < 1e-9,
        "real (0.5, 0.3, 0.2, 0), fake (0.1, 0.3, 0.2, 0.4): at 45 degrees both are Σ min(real, fake) = 0.6, the shared mass; "
        f"yours {precision[50]:.3f} and {recall[50]:.3f}.",
    )


def _ends(answer):
    real, fake = _shares(0.6, 0.4, 0.0), _shares(0.5, 0.0, 0.5)  # 40 % of the data missed, half of the fakes astray
    precision, recall = _curve(answer(real=real, fake=fake, angles=1001), 1001)
    best = precision.max().item(), recall.max().item()
    require(
        abs(best[0] - 0.5) < 1e-6 and abs(best[1] - 0.6) < 1e-6,
        f"Half of the fakes lie where no real image is, and 40 % of the real images where no fake is: the curve ends at precision 0.5 and at recall 0.6; yours at {best[0]:.3f} and {best[1]:.3f}.",
    )


def _steep_side(answer):
    precision, recall = _curve(answer(real=REAL.clone(), fake=FAKE.clone(), angles=101), 101)
    require(
        precision[75] > recall[75] and precision[25] < recall[25],
        f"At a steep angle (large λ) the point lies on the side of precision; yours has precision {precision[75]:.3f} and recall {recall[75]:.3f} there.",
    )


def _between(answer):
    for real, fake in ((REAL, FAKE), (_shares(1.0, 0.0), _shares(0.5, 0.5))):
        precision, recall = _curve(answer(real=real.clone(), fake=fake.clone(), angles=1001), 1001)
        for name, values in (("precision", precision), ("recall", recall)):
            require(
                bool((values >= 0).all() and (values <= 1 + 1e-9).all() and torch.isfinite(values).all()),
                f"Every {name} lies between 0 and 1; yours runs from {values.min():.3g} to {values.max():.3g}.",
            )


def _ray(answer):
    precision, recall = _curve(answer(real=REAL.clone(), fake=FAKE.clone(), angles=101), 101)
    want = math.tan(math.pi / 2 * 0.75)
    found = (precision[75] / recall[75]).item()
    require(
        abs(found - want) < 1e-3,
        f"The points lie on rays: at angle {67.5} degrees precision is tan(67.5°) = {want:.3f} times recall; yours {found:.3f} times. "
        "Angles are equally spaced from 0 to π/2, and λ is their tangent.",
    )


def _behaviour(answer) -> list:
    first = answer(real=REAL.clone(), fake=FAKE.clone(), angles=21)
    second = answer(real=_shares(0.6, 0.4, 0.0), fake=_shares(0.5, 0.0, 0.5), angles=21)
    return [part for found in (first, second) for part in found[:2]]


def _both(precision, recall):
    return precision.clamp(0, 1), recall.clamp(0, 1)


def _by_the_slope(*, real, fake, angles=1001):
    lam = slopes(angles)
    precision = torch.minimum(lam * real, fake).sum(1)
    return _both(precision, precision / lam[:, 0])


def _by_a_loop(*, real, fake, angles=1001):
    precision, recall = [], []
    for lam in slopes(angles)[:, 0]:
        precision.append(sum(min(float(lam * p), float(q)) for p, q in zip(real, fake)))
        recall.append(sum(min(float(p), float(q / lam)) for p, q in zip(real, fake)))
    return _both(torch.tensor(precision, dtype=torch.float64), torch.tensor(recall, dtype=torch.float64))


def _swapped(*, real, fake, angles=1001):
    lam = slopes(angles)
    return _both(torch.minimum(real, fake / lam).sum(1), torch.minimum(lam * real, fake).sum(1))


def _no_slope_in_recall(*, real, fake, angles=1001):
    precision = torch.minimum(slopes(angles) * real, fake).sum(1)
    return _both(precision, precision)


def _maximum(*, real, fake, angles=1001):
    lam = slopes(angles)
    return _both(torch.maximum(lam * real, fake).sum(1), torch.maximum(real, fake / lam).sum(1))


def _lambda_on_fake(*, real, fake, angles=1001):
    lam = slopes(angles)
    return _both(torch.minimum(real, lam * fake).sum(1), torch.minimum(real / lam, fake).sum(1))


def _angles_for_slopes(*, real, fake, angles=1001):
    lam = torch.linspace(MARGIN, math.pi / 2 - MARGIN, angles, dtype=torch.float64)[:, None]
    return _both(torch.minimum(lam * real, fake).sum(1), torch.minimum(real, fake / lam).sum(1))


def _angles_from_0(*, real, fake, angles=1001):
    lam = torch.linspace(0, math.pi / 2, angles, dtype=torch.float64).tan()[:, None]
    return _both(torch.minimum(lam * real, fake).sum(1), torch.minimum(real, fake / lam).sum(1))


def _means(*, real, fake, angles=1001):
    lam = slopes(angles)
    return torch.minimum(lam * real, fake).mean(1), torch.minimum(real, fake / lam).mean(1)


def _of_the_sums(*, real, fake, angles=1001):
    lam = slopes(angles)[:, 0]
    return torch.minimum(lam * real.sum(), fake.sum()), torch.minimum(real.sum(), fake.sum() / lam)


prd = Exercise(
    id="07.prd_from_histograms",
    reference=metrics.prd_from_histograms,
    difficulty=2,
    minutes=10,
    properties=[
        Property("equal histograms pass through (1, 1)", _equal_histograms),
        Property("at 45 degrees both are the shared mass", _middle),
        Property("the ends: how many fakes are on the data, how much of the data is reached", _ends),
        Property("steep angles belong to precision", _steep_side),
        Property("points on rays, at equally spaced angles", _ray),
        Property("never outside [0, 1]", _between),
    ],
    behaviour=_behaviour,
    tolerance=(1e-6, 1e-6),
    other_forms=[_by_the_slope, _by_a_loop],
    solution_also=[PRDCurve],
    wrong_answers={
        "swapped": WrongAnswer(
            _swapped, "The two curves are exchanged: Σ min(λ·real, fake) is a share of the *fakes*, so it is precision."
        ),
        "no slope in recall": WrongAnswer(
            _no_slope_in_recall, "Its recall equals its precision. Recall is Σ min(real, fake/λ): precision divided by λ."
        ),
        "maximum": WrongAnswer(_maximum, "It takes the larger of the two masses. What both can account for is the smaller."),
        "the slope on the fakes": WrongAnswer(
            _lambda_on_fake, "λ multiplies the fakes: the curve runs the other way round, and steep angles favour recall. λ scales the real histogram."
        ),
        "angles for slopes": WrongAnswer(
            _angles_for_slopes, "It uses the angles themselves as slopes, so λ ends at 1.57 and the side of precision is never reached. λ = tan θ."
        ),
        "angles from 0": WrongAnswer(
            _angles_from_0, "Its first angle is 0, so λ = 0 and fake/λ divides by 0. The curve is open at both ends: begin at 1e-10 and stop as much before π/2."
        ),
        "means": WrongAnswer(_means, "It averages over the cells. Masses are added: a finer histogram must not make the numbers smaller."),
        "of the sums": WrongAnswer(
            _of_the_sums, "It adds up before it compares, and then every pair of histograms is alike. Compare cell by cell, then add."
        ),
    },
    hints=[
        "λ as a column, `torch.linspace(1e-10, math.pi / 2 - 1e-10, angles).tan()[:, None]` in float64, meets the histograms as rows: (angles, cells).",
        "`torch.minimum(lam * real, fake).sum(1)` is precision. Recall is the same over λ.",
    ],
)  # fmt: skip
