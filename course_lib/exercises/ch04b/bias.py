"""04b.fid_infinity and 04b.kid: what a finite sample adds, and how to be rid of it."""

from __future__ import annotations

import numpy as np
import torch

from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.exercises.given_back import number


def fid_infinity(counts: torch.Tensor, fids: torch.Tensor) -> torch.Tensor:
    """Intercept of the least-squares line through FID against 1/N: what it would be at N = ∞.

    Chong, Forsyth 2020 (arXiv:1911.07023v3, section 3).  counts: (K,) sample sizes;  fids: (K,), one for each;  → scalar
    """
    x = 1 / counts.double()
    centred = x - x.mean()
    slope = (centred @ fids.double()) / (centred @ centred)
    return fids.double().mean() - slope * x.mean()


def _a_line(answer):
    counts = torch.tensor([500, 1000, 2000, 4000])
    found = number(answer(counts, 12 + 3000 / counts), "FID at infinity")
    require(
        abs(found - 12) < 1e-3,
        f"FIDs of 18, 15, 13.5 and 12.75 at N = 500, 1,000, 2,000 and 4,000 are exactly 12 + 3000/N, so 12 at infinity; yours says {found:.3f}.",
    )


def _with_noise(answer):
    counts = torch.tensor([200, 300, 500, 1000, 5000])
    fids = 5 + 800 / counts + torch.tensor([0.2, -0.1, 0.05, -0.2, 0.1])
    want = np.polyfit(1 / counts.double().numpy(), fids.double().numpy(), 1)[1]
    found = number(answer(counts, fids), "FID at infinity")
    require(
        abs(found - want) < 1e-3,
        f"With noisy values the least-squares line against 1/N meets 0 at {want:.3f}; yours gives {found:.3f}.",
    )


def _order(answer):
    counts = torch.tensor([4000, 500, 1000])
    found = number(answer(counts, 2 + 100 / counts), "FID at infinity")
    require(
        abs(found - 2) < 1e-3, f"The sizes may come in any order: 2 + 100/N is 2 at infinity; yours gives {found:.3f}."
    )


def _fit(power, pick=1):
    def answer(counts, fids):
        return torch.tensor(np.polyfit(power(counts.double().numpy()), fids.double().numpy(), 1)[pick])

    return answer


extrapolation = Exercise(
    id="04b.fid_infinity",
    reference=fid_infinity,
    difficulty=1,
    minutes=6,
    properties=[
        Property("exact where FID is a + b/N", _a_line),
        Property("the least-squares line where it is not", _with_noise),
        Property("sizes in any order", _order),
    ],
    behaviour=lambda answer: [answer(torch.tensor([200, 300, 500, 1000, 5000]), torch.tensor([9.2, 7.6, 6.65, 5.3, 5.4]))],
    tolerance=(1e-5, 1e-6),
    other_forms=[
        lambda counts, fids: torch.linalg.lstsq(
            torch.stack([torch.ones(len(counts)).double(), 1 / counts.double()], 1), fids.double()[:, None]
        ).solution[0, 0],
        _fit(lambda n: 1 / n),
    ],
    wrong_answers={
        "against N": WrongAnswer(_fit(lambda n: n), "It behaves like a line against N: its intercept is at N = 0. The bias falls as 1/N, and infinity is where 1/N = 0."),
        "against the root": WrongAnswer(_fit(lambda n: n**-0.5), "It behaves like a line against 1/√N. That is how the *noise* falls; the bias falls as 1/N."),
        "the slope": WrongAnswer(_fit(lambda n: 1 / n, 0), "It returns the slope, how fast the bias falls. Asked for is the intercept."),
        "the largest N": WrongAnswer(lambda counts, fids: fids[counts.argmax()], "It returns the value at the largest N, which still has its share of the bias."),
        "the mean": WrongAnswer(lambda counts, fids: fids.mean(), "It returns the mean over all N: every one of them is too large."),
        "the smallest value": WrongAnswer(lambda counts, fids: fids.min(), "It returns the smallest value. All are biased upwards; the limit lies below."),
        "through two points": WrongAnswer(
            lambda counts, fids: _fit(lambda n: 1 / n)(counts[[0, -1]], fids[[0, -1]]),
            "It behaves like a line through the first and the last value only: their noise goes into the answer in full.",
        ),
    },
    hints=[
        "Put x = 1/N on the horizontal axis. Where on it is N = ∞?",
        "`numpy.polyfit(1/N, fid, 1)` returns slope and intercept, in this order; or solve least squares with columns 1 and 1/N.",
    ],
)  # fmt: skip


# ---------------------------------------------------------------- KID


