"""Linear separability: how well a plane through latent space tells an attribute's two values apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from course_lib.runtime import keyed_generator

RIDGE = 1e-3  # per point: keeps the plane finite where the points can be separated
STEPS = 50  # of Newton's method, which needs ten or so
DRAWS = 1000  # of the bootstrap


class Separability(NamedTuple):
    """`score` is exp of the sum of `entropies` (nats): 1 if a plane tells every attribute, 2 to the power of their
    number if no plane tells anything of values that are equally common. `low` and `high` are the bootstrap's over the
    points that were judged, for planes that stay; `points` is their number, `accuracies` the share on the right side.
    """

    score: float
    low: float
    high: float
    entropies: dict[str, float]
    accuracies: dict[str, float]
    points: dict[str, int]


def linear_separability(
    latents: Tensor,
    chances: Mapping[str, Tensor],
    *,
    kept: float = 0.5,
    held_out: float = 0.5,
    confidence: float = 0.95,
    seed: int = 0,
) -> Separability:
    """exp Σ H(value | side of the plane), a sum over attributes, each with the plane that tells it best.

    Karras, Laine, Aila 2018 (arXiv:1812.04948, section 4.2). The plane here is logistic regression's on coordinates of
    variance 1, theirs a linear SVM's on the coordinates as they are. They judge the points that the plane was fitted
    to, 100,000 of them; of the few thousand of a course a plane in 100 dimensions would tell most by heart, so others
    are judged.

    latents:  (N, d)
    chances:  {attribute: (N,) in [0, 1]}, how sure a classifier is that the image of each latent has it, or booleans
              that are known
    kept:     share of the points, the surest, that count for an attribute; 1 where values are known
    held_out: share of those that are judged, and not fitted to; 0 judges the fitted ones, as the paper does
    raises:   ValueError if shapes do not fit or an attribute has only one value among its points
    """
    if latents.ndim != 2 or len(latents) < 10:
        raise ValueError(f"latents: expected (N, d) with N of 10 or more, got {tuple(latents.shape)}")
    if not chances:
        raise ValueError("chances: expected at least one attribute, got none")
    for argument, value, lowest, highest in (("kept", kept, 0, 1), ("held_out", held_out, 0, 0.9)):
        if not lowest <= value <= highest or (argument == "kept" and not value):
            raise ValueError(f"{argument}: expected a share up to {highest}, got {value}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: expected a number between 0 and 1, got {confidence}")
    points = latents.detach().double().cpu()
    points = (points - points.mean(0)) / points.std(0).clamp(min=1e-12)
    entropies, accuracies, counts = {}, {}, {}
    drawn = torch.zeros(DRAWS, dtype=torch.float64)
    for name, chance in chances.items():
        order = _surest(chance, len(points), kept, name)
        draw = keyed_generator("cpu", seed, "separability", name)
        order = order[torch.randperm(len(order), generator=draw)]
        judged = round(held_out * len(order))
        value = chance.detach().double().cpu()[order] > 0.5
        rows, fitted = points[order], slice(judged, None)
        if not (0 < value[fitted].sum() < len(value[fitted])):
            raise ValueError(
                f"chances: expected both values of {name!r} among {len(value[fitted])} points, got one; "
                "take more points, or keep more of them"
            )
        normal, offset = separating_plane(rows[fitted], value[fitted])
        judged = slice(0, judged or None)
        side, value = rows[judged] @ normal + offset > 0, value[judged]
        entropies[name] = conditional_entropy(_table(side, value)).item()
        accuracies[name] = (side == value).double().mean().item()
        counts[name] = len(value)
        cell = torch.multinomial(_table(side, value).flatten(), DRAWS * len(value), True, generator=draw)
        tables = torch.nn.functional.one_hot(cell.view(DRAWS, -1), 4).sum(1).view(DRAWS, 2, 2)
        drawn += conditional_entropy(tables)
    tail = (1 - confidence) / 2
    low, high = drawn.exp().quantile(torch.tensor([tail, 1 - tail], dtype=torch.float64)).tolist()
    score = torch.tensor(sum(entropies.values()), dtype=torch.float64).exp().item()
    return Separability(score, low, high, entropies, accuracies, counts)


def conditional_entropy(table: Tensor) -> Tensor:
    """H(Y | X) in nats of counts or probabilities (..., X, Y), which need not sum to 1: what is still unknown of Y, from
    0 to log of the number of its values, once X is known.
    """
    table = table.double() / table.double().sum((-2, -1), keepdim=True)
    side = table.sum(-1, keepdim=True)
    return (torch.special.entr(table).sum((-2, -1)) - torch.special.entr(side).sum((-2, -1))).clamp(min=0)


def separating_plane(points: Tensor, value: Tensor, ridge: float = RIDGE) -> tuple[Tensor, Tensor]:
    """The plane of logistic regression: (normal (d,), offset ()), with points · normal + offset > 0 where True is likelier.

    Minimises the mean of log(1 + exp(∓score)) plus ridge/2 · ‖normal‖², by Newton's method, halving a step that climbs.

    points: (N, d) float64, coordinates of comparable size;  value: (N,) bool
    """
    rows = torch.cat([points, torch.ones(len(points), 1, dtype=points.dtype)], 1)
    penalty = torch.full((rows.shape[1],), ridge, dtype=points.dtype)
    penalty[-1] = 0  # the offset is free
    target = value.to(points.dtype)

    def loss(weights: Tensor) -> Tensor:
        score = rows @ weights
        return torch.nn.functional.softplus(score).sub(target * score).mean() + (penalty * weights.square()).sum() / 2

    weights = torch.zeros_like(penalty)
    for _ in range(STEPS):
        chance = (rows @ weights).sigmoid()
        slope = rows.T @ (chance - target) / len(rows) + penalty * weights
        bend = rows.T @ (rows * (chance * (1 - chance))[:, None]) / len(rows) + torch.diag(penalty + 1e-12)
        step = torch.linalg.solve(bend, slope)
        before = loss(weights)
        while loss(weights - step) > before and step.norm() > 1e-12:
            step = step / 2
        weights = weights - step
        if step.norm() <= 1e-9 * (1 + weights.norm()):
            break
    return weights[:-1], weights[-1]


def _surest(chance: Tensor, count: int, kept: float, name: str) -> Tensor:
    """Indices of the share `kept` of the points whose chance is furthest from ½."""
    if chance.shape != (count,) or not ((chance >= 0) & (chance <= 1)).all():
        raise ValueError(
            f"chances: expected ({count},) in [0, 1] for {name!r}, got {tuple(chance.shape)}"
            + (f" from {chance.min():g} to {chance.max():g}" if chance.numel() and chance.dtype != torch.bool else "")
        )
    sure = (chance.detach().double().cpu() - 0.5).abs()
    return sure.argsort(descending=True, stable=True)[: max(2, round(kept * count))]


def _table(side: Tensor, value: Tensor) -> Tensor:
    """Counts (2, 2): rows are sides of the plane, columns values, False first."""
    return torch.bincount(2 * side.long() + value.long(), minlength=4).view(2, 2).double()
