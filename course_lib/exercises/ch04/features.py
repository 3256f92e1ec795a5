"""04.covariance, 04.fid: from rows of features to numbers."""

from __future__ import annotations

import torch

from course_lib import metrics
from course_lib.exercises.ch04.numbers import double, number
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require


def covariance(features):
    """The covariance matrix of rows of features, with N − 1 below the line. features: (N, d) → (d, d)"""
    centred = features - features.mean(0)
    return centred.T @ centred / (len(features) - 1)


FEW = double([[1.0, -2.0], [3.0, 0.0], [5.0, -4.0], [7.0, -2.0]])


def _rows(count, dim, seed=0, shift=0.0, scale=1.0):
    draw = torch.Generator().manual_seed(seed)
    mix = torch.randn(dim, dim, generator=draw, dtype=torch.float64)
    return shift + scale * torch.randn(count, dim, generator=draw, dtype=torch.float64) @ mix


def _matrix(answer, rows):
    found = answer(rows.clone())
    d = rows.shape[1]
    require(isinstance(found, torch.Tensor), f"Expected a tensor of shape ({d}, {d}), got {type(found).__name__}.")
    require(
        found.shape == (d, d),
        f"{len(rows)} rows of {d} features have a ({d}, {d}) matrix, one row and one column for each feature; yours is {tuple(found.shape)}.",
    )
    return found.double()


def _shown(matrix):
    return "[" + "; ".join(", ".join(f"{v:.4g}" for v in row) for row in matrix.tolist()) + "]"


def _by_hand(answer):
    found, want = _matrix(answer, FEW), covariance(FEW)
    require(
        torch.allclose(found, want, atol=1e-6),
        "The rows (1, −2), (3, 0), (5, −4), (7, −2) have means 4 and −2, squared deviations that add up to 20 and 8, and products that add up to −4; with three degrees of "
        f"freedom the matrix is {_shown(want)}; yours is {_shown(found)}.",
    )


def _shift_free(answer):
    rows = _rows(50, 3)
    one, other = _matrix(answer, rows), _matrix(answer, rows + double([100.0, -5.0, 1e3]))
    require(
        torch.allclose(one, other, atol=1e-6),
        f"Adding 100 to a feature of every row leaves how it varies alone; your first entry goes from {one[0, 0]:.4f} to {other[0, 0]:.4f}.",
    )


def _units(answer):
    rows = _rows(50, 2)
    one, other = _matrix(answer, rows), _matrix(answer, rows * double([10.0, 1.0]))
    require(
        torch.allclose(other[0, 0], 100 * one[0, 0]) and torch.allclose(other[0, 1], 10 * one[0, 1]),
        f"A feature in a ten times smaller unit has 100 times the variance and 10 times the covariance with the others; yours go from {one[0, 0]:.4g} to "
        f"{other[0, 0]:.4g} and from {one[0, 1]:.4g} to {other[0, 1]:.4g}.",
    )


def _against_the_library(answer):
    rows = _rows(200, 8, seed=3)
    found, want = _matrix(answer, rows), metrics.GaussianMoments().update(rows).cov()
    off = (found - want).abs()
    i, j = divmod(off.argmax().item(), 8)
    require(
        torch.allclose(found, want, rtol=1e-7, atol=1e-7),
        f"On 200 rows of 8 features `GaussianMoments` finds {want[i, j]:.9g} in row {i + 1}, column {j + 1}; yours is {found[i, j]:.9g}. That is the entry furthest off.",
    )


def _left_alone(answer):
    rows = _rows(20, 3)
    kept = rows.clone()
    answer(rows)
    require(torch.equal(rows, kept), "The features that came in were changed: `-=` on a tensor works in place.")


def _in_place(features):
    features -= features.mean(0)
    return features.T @ features / (len(features) - 1)


def _from_moments(features):
    count, mean = len(features), features.mean(0)
    return (features.T @ features - count * torch.outer(mean, mean)) / (count - 1)


def _covariance_behaviour(answer) -> list:
    rows = _rows(6, 3, seed=1, shift=2.0)
    kept = rows.clone()
    return [answer(rows), str(torch.equal(rows, kept))]


