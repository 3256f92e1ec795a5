"""What lies between two kinds of things, by the classifier's probabilities."""

import pytest
import torch

from course_lib import data, latent, zoo
from course_lib.zoo import judging

SANDAL, BAG, SHIRT, T_SHIRT = 5, 8, 6, 0


def probabilities(**shares):
    """One row with these shares, what is left spread over all ten classes."""
    row = torch.full((10,), (1 - sum(shares.values())) / 10)
    for name, share in shares.items():
        row[{"sandal": SANDAL, "bag": BAG, "shirt": SHIRT, "t_shirt": T_SHIRT}[name]] += share
    return row


def test_between_two_kinds_is_neither_sure_nor_between_neighbours():
    rows = torch.stack(
        [
            probabilities(sandal=0.5, bag=0.4),
            probabilities(bag=0.5, shirt=0.45),
            probabilities(shirt=0.5, t_shirt=0.45),  # within clothes
            probabilities(sandal=0.95, bag=0.04),  # sure
        ]
    )
    assert judging.between_kinds(rows).tolist() == [True, True, False, False]
    assert judging.between_kinds(rows.flip(0)).tolist() == [False, False, True, True]
    assert judging.between_kinds(rows[:0]).shape == (0,)


def test_kinds_are_the_callers_and_hold_each_class_once():
    row = torch.tensor([[0.5, 0.3, 0.2]])
    assert judging.between_kinds(row, {"a": [0], "b": [1, 2]}).item()
    assert not judging.between_kinds(row, {"a": [0, 1], "b": [2]}).item()
    for kinds in ({"a": [0, 1]}, {"a": [0, 1], "b": [1, 2]}, {"a": [0, 1], "b": [3]}):
        with pytest.raises(ValueError, match="kinds: expected each of 3 classes once"):
            judging.between_kinds(row, kinds)
    names = data.load("fashion-mnist", "test").class_names
    assert {kind: [names[index] for index in members] for kind, members in judging.FASHION_KINDS.items()} == {
        "clothes": ["T-shirt", "trouser", "pullover", "dress", "coat", "shirt"],
        "shoes": ["sandal", "sneaker", "ankle boot"],
        "bags": ["bag"],
    }


def test_a_generator_that_is_told_no_class_draws_things_between_two_kinds():
    """N = 3,000 each. Photographs and a network that is told the class hardly do; the others do, four times as often."""
    n, labels = 3000, torch.arange(10).repeat_interleave(300)
    sets = {
        "photographs": data.load("fashion-mnist", "test").pixels[:n],
        "dcgan": zoo.sample(zoo.load("dcgan-fashion")[0], n),
        "residual": zoo.sample(zoo.load("residual-fashion")[0], n),
        "told": zoo.sample(zoo.load("residual-fashion-classes")[0], n, labels=labels),
    }
    share = {
        name: judging.between_kinds(judging.classify(images)[1]).double().mean().item() for name, images in sets.items()
    }
    assert min(share["dcgan"], share["residual"]) > 4 * max(share["photographs"], share["told"])
    assert share["photographs"] > 0


def test_every_way_from_a_sandal_to_a_bag_leads_past_images_of_no_sure_class():
    """Where the most probable class changes, two are equally probable, so neither has more than one half."""
    dcgan = zoo.load("dcgan-fashion")[0]
    z = torch.randn(400, 100, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        probabilities = judging.classify(dcgan(z))[1]
        sandals, bags = (z[(probabilities[:, label] > judging.SURE)][:12] for label in (SANDAL, BAG))
        assert len(sandals) == len(bags) == 12
        for start, end in zip(sandals, bags):
            way = latent.slerp(start.expand(129, -1), end.expand(129, -1), torch.linspace(0, 1, 129)[:, None])
            sure = judging.classify(dcgan(way))[1].amax(1)
            assert sure[0] > judging.SURE < sure[-1] and sure.min() < judging.SURE
