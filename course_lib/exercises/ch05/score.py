"""05.inception_score, 05.one_of_each, 05.split_scores: the score, how to reach its top, and what splitting does to it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course_lib import metrics
from course_lib.exercises.ch05.information import row, seen
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require


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


def split_scores(probabilities: Tensor, splits: int) -> Tensor:
    """The Inception Score of each of `splits` contiguous parts, as equal as N allows. (N, K) → (splits,)"""
    edges = [part * len(probabilities) // splits for part in range(splits + 1)]
    return torch.stack([inception_score(probabilities[start:end]) for start, end in zip(edges, edges[1:])])


def _scalar(found, what: str) -> float:
    require(isinstance(found, Tensor), f"Expected {what} as a tensor, got {type(found).__name__}.")
    require(found.ndim == 0, f"Expected {what} as one number, got a tensor of shape {tuple(found.shape)}.")
    return found.item()


TWO = torch.stack([row(0.9, 0.1, 0), row(0.2, 0.2, 0.6)])
SOFT = torch.stack(
    [row(0.7, 0.2, 0.1), row(0.1, 0.8, 0.1), row(0.3, 0.3, 0.4), row(0.6, 0.3, 0.1), row(0.05, 0.9, 0.05)]
)
EYE = torch.eye(4, dtype=torch.float64)


# ---------------------------------------------------------------- the score


def _balanced(answer):
    for classes in (4, 10):
        found = _scalar(answer(torch.eye(classes, dtype=torch.float64).repeat(3, 1)), "the score")
        require(
            abs(found - classes) < 1e-6,
            f"Sure of every image, all {classes} classes equally often: the score is K = {classes}; yours gives {found:.9g}."
            + (" 0·log 0 is NaN: `torch.special.xlogy` makes it 0." if math.isnan(found) else ""),
        )


def _one_class(answer):
    found = _scalar(answer(row(0, 1, 0, 0).repeat(6, 1)), "the score")
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
    found = _scalar(answer(torch.full((6, 4), 0.25, dtype=torch.float64)), "the score")
    require(abs(found - 1) < 1e-6, f"If the classifier says ¼ to everything, the score is 1; yours gives {found:.4f}.")


def _score_by_hand(answer):
    found, want = _scalar(answer(TWO), "the score"), inception_score(TWO).item()
    require(
        abs(found - want) < 1e-6,
        f"Two images, (0.9, 0.1, 0) and (0.2, 0.2, 0.6): p(y) = (0.55, 0.15, 0.3), mean KL {math.log(want):.4f}, score {want:.4f}; yours gives {found:.4f}.",
    )


def _number_of_images(answer):
    one, other = _scalar(answer(SOFT), "the score"), _scalar(answer(SOFT.repeat(7, 1)), "the score")
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


# ---------------------------------------------------------------- splits


def _parts(answer, probabilities, splits: int) -> Tensor:
    found = answer(probabilities, splits)
    require(isinstance(found, Tensor), f"Expected a tensor with one score for each split, got {type(found).__name__}.")
    require(
        found.shape == (splits,),
        f"{splits} splits have {splits} scores, shape ({splits},); got shape {tuple(found.shape)}.",
    )
    return found.double()


def _one_each(answer):
    found = _parts(answer, torch.eye(10, dtype=torch.float64), 10)
    require(
        torch.allclose(found, torch.ones(10, dtype=torch.float64)),
        f"Ten images in ten splits: each part has one image, p(y|x) = p(y), score 1.0; yours {[round(v, 2) for v in found.tolist()]}. "
        "Each part has a p(y) of its own.",
    )


def _in_order(answer):
    rows = torch.eye(2, dtype=torch.float64)[[0, 1, 0, 1, 0, 0, 0, 0]]
    found = [round(value, 6) for value in _parts(answer, rows, 2).tolist()]
    require(
        found == [2.0, 1.0],
        f"Parts are contiguous, the first half and the second: classes 0 1 0 1 | 0 0 0 0 have the scores 2.0 and 1.0; yours {found}.",
    )


def _one_split(answer):
    found, want = _parts(answer, SOFT, 1)[0].item(), inception_score(SOFT).item()
    require(abs(found - want) < 1e-9, f"One split is the whole: {want:.4f}; yours gives {found:.4f}.")


def _uneven(answer):
    for splits, sizes in ((2, "2 and 3"), (3, "1, 2 and 2")):
        found, want = _parts(answer, SOFT, splits), split_scores(SOFT, splits)
        require(
            torch.allclose(found, want),
            f"Five images in {splits} splits: {sizes} of them (edges i·N/S, rounded down, nobody left out), scores {[round(v, 4) for v in want.tolist()]}; "
            f"yours {[round(v, 4) for v in found.tolist()]}.",
        )


def _by_size(probabilities, splits):
    return torch.stack([inception_score(part) for part in probabilities.split(splits)])


def _common_marginal(probabilities, splits):
    marginal = probabilities.mean(0)
    edges = [part * len(probabilities) // splits for part in range(splits + 1)]
    return torch.stack(
        [
            metrics.kl_divergence(rows, marginal.expand_as(rows)).mean().exp()
            for rows in (probabilities[start:end] for start, end in zip(edges, edges[1:]))
        ]
    )


def _rest_dropped(probabilities, splits):
    size = len(probabilities) // splits
    return torch.stack([inception_score(part) for part in probabilities[: size * splits].split(size)])


def _rest_to_the_last(probabilities, splits):
    size = len(probabilities) // splits
    edges = [part * size for part in range(splits)] + [len(probabilities)]
    return torch.stack([inception_score(probabilities[start:end]) for start, end in zip(edges, edges[1:])])


split_scores_exercise = Exercise(
    id="05.split_scores",
    reference=split_scores,
    difficulty=2,
    minutes=7,
    properties=[
        Property("ten images in ten splits give 1.0 ten times", _one_each),
        Property("contiguous parts, in order", _in_order),
        Property("one split is the score itself", _one_split),
        Property("nobody is left out where S does not divide N", _uneven),
    ],
    behaviour=lambda answer: [seen(answer(rows, splits)) for rows, splits in ((EYE, 4), (EYE[[0, 1, 0, 1, 0, 0, 0, 0]], 2), (SOFT, 2), (SOFT, 1), (SOFT, 3))],
    tolerance=(1e-6, 1e-9),
    other_forms=[
        lambda probabilities, splits: torch.stack(
            [
                inception_score(probabilities[part * len(probabilities) // splits : (part + 1) * len(probabilities) // splits])
                for part in range(splits)
            ]
        ),
    ],
    solution_also=[inception_score],
    wrong_answers={
        "one p(y) for all": WrongAnswer(_common_marginal, "p(y) is taken over all images. Each part is scored as if it were all there is: with its own p(y)."),
        "every S-th": WrongAnswer(
            lambda probabilities, splits: torch.stack([inception_score(probabilities[part::splits]) for part in range(splits)]),
            "It takes every S-th image. The published score cuts contiguous parts, so the order of the images matters; this deals them out.",
        ),
        "size for count": WrongAnswer(_by_size, "`splits` is taken as the number of images in a part (`Tensor.split` reads it that way). It is the number of parts."),
        "the first parts are larger": WrongAnswer(
            lambda probabilities, splits: torch.stack([inception_score(part) for part in probabilities.tensor_split(splits)]),
            "It cuts as `tensor_split` and `np.array_split` do: the *first* parts get one image more. With edges i·N/S, rounded down, later ones do.",
        ),
        "the rest to the last": WrongAnswer(
            _rest_to_the_last,
            "All parts have N // S images, and the last one takes the rest as well. With edges i·N/S, rounded down, no part has two images more than another.",
        ),
        "rest dropped": WrongAnswer(_rest_dropped, "Images that do not fill a part are dropped. With edges i·N/S, rounded down, the parts take them in."),
        "mean alone": WrongAnswer(
            lambda probabilities, splits: split_scores(probabilities, splits).mean(), "It returns the mean over the splits. Asked are the scores themselves; mean and deviation are what papers print of them."
        ),
        "mean and deviation": WrongAnswer(
            lambda probabilities, splits: (split_scores(probabilities, splits).mean(), split_scores(probabilities, splits).std(correction=0)),
            "It returns mean and deviation over the splits, as papers print them. Asked are the scores that they are taken of.",
        ),
        "score of the whole": WrongAnswer(
            lambda probabilities, splits: inception_score(probabilities).expand(splits), "It repeats the score of all images. Each part has a score of its own."
        ),
        "logarithms": WrongAnswer(
            lambda probabilities, splits: split_scores(probabilities, splits).log(), "It returns mean KLs, without the exponential: 0 instead of 1 for a single image."
        ),
    },
    hints=["Edges: i·N // S for i = 0 … S. Part i is `probabilities[edge[i]:edge[i+1]]`.", "Score each part with `inception_score`, and `torch.stack` the scores."],
)  # fmt: skip