def kid(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """Unbiased squared MMD with the kernel (x·y/d + 1)³: Bińkowski et al. 2018 (arXiv:1801.01401v5, section 4, eq. 4).

    real: (N, d);  fake: (M, d);  returns a scalar, which may be negative
    """
    d = real.shape[1]

    def kernel(x, y):
        return (x @ y.T / d + 1) ** 3

    def among_themselves(x):
        gram = kernel(x, x)
        return (gram.sum() - gram.trace()) / (len(x) * (len(x) - 1))

    return among_themselves(real) + among_themselves(fake) - 2 * kernel(real, fake).mean()


def _features(n=6, m=5, d=3):
    draw = torch.Generator().manual_seed(1)
    return (
        torch.randn(n, d, generator=draw, dtype=torch.float64),
        torch.randn(m, d, generator=draw, dtype=torch.float64) + 0.5,
    )


def _by_hand(answer):
    real, fake = torch.tensor([[1.0], [0.0]]).double(), torch.tensor([[2.0], [0.0]]).double()
    # kernels: real 1·0 → 1; fake 2·0 → 1; cross (3, 1, 1, 1)³ → 27 + 1 + 1 + 1 = 30, mean 7.5
    found = number(answer(real, fake), "KID")
    require(
        abs(found - (1 + 1 - 15)) < 1e-6,
        f"For real 1, 0 and fake 2, 0 in one dimension: pairs within give 1 and 1, across (27 + 1 + 1 + 1)/4 = 7.5, so KID = 1 + 1 − 2·7.5 = −13; yours gives {found:.3f}.",
    )


def _unbiased(answer):
    draw = torch.Generator().manual_seed(0)
    values = [number(answer(*torch.randn(2, 10, 4, generator=draw, dtype=torch.float64)), "KID") for _ in range(400)]
    mean, error = np.mean(values), np.std(values) / 20
    require(
        abs(mean) < 4 * error,
        f"Two samples of one distribution should be 0 apart on average; over 400 pairs of 10 yours averages {mean:.3f} ± {error:.3f}.",
    )


def _unequal(answer):
    real, fake = _features()
    found, want = number(answer(real, fake), "KID"), kid(real, fake).item()
    require(
        abs(found - want) < 1e-8,
        f"With 6 real and 5 generated rows in 3 dimensions KID is {want:.5f}; yours gives {found:.5f}.",
    )


def _kid_with(power=3, gamma=True, constant=1.0, biased=False, cross=2.0, root=False, cross_divisor=None):
    def answer(real, fake):
        d = real.shape[1] if gamma else 1

        def kernel(x, y):
            return (x @ y.T / d + constant) ** power

        def within(x):
            gram = kernel(x, x)
            return gram.mean() if biased else (gram.sum() - gram.trace()) / (len(x) * (len(x) - 1))

        across = kernel(real, fake)
        across = across.mean() if cross_divisor is None else across.sum() / cross_divisor(len(real), len(fake))
        value = within(real) + within(fake) - cross * across
        return value.clamp(min=0).sqrt() if root else value

    return answer


unbiased_kid = Exercise(
    id="04b.kid",
    reference=kid,
    difficulty=2,
    minutes=10,
    properties=[
        Property("a case by hand, −13", _by_hand),
        Property("0 on average between samples of one distribution", _unbiased),
        Property("unequal numbers of rows", _unequal),
    ],
    behaviour=lambda answer: [answer(*_features()), answer(*_features(4, 7, 2))],
    tolerance=(1e-6, 1e-9),
    other_forms=[
        lambda real, fake: sum(
            ((x @ x.T / x.shape[1] + 1) ** 3)[~torch.eye(len(x), dtype=torch.bool)].mean() for x in (real, fake)
        )
        - 2 * ((real @ fake.T / real.shape[1] + 1) ** 3).mean()
    ],
    wrong_answers={
        "diagonal kept": WrongAnswer(
            _kid_with(biased=True),
            "It behaves like the biased estimate: the diagonals compare each row with itself, which makes two samples of one distribution look apart. Leave them out "
            "and divide by n(n − 1).",
        ),
        "no division by d": WrongAnswer(_kid_with(gamma=False), "The kernel behaves like (x·y + 1)³. KID's is (x·y/d + 1)³: without d it grows with the number of features."),
        "no constant": WrongAnswer(_kid_with(constant=0.0), "The kernel behaves like (x·y/d)³: the + 1 is missing, and with it the means and covariances."),
        "square": WrongAnswer(_kid_with(power=2), "The kernel behaves like a square. KID's is the cube: it sees skewness too."),
        "linear": WrongAnswer(_kid_with(power=1), "The kernel behaves like x·y/d + 1: such an MMD compares means only."),
        "cross term once": WrongAnswer(_kid_with(cross=1.0), "The cross term stands once. ‖a − b‖² has it twice: a·a + b·b − 2a·b."),
        "root": WrongAnswer(_kid_with(root=True), "It returns a root, and with it throws negative values away. KID is the squared MMD, unbiased *because* it may be negative."),
        "n(n − 1) across": WrongAnswer(
            _kid_with(cross_divisor=lambda n, m: n * (m - 1)),
            "The cross term is divided as if a row were missing. Between real and fake no row meets itself: divide by all n·m.",
        ),
        "swapped sign": WrongAnswer(lambda real, fake: -kid(real, fake), "The sign is turned round: within minus across, not across minus within."),
    },
    hints=[
        "Three means of a kernel matrix: within real, within fake, across. The first two without their diagonals.",
        "`gram.sum() - gram.trace()`, divided by n(n − 1).",
    ],
)  # fmt: skip
