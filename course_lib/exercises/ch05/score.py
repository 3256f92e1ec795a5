"""05.inception_score and 05.one_of_each: the score, and how to reach its top."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course_lib import metrics
from course_lib.exercises.ch05.information import row, seen
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.exercises.given_back import scalar


def inception_score(probabilities: Tensor) -> Tensor:
    """exp E KL(p(y|x)‖p(y)) over the images given, 1 to K. Salimans et al. 2016 (arXiv:1606.03498v1, section 4).

    probabilities: (N, K), a classifier's p(y|x) for each generated image
    returns:       scalar; p(y) is the mean of these same rows
    """
    marginal = probabilities.mean(0)
    return metrics.kl_divergence(probabilities, marginal.expand_as(probabilities)).mean().exp()


def one_of_each(probabilities: Tensor) -> Tensor:
    """For each of K classes the index of the image that is most probably of it.

    probabilities: (N, K) → (K,) int64
    """
    return probabilities.argmax(0)


TWO = torch.stack([row(0.9, 0.1, 0), row(0.2, 0.2, 0.6)])
SOFT = torch.stack(
    [row(0.7, 0.2, 0.1), row(0.1, 0.8, 0.1), row(0.3, 0.3, 0.4), row(0.6, 0.3, 0.1), row(0.05, 0.9, 0.05)]
)
EYE = torch.eye(4, dtype=torch.float64)


# ---------------------------------------------------------------- the score


def _balanced(answer):
    for classes in (4, 10):
        found = scalar(answer(torch.eye(classes, dtype=torch.float64).repeat(3, 1)), "the score").item()
        require(
            abs(found - classes) < 1e-6,
            f"Sure of every image, all {classes} classes equally often: the score is K = {classes}; yours gives {found:.9g}."
            + (" 0·log 0 is NaN: `torch.special.xlogy` makes it 0." if math.isnan(found) else ""),
        )


def _one_class(answer):
    found = scalar(answer(row(0, 1, 0, 0).repeat(6, 1)), "the score").item()
    require(
        abs(found - 1) < 1e-6,
        f"Six sure images of one class: p(y|x) = p(y), so KL is 0 and the score 1, its worst; yours gives {found:.4f}. "
        + (
            "A KL that is NaN where both probabilities are 0 makes it NaN: is it your `kl_divergence`?"
            if math.isnan(found)
            else "Is p(y) the mean over the images that were given?"
        ),
    )


def _unsure(answer):
    found = scalar(answer(torch.full((6, 4), 0.25, dtype=torch.float64)), "the score").item()
    require(abs(found - 1) < 1e-6, f"If the classifier says ¼ to everything, the score is 1; yours gives {found:.4f}.")


def _score_by_hand(answer):
    found, want = scalar(answer(TWO), "the score").item(), inception_score(TWO).item()
    require(
        abs(found - want) < 1e-6,
        f"Two images, (0.9, 0.1, 0) and (0.2, 0.2, 0.6): p(y) = (0.55, 0.15, 0.3), mean KL {math.log(want):.4f}, score {want:.4f}; yours gives {found:.4f}.",
    )


def _number_of_images(answer):
    one, other = scalar(answer(SOFT), "the score").item(), scalar(answer(SOFT.repeat(7, 1)), "the score").item()
    require(
        abs(one - other) < 1e-6,
        f"Seven copies of the same images have the same score; yours go from {one:.4f} to {other:.4f}.",
    )


score = Exercise(
    id="05.inception_score",
    reference=inception_score,
    difficulty=2,
    minutes=8,
    properties=[
        Property("K for sure images of all K classes", _balanced),
        Property("1 for sure images of one class", _one_class),
        Property("1 where the classifier cannot tell", _unsure),
        Property("two images by hand", _score_by_hand),
        Property("copies of all images change nothing", _number_of_images),
    ],
    behaviour=lambda answer: [seen(answer(rows)) for rows in (TWO, SOFT, EYE, SOFT.repeat(2, 1))],
    tolerance=(1e-6, 1e-9),
    other_forms=[
        lambda probabilities: (metrics.entropy(probabilities.mean(0)) - metrics.entropy(probabilities).mean()).exp(),
        lambda probabilities: (
            torch.special.xlogy(probabilities, probabilities) - torch.special.xlogy(probabilities, probabilities.mean(0))
        ).sum(1).mean().exp(),
    ],
    solution_also=[metrics.kl_divergence],
    wrong_answers={
        "no exponential": WrongAnswer(
            lambda probabilities: inception_score(probabilities).log(), "It behaves like E KL without the exponential: from 0 to log K. That is where «IS can be 0» comes from."
        ),
        "0 log 0": WrongAnswer(
            lambda probabilities: (probabilities * (probabilities / probabilities.mean(0)).log()).sum(1).mean().exp(),
            "The logarithm of a probability that is exactly 0 is in it: 0·(−∞) is NaN. `torch.special.xlogy` makes it 0; your `kl_divergence` knows that.",
        ),
        "the other way round": WrongAnswer(
            lambda probabilities: metrics.kl_divergence(probabilities.mean(0).expand_as(probabilities), probabilities).mean().exp(),
            "It behaves like KL(p(y)‖p(y|x)), infinite as soon as one image is sure. The image comes first: KL(p(y|x)‖p(y)).",
        ),
        "even classes for p(y)": WrongAnswer(
            lambda probabilities: (math.log(probabilities.shape[1]) - metrics.entropy(probabilities).mean()).exp(),
            "p(y) behaves like 1/K for each class, the distribution of real labels. It is the mean over the generated images: a generator "
            "of nothing but bags would score K with yours.",
        ),
        "averaged twice": WrongAnswer(
            lambda probabilities: (
                torch.special.xlogy(probabilities, probabilities) - torch.special.xlogy(probabilities, probabilities.mean(0))
            ).mean().exp(),
            "It averages over classes as well as over images: the K-th root of the score. KL sums over classes; images alone are averaged.",
        ),
        "exponential first": WrongAnswer(
            lambda probabilities: metrics.kl_divergence(probabilities, probabilities.mean(0).expand_as(probabilities)).exp().mean(),
            "It behaves like E exp KL. The mean comes first, then one exponential of it (the two differ: exp is convex).",
        ),
        "sum over images": WrongAnswer(
            lambda probabilities: metrics.kl_divergence(probabilities, probabilities.mean(0).expand_as(probabilities)).sum().exp(),
            "It sums over images: the score would grow with N without end.",
        ),
        "variety alone": WrongAnswer(
            lambda probabilities: metrics.entropy(probabilities.mean(0)).exp(),
            "It behaves like exp H(p(y)): variety alone. A classifier that cannot tell anything gets K with yours; sureness is missing.",
        ),
        "sureness alone": WrongAnswer(
            lambda probabilities: (-metrics.entropy(probabilities).mean()).exp(), "It behaves like exp(−E H(p(y|x))): sureness alone, at most 1. Variety is missing."
        ),
        "verdicts": WrongAnswer(
            lambda probabilities: inception_score(torch.nn.functional.one_hot(probabilities.argmax(1), probabilities.shape[1]).double()),
            "It uses the most probable class as if it were certain. How sure the classifier is, is half of the score.",
        ),
    },
    hints=[
        "p(y) is `probabilities.mean(0)`: a mean over images. Then one KL for each image.",
        "The mean of those KLs over the images, then the exponential: exp E KL(p(y|x)‖p(y)).",
        "Or by entropies: log IS = H(p(y)) − E H(p(y|x)).",
    ],
)  # fmt: skip


# ---------------------------------------------------------------- the fewest images for the top


def _indices(answer, probabilities) -> Tensor:
    found = answer(probabilities)
    classes = probabilities.shape[1]
    require(isinstance(found, Tensor), f"Expected indices as a tensor, got {type(found).__name__}.")
    require(
        found.shape == (classes,) and found.dtype == torch.int64,
        f"Expected {classes} indices, one for each class, as int64 of shape ({classes},); got {tuple(found.shape)} {found.dtype}.",
    )
    require(
        bool(((found >= 0) & (found < len(probabilities))).all()),
        f"Indices of images lie between 0 and {len(probabilities) - 1}; yours: {found.tolist()}.",
    )
    return found


POOL = torch.stack(
    [
        row(0.60, 0.30, 0.10), row(0.98, 0.01, 0.01), row(0.20, 0.70, 0.10), row(0.99, 0.00, 0.01),
        row(0.02, 0.90, 0.08), row(0.30, 0.10, 0.60), row(0.05, 0.05, 0.90), row(0.97, 0.02, 0.01),
    ]
)  # fmt: skip
RARE = torch.stack(
    [row(0.9, 0.1, 0.0), row(0.5, 0.1, 0.4), row(0.1, 0.8, 0.1), row(0.6, 0.2, 0.2)]
)  # nothing is class 2


def _surest(answer):
    found = _indices(answer, POOL).tolist()
    require(
        found == [3, 4, 6],
        f"Among eight images the surest of classes 0, 1, 2 are numbers 3, 4 and 6 (0.99, 0.90, 0.90); yours are {found}.",
    )


def _score_of_the_picks(answer):
    noise = torch.Generator().manual_seed(0)
    probabilities = (4 * torch.randn(500, 10, generator=noise, dtype=torch.float64)).softmax(1)
    found = inception_score(probabilities[_indices(answer, probabilities)]).item()
    best, everything = (
        inception_score(probabilities[probabilities.argmax(0)]).item(),
        inception_score(probabilities).item(),
    )
    require(
        abs(found - best) < 1e-6,
        f"Of 500 images with a score of {everything:.2f}, ten well chosen ones reach {best:.2f}; yours reach {found:.2f}.",
    )


def _nobodys_favourite(answer):
    found = _indices(answer, RARE).tolist()
    require(
        found == [0, 2, 1],
        f"No image is most probably of class 2; its best is still number 1, with 0.4. Expected [0, 2, 1], yours {found}.",
    )


def _first_of_each(probabilities):
    labels = probabilities.argmax(1)
    return torch.stack([(labels == each).to(torch.int64).argmax() for each in range(probabilities.shape[1])])


def _winners(probabilities):
    labels, sure = probabilities.argmax(1), probabilities.amax(1)
    return torch.stack([torch.where(labels == each, sure, -1.0).argmax() for each in range(probabilities.shape[1])])


one_of_each_exercise = Exercise(
    id="05.one_of_each",
    reference=one_of_each,
    difficulty=1,
    minutes=5,
    properties=[
        Property("the surest image of each class, in the order of the classes", _surest),
        Property("the highest score that ten such images reach", _score_of_the_picks),
        Property("a class that no image is most probably of", _nobodys_favourite),
    ],
    behaviour=lambda answer: [seen(answer(rows)) for rows in (POOL, RARE)],
    other_forms=[
        lambda probabilities: torch.stack([column.argmax() for column in probabilities.unbind(1)]),
        lambda probabilities: probabilities.topk(1, dim=0).indices[0],
    ],
    wrong_answers={
        "class of each image": WrongAnswer(
            lambda probabilities: probabilities.argmax(1), "It returns the class of each image, N numbers. Asked is the image of each class: the maximum over images, `argmax(0)`."
        ),
        "surest of all": WrongAnswer(
            lambda probabilities: probabilities.amax(1).topk(probabilities.shape[1]).indices,
            "It takes the surest images whatever their class: they may all be of one class, and then the score is 1.",
        ),
        "first of each": WrongAnswer(_first_of_each, "It takes the first image of each class. The score also pays for sureness: take the surest."),
        "least sure": WrongAnswer(lambda probabilities: probabilities.argmin(0), "It takes for each class the image that is least probably of it."),
        "the probabilities": WrongAnswer(lambda probabilities: probabilities.amax(0), "It returns how sure the best images are, not which ones they are: `argmax` instead of `amax`."),
        "winners only": WrongAnswer(
            _winners, "It looks only at images whose most probable class it is. A class that never comes first then gets image 0; its best image counts all the same."
        ),
        "values and indices": WrongAnswer(
            lambda probabilities: probabilities.max(0), "`max(0)` returns two things, the largest values and their places. Asked are the places: `.indices`, or `argmax(0)`."
        ),
    },
    hints=["Each column of (N, K) belongs to one class.", "`probabilities.argmax(0)`: over the images, one index per class."],
)  # fmt: skip
