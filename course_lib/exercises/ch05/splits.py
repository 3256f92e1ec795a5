"""05.split_scores: what splitting does to the Inception Score."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib import metrics
from course_lib.exercises.ch05.information import seen
from course_lib.exercises.ch05.score import EYE, SOFT, inception_score
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require


def split_scores(probabilities: Tensor, splits: int) -> Tensor:
    """The Inception Score of each of `splits` contiguous parts, as equal as N allows. (N, K) → (splits,)"""
    edges = [part * len(probabilities) // splits for part in range(splits + 1)]
    return torch.stack([inception_score(probabilities[start:end]) for start, end in zip(edges, edges[1:])])


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
