"""Avatars: attributes that are what was asked for, drawings that follow them, sheets that are what they were."""

import pytest
import torch

from course_lib import data
from course_lib.data import avatars

COLUMN = {name: index for index, name in enumerate(avatars.ATTRIBUTES)}


def drawn(**chosen):
    row = torch.zeros(1, len(COLUMN), dtype=torch.int64)
    for name, value in chosen.items():
        row[0, COLUMN[name]] = avatars.ATTRIBUTES[name].index(value)
    return avatars.render(row)[0]


def test_attributes_follow_their_chances():
    table = avatars.attributes(40_000, seed=1)
    for name, values in avatars.ATTRIBUTES.items():
        shares = torch.bincount(table[:, COLUMN[name]], minlength=len(values)) / len(table)
        want = torch.full((len(values),), 1 / len(values))
        if name in avatars.MOSTLY_NONE:
            none = avatars.MOSTLY_NONE[name]
            want = torch.tensor([none, *[(1 - none) / (len(values) - 1)] * (len(values) - 1)])
        assert (shares - want).abs().max() < 4 * (want * (1 - want) / len(table)).sqrt().max()


def test_attributes_are_independent_and_depend_on_the_seed_alone():
    table = avatars.attributes(20_000, seed=2)
    assert torch.equal(table, avatars.attributes(20_000, seed=2))
    assert torch.equal(table[:300], avatars.attributes(300, seed=2))  # a prefix is a smaller set
    assert not torch.equal(table, avatars.attributes(20_000, seed=3))
    assert torch.corrcoef(table.T.double()).fill_diagonal_(0).abs().max() < 0.03


def test_a_skew_can_be_planted_in_one_attribute():
    table = avatars.attributes(10_000, chances={"skin": {"pale": 3, "black": 1}})
    skins = torch.bincount(table[:, COLUMN["skin"]], minlength=7) / 10_000
    names = avatars.ATTRIBUTES["skin"]
    assert skins[names.index("pale")].item() == pytest.approx(0.75, abs=0.02)
    assert skins[names.index("pale")] + skins[names.index("black")] == 1
    assert torch.equal(table[:, 1:], avatars.attributes(10_000)[:, 1:])  # the others stay


def test_drawings_follow_the_attributes():
    face = (slice(None), slice(30, 40), slice(22, 42))
    pale, black = (drawn(skin=skin)[face].float().mean() for skin in ("pale", "black"))
    assert pale > black + 60
    plain = drawn(hair="bob")
    for change in ({"beard": "beard_medium"}, {"glasses": "sunglasses"}, {"mouth": "vomit"}, {"eyes": "heart"}):
        assert (drawn(hair="bob", **change) != plain).any()
    red, white = (
        drawn(clothes="hoodie", clothes_color=color)[:, 55:, 24:40].float().mean((1, 2)) for color in ("red", "white")
    )
    assert red[0] > red[1] + 50 and (white.max() - white.min()) < 20


def test_processes_draw_what_one_draws():
    table = avatars.attributes(220, seed=4)
    assert torch.equal(avatars.render(table, 16, workers=2), avatars.render(table, 16, workers=1))


def test_the_small_set_is_the_beginning_of_the_whole_one():
    for split, count in avatars.SMALL.items():
        images = data.load("avatars-small", split)
        assert images.pixels.shape == (count, 3, 64, 64) and images.attributes.shape == (count, 9)
        assert torch.equal(images.attributes, avatars.attributes(avatars.COUNTS[split], split)[:count])
        again = avatars.render(images.attributes[:40])
        assert (again.int() - images.pixels[:40].int()).abs().max() <= 8  # another renderer's rounding
        assert torch.equal(images.labels, images.attributes[:, COLUMN["hair"]])
        assert images.class_names == avatars.ATTRIBUTES["hair"]


def test_the_whole_set_is_drawn_once(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    monkeypatch.setattr(avatars, "COUNTS", {"train": 30, "test": 20})
    first = data.load("avatars", "test")
    monkeypatch.setattr(avatars, "render", None)
    again = data.load("avatars", "test")
    assert torch.equal(first.pixels, again.pixels) and first.sha256() == again.sha256() and len(first) == 20
    assert torch.equal(first.pixels[:20], data.load("avatars-small", "test").pixels[:20])


def test_sheets_and_back():
    pixels = torch.randint(256, (100, 3, 4, 4), dtype=torch.uint8)
    sheet = avatars.to_sheet(pixels)
    assert sheet.shape == (8, 200, 3) and torch.equal(avatars.from_sheet(sheet), pixels)
    assert torch.equal(sheet[4:8, 4:8], pixels[51].permute(1, 2, 0))


def test_at_32_pixels_each_is_the_mean_of_four():
    large, small = (data.load(name, "test") for name in ("avatars-small", "avatars-small-32"))
    assert small.pixels.shape == (500, 3, 32, 32) and torch.equal(small.attributes, large.attributes)
    means = large.pixels.double().unflatten(3, (32, 2)).unflatten(2, (32, 2)).mean((3, 5))
    assert (small.pixels - means).abs().max() <= 0.5


def test_bad_input_is_named(tmp_path):
    with pytest.raises(ValueError, match="chances: expected one of .*did you mean 'skin'"):
        avatars.attributes(3, chances={"skim": {"pale": 1}})
    with pytest.raises(ValueError, match="skin: expected one of .*did you mean 'pale'"):
        avatars.attributes(3, chances={"skin": {"pail": 1}})
    with pytest.raises(ValueError, match="chances: expected weights of at least 0"):
        avatars.attributes(3, chances={"skin": {"pale": -1.0}})
    with pytest.raises(ValueError, match=r"table: expected \(N, 9\) indices"):
        avatars.render(torch.full((2, 9), 99))
    with pytest.raises(FileNotFoundError, match="expected a sheet of avatars"):
        avatars.read_small("train", tmp_path)
    (tmp_path / "train.webp").write_bytes(b"RIFF")
    with pytest.raises(ValueError, match="expected a whole WebP"):
        avatars.read_small("train", tmp_path)
