"""04b.bootstrap_interval and 04b.memorised_share: how sure a number is, and what it cannot see."""

from __future__ import annotations

import torch

from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.exercises.given_back import number


def bootstrap_interval(values: torch.Tensor, draws: int = 1000, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval of a mean: Efron 1979. Draws len(values) of the values with replacement, `draws` times.

    values: (N,);  returns (low, high), between which a share `level` of the drawn means lie
    """
    chosen = torch.randint(len(values), (draws, len(values)))
    means = values.double()[chosen].mean(1)
    tail = (1 - level) / 2
    low, high = torch.quantile(means, torch.tensor([tail, 1 - tail], dtype=torch.float64))
    return low.item(), high.item()


def _pair(found):
    require(
        isinstance(found, (tuple, list)) and len(found) == 2,
        f"Expected two numbers, low and high, as a tuple; got {found!r}.",
    )
    low, high = (number(each, "an end of the interval") for each in found)
    require(
        not any(isinstance(each, torch.Tensor) and each.ndim for each in found),
        "Expected low and high as plain numbers; yours are tensors with a dimension of their own: `.item()`.",
    )
    require(low <= high, f"Low first, then high; yours are {low:.4f} and {high:.4f}.")
    return low, high


def _width(answer):
    values = torch.randn(400)
    low, high = _pair(answer(values))
    want = 2 * 1.96 * values.std().item() / 20
    require(
        0.8 < (high - low) / want < 1.2,
        f"The mean of 400 values of deviation 1 has a standard error of 1/20, so a 95 % interval is about {want:.3f} wide; yours is {high - low:.3f}.",
    )
    middle = (high + low) / 2
    require(
        abs(middle - values.mean().item()) < 0.02,
        f"It should lie around the mean, {values.mean():.3f}; yours lies around {middle:.3f}.",
    )


def _shrinks(answer):
    few, many = torch.randn(100), torch.randn(10_000)
    wide, narrow = (high - low for low, high in (_pair(answer(few, 300)), _pair(answer(many, 300))))
    require(
        6 < wide / narrow < 16,
        f"A hundred times the values make the interval ten times narrower; yours goes from {wide:.4f} to {narrow:.4f}.",
    )


def _covers(answer):
    hits, draw = 0, torch.Generator().manual_seed(0)  # its own: an answer may seed the common one
    for _ in range(200):
        low, high = _pair(answer(torch.rand(60, generator=draw), 200))
        hits += low <= 0.5 <= high
    require(
        174 <= hits <= 199, f"Of 200 intervals at 95 % about 190 should hold the true mean; yours hold it {hits} times."
    )


def _level(answer):
    values = torch.randn(400)
    wide, narrow = (high - low for low, high in (_pair(answer(values, 2000, 0.95)), _pair(answer(values, 2000, 0.5))))
    require(
        2.4 < wide / narrow < 3.5,
        f"The 95 % interval is 1.96/0.674 = 2.9 times as wide as the 50 % one; yours is {wide / narrow:.2f} times.",
    )


def _interval_with(size=None, replacement=True, tails=2, of_values=False, spread=False, as_if=lambda level: level):
    def answer(values, draws=1000, level=0.95):
        level = as_if(level)
        if of_values:
            means = values.double()
        else:
            count = size(len(values)) if size else len(values)
            if replacement:
                chosen = torch.randint(len(values), (draws, count))
            else:
                chosen = torch.stack([torch.randperm(len(values)) for _ in range(min(draws, 200))])
            means = values.double()[chosen].mean(1)
        if spread:
            return (means.mean() - means.std()).item(), (means.mean() + means.std()).item()
        tail = (1 - level) / tails
        ends = torch.quantile(means, torch.tensor([tail, 1 - tail], dtype=torch.float64))
        return ends[0].item(), ends[1].item()

    return answer


def _normal_interval(values, draws=1000, level=0.95):
    error = values.double().std() / len(values) ** 0.5
    reach = torch.special.ndtri(torch.tensor((1 + level) / 2, dtype=torch.float64)) * error
    return (values.mean() - reach).item(), (values.mean() + reach).item()


def _interval_behaviour(answer) -> list:
    torch.manual_seed(3)
    values = torch.rand(500)
    low, high = answer(values, 2000)
    inner_low, inner_high = answer(values, 2000, 0.5)
    error = (values.std() / 500**0.5).item()
    return [(high - low) / error, (inner_high - inner_low) / error]


interval = Exercise(
    id="04b.bootstrap_interval",
    reference=bootstrap_interval,
    difficulty=2,
    minutes=8,
    properties=[
        Property("as wide as the standard error says, around the mean", _width),
        Property("a hundred times the values, a tenth of the width", _shrinks),
        Property("the level is the share it holds", _level),
        Property("190 of 200 intervals hold the truth", _covers),
    ],
    behaviour=_interval_behaviour,
    tolerance=(0.08, 0.06),
    other_forms=[
        lambda values, draws=1000, level=0.95: tuple(
            torch.stack([values.float()[torch.randint(len(values), (len(values),))].mean() for _ in range(draws)])
            .quantile(torch.tensor([(1 - level) / 2, (1 + level) / 2]))
            .tolist()
        ),
        _normal_interval,
    ],
    wrong_answers={
        "of the values": WrongAnswer(
            _interval_with(of_values=True),
            "It gives quantiles of the *values*: where single values lie. Asked for is where their mean would lie if all were drawn again.",
        ),
        "without replacement": WrongAnswer(
            _interval_with(replacement=False),
            "It draws without replacement: every draw is the same set in another order, and every mean the same number.",
        ),
        "half as many": WrongAnswer(
            _interval_with(size=lambda n: n // 2),
            "It draws half as many values each time: the mean of half a sample varies √2 times as much.",
        ),
        "ten at a time": WrongAnswer(
            _interval_with(size=lambda n: 10),
            "It draws ten values at a time: that is the doubt in a mean of ten, not in a mean of all.",
        ),
        "one tail": WrongAnswer(
            _interval_with(tails=1), "It cuts 5 % off at *each* end: a 90 % interval. 2.5 % at each."
        ),
        "one deviation": WrongAnswer(
            _interval_with(spread=True),
            "It gives the mean plus and minus one standard error, whatever the level: about 68 %.",
        ),
        "level ignored": WrongAnswer(
            _interval_with(as_if=lambda level: 0.95), "It is right at 95 % and ignores any other level."
        ),
    },
    hints=[
        "`torch.randint(len(values), (draws, len(values)))` chooses all draws at once; the mean of each row is one drawn mean.",
        "The interval lies between the 2.5 % and the 97.5 % quantile of these means.",
    ],
)


# ---------------------------------------------------------------- memorisation


def memorised_share(fake: torch.Tensor, train: torch.Tensor, test: torch.Tensor) -> torch.Tensor:
    """Share of generated rows that lie closer to a training row than 99 % of the test rows do.

    fake: (M, d);  train: (N, d);  test: (K, d).  About 0.01 for a generator that is as far from its training set as
    new data are; near 1 for one that copies
    """

    def to_the_nearest(rows):
        return torch.cdist(rows, train, compute_mode="donot_use_mm_for_euclid_dist").amin(1)

    return (to_the_nearest(fake) < to_the_nearest(test).quantile(0.01)).double().mean()


def _world(seed=0, d=5):
    draw = torch.Generator().manual_seed(seed)
    return [torch.randn(count, d, generator=draw) for count in (300, 400, 500)]


def _copies(answer):
    fake, train, test = _world()
    for share in (0.0, 0.4, 1.0):
        mixed = fake.clone()
        mixed[: int(300 * share)] = train[: int(300 * share)]
        found = number(answer(mixed, train, test), "a share")
        require(
            share - 1e-6 <= found <= share + 0.05,
            f"With {share:.0%} exact copies of training rows among new ones the share is {share:.2f} to {share + 0.05:.2f}; yours is {found:.3f}.",
        )


def _not_of_test(answer):
    fake, train, test = _world()
    found = number(answer(test[:300].clone(), train, test), "a share")
    require(
        found <= 0.05,
        f"Rows of the *test* set are new to the generator: their share is about 0.01; yours is {found:.3f}. Nearest in the training set, not in the test set.",
    )


def _near_copies(answer):
    fake, train, test = _world()
    fake[:120] = train[:120] + 1e-3 * fake[:120]
    found = number(answer(fake, train, test), "a share")
    require(
        0.4 - 1e-6 <= found <= 0.45,
        f"A copy with a thousandth of noise on it is still a copy: with 40 % of them the share is 0.40 to 0.45; yours is {found:.3f}.",
    )


def _line():
    """Generated rows at 0.5, 1.5, … 99.5, one training row at 0, test rows at 1, 2, … 1,000."""
    return torch.arange(0.5, 100.0)[:, None], torch.zeros(1, 1), torch.arange(1.0, 1001.0)[:, None]


def _on_a_line(answer):
    want, found = memorised_share(*_line()).item(), number(answer(*_line()), "a share")
    require(
        abs(found - want) < 1e-6,
        "On a line: one training row at 0, test rows at 1, 2, … 1,000, generated ones at 0.5, 1.5, … 99.5. 99 % of the test rows are farther than 10.99 from the training "
        f"row, and {want:.0%} of the generated ones nearer than that; yours is {found:.2f}.",
    )


def _scale(answer):
    fake, train, test = _world()
    fake[:150] = train[:150] + 1e-3 * fake[:150]
    one, other = (number(answer(fake * s, train * s, test * s), "a share") for s in (1.0, 1000.0))
    require(
        abs(one - other) < 1e-6, f"In other units of length the share stays; yours goes from {one:.3f} to {other:.3f}."
    )


def _memorised_with(statistic="min", yardstick="test", quantile=0.01, swap=False, closer=True):
    def answer(fake, train, test):
        def reach(rows, to):
            distance = torch.cdist(rows, to, compute_mode="donot_use_mm_for_euclid_dist")
            return distance.amin(1) if statistic == "min" else distance.mean(1)

        if swap:
            found, limit = reach(fake, test), reach(train, test).quantile(quantile)
        else:
            if yardstick == "each other":
                apart = torch.cdist(test, test, compute_mode="donot_use_mm_for_euclid_dist")
                limit = apart.fill_diagonal_(torch.inf).amin(1).quantile(quantile)
            else:
                limit = reach({"test": test, "train": train}[yardstick], train).quantile(quantile)
            found = reach(fake, train)
        return ((found < limit) if closer else (found > limit)).double().mean()

    return answer


def _memorised_behaviour(answer) -> list:
    fake, train, test = _world(2)
    fake[:100] = train[:100]
    fake[100:150] = test[:50]
    fake[150:200] = train[150:200] + 0.05 * fake[150:200]
    return [answer(fake, train, test), answer(train[:300] + 0.5, train, test), answer(*_line())]


memorised = Exercise(
    id="04b.memorised_share",
    reference=memorised_share,
    difficulty=2,
    minutes=8,
    properties=[
        Property("counts exact copies, and hardly anything else", _copies),
        Property("near-copies count as well", _near_copies),
        Property("new data are no copies", _not_of_test),
        Property("the limit is that of 99 % of the test rows", _on_a_line),
        Property("the same in any unit of length", _scale),
    ],
    behaviour=_memorised_behaviour,
    tolerance=(0.0, 1e-6),
    other_forms=[
        lambda fake, train, test: (
            ((fake[:, None] - train).norm(dim=2).amin(1) < (test[:, None] - train).norm(dim=2).amin(1).quantile(0.01))
            .float()
            .mean()
        )
    ],
    wrong_answers={
        "compared with the test set": WrongAnswer(
            _memorised_with(swap=True),
            "Distances are taken to the *test* set. A copy is a copy of something the network was trained on.",
        ),
        "training set as yardstick": WrongAnswer(
            _memorised_with(yardstick="train"),
            "The yardstick is the training set's distance to itself, which is 0 for every row: nothing is closer than that, not even a copy.",
        ),
        "mean distance": WrongAnswer(
            _memorised_with(statistic="mean"),
            "It takes the mean distance to all training rows. A copy is close to *one* of them: the nearest.",
        ),
        "the nearest test row": WrongAnswer(
            _memorised_with(quantile=0.0),
            "The limit is the *nearest* test row of all: one odd test image decides. Asked for is the limit that 99 % of them are beyond.",
        ),
        "one in twenty": WrongAnswer(
            _memorised_with(quantile=0.05),
            "It behaves like a limit that 95 % of the test rows are beyond. Asked for is 99 %.",
        ),
        "test rows among themselves": WrongAnswer(
            _memorised_with(yardstick="each other"),
            "The limit is how near test rows are to *each other*. The yardstick is how near test rows are to the training set, as it is asked of the generated ones.",
        ),
        "half of the test rows": WrongAnswer(
            _memorised_with(quantile=0.5),
            "It behaves like the median as limit: half of all honest samples would count as copies.",
        ),
        "farther": WrongAnswer(
            _memorised_with(closer=False), "It counts those that are *farther* than the limit: the honest ones."
        ),
        "exact copies only": WrongAnswer(
            lambda fake, train, test: (
                (torch.cdist(fake, train, compute_mode="donot_use_mm_for_euclid_dist").amin(1) == 0).double().mean()
            ),
            "It counts exact copies only. One changed grey level, and a memorised image is none any more.",
        ),
    },
    hints=[
        "Two lists of nearest distances to the training set: of the fakes, and of the test rows.",
        "The limit is the 1 % quantile of the second list.",
    ],
)
