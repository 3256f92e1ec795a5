"""Do the fakes lie nearer to the training images than unseen real images do?"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from course_lib.metrics.checks import feature_pair, feature_rows
from course_lib.metrics.neighbours import BLOCK, nearest_distances


class Memorisation(NamedTuple):
    share: float  # of fakes nearer to their training neighbour than the threshold; `quantile` if nothing is copied
    low: float  # interval of that share
    high: float
    threshold: float  # the test rows' quantile of distance to the training set
    nearer: float  # chance that a fake is nearer to the training set than a test row is; 1/2 if nothing is copied
    z: float  # `nearer` less 1/2 in standard errors: above 3 is copying, below -3 is missing the data
    fake_distances: Tensor  # (M,) of each fake to its training neighbour: sort it to see the copies


def memorisation(
    *, train: Tensor, test: Tensor, fake: Tensor, quantile: float = 0.05, confidence: float = 0.95, block: int = BLOCK
) -> Memorisation:
    """Distances of fakes to the nearest training row, against those of test rows, which cannot be copies.

    The rank statistic is the global data-copying test of Meehan et al. 2020 (arXiv:2004.05675v1), with
    the sign turned: there a negative z is copying. The interval is Clopper and Pearson's for the share at the
    threshold found; the threshold is itself known only as well as the test rows allow.

    Can show: that too many fakes sit closer to training images than chance puts unseen ones, in this feature space.
    Cannot show: that nothing is copied. A few copies among many fakes move the share little, a copy shifted or
    recoloured may be far in these features, and fakes that are bad everywhere hide copies in z.

    train:    what the generator saw: (N, d);  test: (T, d) of the same distribution, not seen, T ≥ 1 / quantile
    fake:     (M, d)
    raises:   ValueError if shapes do not fit, a number is not finite or test rows are too few
    """
    from scipy.special import betaincinv

    if not 0 < quantile < 1:
        raise ValueError(f"quantile: expected a number between 0 and 1, got {quantile}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: expected a number between 0 and 1, got {confidence}")
    least = math.ceil(1 / quantile)
    train, test = feature_pair(train, test, names=("train", "test"), least=1)
    feature_rows(test, "test", least=least, why=f"fewer have no {quantile:g} quantile")
    fake = feature_pair(train, fake, names=("train", "fake"))[1]
    unseen, ours = (nearest_distances(rows, train, block=block).double().cpu() for rows in (test, fake))
    threshold = unseen.sort().values[math.ceil(quantile * len(unseen)) - 1]
    hits, count, tail = int((ours <= threshold).sum()), len(ours), (1 - confidence) / 2
    low = betaincinv(hits, count - hits + 1, tail) if hits else 0.0
    high = betaincinv(hits + 1, count - hits, 1 - tail) if hits < count else 1.0
    ordered = ours.sort().values
    beyond = count - torch.searchsorted(ordered, unseen, right=True)
    before = torch.searchsorted(ordered, unseen, right=False)
    nearer = ((count - beyond + before).double().mean() / (2 * count)).item()  # a tie counts one half
    error = math.sqrt((count + len(unseen) + 1) / (12 * count * len(unseen)))
    return Memorisation(hits / count, float(low), float(high), threshold.item(), nearer, (nearer - 0.5) / error, ours)
