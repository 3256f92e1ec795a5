"""03b.ema: weights with a memory that is measured in images."""

from __future__ import annotations

import math

import torch

from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require


@torch.no_grad()
def ema(average: torch.Tensor, weights: torch.Tensor, batch_size: int, half_life_kimg: float) -> torch.Tensor:
    """The average after one more step: what it was counts half as much after `half_life_kimg` thousand images.

    Karras et al. 2020 (arXiv:2006.06676; decay and half-life as in its code).  average, weights: one shape;  returns a new tensor
    """
    decay = 0.5 ** (batch_size / (1000 * half_life_kimg))
    return decay * average + (1 - decay) * weights


def _averaged(answer, average, weights, batch_size, half_life_kimg):
    found = answer(average, weights, batch_size, half_life_kimg)
    require(isinstance(found, torch.Tensor), f"Expected the new average as a tensor, got {type(found).__name__}.")
    require(found.shape == average.shape, f"Expected shape {tuple(average.shape)}, got {tuple(found.shape)}.")
    return found


def _pair():
    return torch.tensor([8.0, -2.0]), torch.tensor([0.0, 2.0])


def _one_half_life(answer):
    found = _averaged(answer, *_pair(), 1000, 1.0)
    require(
        torch.allclose(found, torch.tensor([4.0, 0.0]), atol=1e-5),
        f"A batch as large as the half-life, 1,000 images: half of the old average (8, −2) and half of the weights (0, 2) make (4, 0); yours makes "
        f"({found[0]:.3f}, {found[1]:.3f}).",
    )


def _hundred_steps(answer):
    average = torch.tensor([1.0])
    for _ in range(100):
        average = _averaged(answer, average, torch.tensor([0.0]), 100, 10.0)
    require(
        abs(average.item() - 0.5) < 1e-4,
        f"100 steps of 100 images are one half-life of 10 kimg: of the beginning 0.5 should be left, with yours it is {average.item():.4f}.",
    )


def _batch_does_not_matter(answer):
    once = _averaged(answer, *_pair(), 512, 3.0)
    twice = _averaged(answer, _averaged(answer, *_pair(), 256, 3.0), _pair()[1], 256, 3.0)
    require(
        torch.allclose(once, twice, atol=1e-5),
        f"While the weights stand still, one step of 512 images is two of 256; yours gives {once[0]:.4f} and {twice[0]:.4f}.",
    )


def _towards_the_weights(answer):
    found = _averaged(answer, *_pair(), 64, 10.0)
    want = 0.5 ** (64 / 10_000)
    require(
        abs(found[0].item() / 8 - want) < 1e-5,
        f"64 images of a half-life of 10,000: the old average keeps 0.5^0.0064 = {want:.4f} of its say; with yours {found[0].item() / 8:.4f}.",
    )


def _untouched(answer):
    average, weights = _pair()
    weights.requires_grad_(True)
    found = _averaged(answer, average, weights, 64, 10.0)
    require(
        torch.equal(average, _pair()[0]) and torch.equal(weights, _pair()[1]),
        "What came in was changed: return a new tensor.",
    )
    require(
        not found.requires_grad,
        "The new average hangs on the graph of the weights: over a training it would keep every step in memory. `torch.no_grad()` or `.detach()`.",
    )


def _behaviour(answer) -> list:
    average, weights = _pair()
    weights.requires_grad_(True)
    found = [
        answer(average, weights, 64, 10.0),
        answer(average, weights, 1000, 1.0),
        answer(average, weights, 256, 5.0),
    ]
    return [*(each.detach() for each in found), average.clone(), str(found[0].requires_grad)]


def _with(decay, keep_graph=False):
    def answer(average, weights, batch_size, half_life_kimg):
        beta = decay(batch_size, half_life_kimg)
        return beta * average + (1 - beta) * (weights if keep_graph else weights.detach())

    return answer


def _right(batch_size, half_life_kimg):
    return 0.5 ** (batch_size / (1000 * half_life_kimg))


def _in_place(average, weights, batch_size, half_life_kimg):
    return average.lerp_(weights.detach(), 1 - _right(batch_size, half_life_kimg))


averaged = Exercise(
    id="03b.ema",
    reference=ema,
    difficulty=1,
    minutes=6,
    properties=[
        Property("a half-life in one step", _one_half_life),
        Property("a half-life in a hundred steps", _hundred_steps),
        Property("64 images of 10,000", _towards_the_weights),
        Property("the batch size does not matter, the images do", _batch_does_not_matter),
        Property("nothing is changed, no graph is kept", _untouched),
    ],
    behaviour=_behaviour,
    other_forms=[
        lambda average, weights, batch_size, half_life_kimg: torch.lerp(
            weights.detach(), average, math.exp(-math.log(2) * batch_size / (1e3 * half_life_kimg))
        ),
        _with(_right),
    ],
    wrong_answers={
        "a fixed decay": WrongAnswer(
            _with(lambda batch, half: 0.999),
            "It behaves like a fixed decay of 0.999 a step. Twice the batch would then mean twice the memory, in images.",
        ),
        "the other share": WrongAnswer(
            _with(lambda batch, half: 1 - _right(batch, half)),
            "The two shares have changed places: the newest weights get nearly all the say, so nothing is averaged.",
        ),
        "e instead of 2": WrongAnswer(
            _with(lambda batch, half: math.exp(-batch / (1000 * half))),
            "It behaves like exp(−batch/half-life): after one half-life 1/e = 37 % is left. That is a time constant; a half-life leaves one half.",
        ),
        "images for thousands": WrongAnswer(
            _with(lambda batch, half: 0.5 ** (batch / half)),
            "The half-life is in *thousands* of images (kimg): yours forgets a thousand times too fast.",
        ),
        "steps for images": WrongAnswer(
            _with(lambda batch, half: 0.5 ** (1 / (1000 * half))),
            "It behaves as if each step were one image: the batch size has no part in it.",
        ),
        "upside down": WrongAnswer(
            _with(lambda batch, half: 0.5 ** (1000 * half / batch)),
            "The exponent is upside down: batch over half-life, not half-life over batch.",
        ),
        "a straight line": WrongAnswer(
            _with(lambda batch, half: 1 - batch / (2 * 1000 * half)),
            "It behaves like 1 − batch/(2·half-life): right for one whole half-life, but steps multiply, so after a hundred small ones 61 % is left instead of a half.",
        ),
        "in place": WrongAnswer(_in_place, "It writes into the average that came in. Here a new tensor is asked for."),
        "graph kept": WrongAnswer(
            _with(_right, keep_graph=True),
            "Right numbers, but the result hangs on the weights' graph: every step of the training would be kept in memory.",
        ),
    },
    hints=[
        "After one half-life, ½; after a batch, ½ to the power of batch/half-life, both in images.",
        "`decay * average + (1 - decay) * weights`, under `torch.no_grad()`.",
    ],
)