covariance_exercise = Exercise(
    id="04.covariance",
    reference=covariance,
    difficulty=1,
    minutes=6,
    properties=[
        Property("four rows by hand", _by_hand),
        Property("where the features lie does not matter", _shift_free),
        Property("in the product of the two units", _units),
        Property("as the library's GaussianMoments has it", _against_the_library),
        Property("the features are left as they were", _left_alone),
    ],
    behaviour=_covariance_behaviour,
    other_forms=[
        lambda features: torch.cov(features.T),
        lambda features: torch.einsum("ni,nj->ij", features - features.mean(0), features - features.mean(0)) / (len(features) - 1),
    ],
    solution_also=[metrics.GaussianMoments],
    wrong_answers={
        "divided by N": WrongAnswer(
            lambda features: torch.cov(features.T, correction=0),
            "It is divided by N. With the mean estimated from the same rows that comes out too small by (N − 1)/N; some FID tools do it, this course divides by N − 1.",
        ),
        "not divided": WrongAnswer(
            lambda features: torch.cov(features.T) * (len(features) - 1), "It is not divided by anything: the matrix grows with the number of rows."
        ),
        "not centred": WrongAnswer(
            lambda features: features.T @ features / (len(features) - 1), "It behaves like E x·xᵀ: the means were not taken off first, so it says where the features lie as well as how they vary."
        ),
        "correlations": WrongAnswer(
            lambda features: torch.corrcoef(features.T),
            "It behaves like the *correlation* matrix, with ones on the diagonal: each covariance divided by both standard deviations. Texts mix up the two; the spread is lost.",
        ),
        "images for features": WrongAnswer(
            lambda features: torch.cov(features),
            "It is the (N, N) matrix of the rows with each other. `torch.cov` wants a row for each *feature*: give it `features.T`.",
        ),
        "variances only": WrongAnswer(
            lambda features: torch.diag(features.var(0)), "Only the diagonal is filled: the variances are right, and how two features vary together is missing."
        ),
        "one mean for all": WrongAnswer(
            lambda features: (features - features.mean()).T @ (features - features.mean()) / (len(features) - 1),
            "One mean over all features was taken off. Each feature has its own: `features.mean(0)`.",
        ),
        "standard deviations": WrongAnswer(
            lambda features: torch.cov(features.T).abs().sqrt(), "It behaves like the root of each entry. On the diagonal stand variances, not standard deviations."
        ),
        "in place": WrongAnswer(
            _in_place, "The numbers are right, but the caller's features were centred on the way: `features -= ...` changes them in place."
        ),
    },
    hints=[
        "Take each feature's mean off, `features - features.mean(0)`: (N, d).",
        "The entry (i, j) is the sum over the rows of centred i times centred j: one matrix product, divided by N − 1.",
    ],
)  # fmt: skip


# ---------------------------------------------------------------- FID

REAL, FAKE = _rows(400, 6, seed=5, shift=1.0), _rows(300, 6, seed=6, shift=1.5)


def _fid(answer, real, fake):
    return number(answer(real.clone(), fake.clone()), "FID")


def _itself(answer):
    found = _fid(answer, REAL, REAL)
    require(abs(found) < 1e-6, f"A set of features is 0 away from itself; yours gives {found:.4g}.")


def _moved(answer):
    found = _fid(answer, REAL, REAL + double([1.0, 0, 0, 0, 0, 2.0]))
    require(abs(found - 5) < 1e-6, f"All rows moved by (1, 0, 0, 0, 0, 2): FID is 1 + 4 = 5; yours gives {found:.4f}.")


def _order(answer):
    found, shuffled = _fid(answer, REAL, FAKE), _fid(answer, REAL.flip(0), FAKE)
    require(
        abs(found - shuffled) < 1e-7,
        f"The real rows in another order are the same set; yours gives {found:.6f} and then {shuffled:.6f}: it pairs rows, or leaves some out.",
    )


def _as_the_library(answer):
    found, want = _fid(answer, REAL, FAKE), metrics.fid(REAL, FAKE)
    require(
        abs(found - want) < 1e-6 * want,
        f"400 real and 300 generated rows of 6 features: FID is {want:.6f}; yours gives {found:.6f}.",
    )


def _few_and_plain(answer):
    real, fake = REAL[:40].float() + 100, FAKE[:40].float() + 100
    found, want = number(answer(real, fake), "FID"), metrics.fid(real, fake)
    require(
        abs(found - want) < 1e-5 * want,
        f"40 rows each in float32, with features around 100: FID is {want:.6f}; yours gives {found:.6f}. FID is a small difference of large sums: go to float64 "
        "(`.double()`) *before* means and covariances.",
    )


def _scale(answer):
    one, ten = _fid(answer, REAL, FAKE), _fid(answer, 10 * REAL, 10 * FAKE)
    require(
        abs(ten - 100 * one) < 1e-4 * abs(ten) + 1e-9,
        f"Features ten times as large: FID is 100 times as large, a squared length; yours goes from {one:.4g} to {ten:.4g}.",
    )


def _moments(features, ddof=1):
    moments = metrics.GaussianMoments().update(features)
    return moments.mean, moments.cov(ddof)


def _fid_of(prepare):
    return lambda real_features, fake_features: metrics.frechet_distance(
        *prepare(real_features), *prepare(fake_features)
    )


def _plain(real_features, fake_features):
    real, fake = real_features.double(), fake_features.double()
    return metrics.frechet_distance(real.mean(0), covariance(real), fake.mean(0), covariance(fake))


def _in_float32(real_features, fake_features):
    moments = []
    for features in (real_features.float(), fake_features.float()):
        moments += [
            features.mean(0),
            (features.T @ features - len(features) * torch.outer(features.mean(0), features.mean(0)))
            / (len(features) - 1),
        ]
    return metrics.frechet_distance(*moments)  # fmt: skip


def _pairs(real_features, fake_features):
    count = min(len(real_features), len(fake_features))
    return (real_features[:count] - fake_features[:count]).double().square().sum(1).mean()


def _fid_behaviour(answer) -> list:
    return [
        answer(REAL.clone(), FAKE.clone()),
        answer(FAKE[:50].clone(), REAL[:30].clone()),
        answer(REAL.clone(), REAL.flip(0)),
        answer(REAL[:40].float() + 100, FAKE[:40].float() + 100),
    ]


fid_exercise = Exercise(
    id="04.fid",
    reference=metrics.fid,
    difficulty=2,
    minutes=8,
    properties=[
        Property("0 for a set and itself", _itself),
        Property("all rows moved: the squared length of the move", _moved),
        Property("the order of the rows does not matter", _order),
        Property("400 against 300 rows, as the library has it", _as_the_library),
        Property("float32 features around 100, to five digits", _few_and_plain),
        Property("it grows with the square of the features", _scale),
    ],
    behaviour=_fid_behaviour,
    tolerance=(1e-7, 1e-7),
    other_forms=[_plain, _fid_of(lambda features: (features.double().mean(0), torch.cov(features.double().T)))],
    solution_also=[metrics.frechet_distance],
    wrong_answers={
        "divided by N": WrongAnswer(
            _fid_of(lambda features: _moments(features, ddof=0)), "The covariances are divided by N, as in one of the well-known tools. This course divides by N − 1, as most of them do."
        ),
        "pairs": WrongAnswer(
            _pairs, "It behaves like a mean squared distance between row i and row i. Nobody paired the images: FID compares two distributions, and the order must not matter."
        ),
        "means only": WrongAnswer(
            lambda real_features, fake_features: (real_features.double().mean(0) - fake_features.double().mean(0)).square().sum(),
            "It behaves like ‖Δμ‖² alone. Without the covariances, a generator that always draws the average image is perfect.",
        ),
        "distance of the means": WrongAnswer(
            lambda real_features, fake_features: (real_features.double().mean(0) - fake_features.double().mean(0)).norm(),
            "It behaves like ‖Δμ‖: the mean term without its square, and the covariances do not enter at all.",
        ),
        "not centred": WrongAnswer(
            _fid_of(lambda features: (features.double().mean(0), features.double().T @ features.double() / (len(features) - 1))),
            "The covariances behave like E x·xᵀ: take the mean off first, or the means count twice.",
        ),
        "correlations": WrongAnswer(
            _fid_of(lambda features: (features.double().mean(0), torch.corrcoef(features.double().T))),
            "It behaves like FID with *correlation* matrices: features that vary ten times too little would go unnoticed.",
        ),
        "variances only": WrongAnswer(
            _fid_of(lambda features: (features.double().mean(0), torch.diag(features.double().var(0)))),
            "Only the variances enter: which features go together is ignored.",
        ),
        "the root": WrongAnswer(
            lambda real_features, fake_features: metrics.fid(real_features, fake_features) ** 0.5, "It behaves like d. FID, in every paper, is d²."
        ),
        "images for features": WrongAnswer(
            lambda real_features, fake_features: metrics.frechet_distance(real_features.mean(1), torch.cov(real_features), fake_features.mean(1), torch.cov(fake_features)),
            "Means and covariances run over the wrong dimension: a number for each *image* instead of each feature. `mean(0)`, and `torch.cov` of the transposed features.",
        ),
        "float32 throughout": WrongAnswer(
            _in_float32, "It behaves like sums in float32: features far from 0 lose the digits that FID is made of. `.double()` first."
        ),
    },
    hints=[
        "A mean and a covariance for each of the two sets, then your Fréchet distance between them.",
        "`features.double()` first; your `covariance` gives the matrix, `mean(0)` the mean.",
    ],
)  # fmt: skip
