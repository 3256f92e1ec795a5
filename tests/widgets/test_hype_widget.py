"""HYPE driven by plain Python: the page's messages, a simulated observer, what is kept, and what is refused."""

import base64
import html
import io
import json
import math

import pytest
import torch
from PIL import Image

from course_lib import data, widgets, zoo
from course_lib.exercises import sittings
from course_lib.metrics.hype import Observer, Rule
from course_lib.widgets.hype import MASKS, in_words, on_screen, pictures, score
from course_lib.widgets.hype_page import PAGE, framed


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))


def said(test):
    """The kernel's last message to the page."""
    return json.loads(html.unescape(test.ear.value.removeprefix("<pre>").removesuffix("</pre>")))


def tell(test, **message):
    """What the browser does: type a message into the hidden text."""
    test.mouth.value = json.dumps({**message, "sent": len(test.mouth.value) + 1})


def test_a_run_as_the_page_plays_it():
    test = widgets.hype(rule=Rule(trials=10, start_ms=200), seed=3)
    tell(test, kind="ready", frame_ms=16.7)
    assert said(test)["say"].startswith("Ready") and test.frame_ms == 16.7
    tell(test, kind="begin")
    sheet = said(test)
    picture = Image.open(io.BytesIO(base64.b64decode(sheet["sheet"].removeprefix("data:image/png;base64,"))))
    assert picture.size == (sheet["columns"] * 28, 2 * 28) and (sheet["width"], sheet["height"]) == (28, 28)
    tell(test, kind="loaded")
    _, is_real = pictures("dcgan-fashion", 10, 3)
    for number in range(10):
        asked = said(test)
        assert (asked["trial"], asked["of"], asked["cell"]) == (number, 10, number)
        assert all(10 <= mask < 10 + MASKS for mask in asked["masks"]) and len(set(asked["masks"])) == 3
        right = number % 3 > 0
        says = "real" if is_real[number] == right else "generated"
        tell(test, kind="answer", trial=number, says=says, shown_ms=asked["ms"] + 1, reaction_ms=321.0)
        if number == 4:
            tell(test, kind="answer", trial=2, says="real", shown_ms=50)  # a second view's late answer
    (kept,) = sittings.read("timed")
    assert kept["result"] == json.loads(json.dumps(test.sitting["result"])) and kept["network"] == "dcgan-fashion"
    assert [(each["says"] == "real") == each["real"] for each in kept["trials"]] == [n % 3 > 0 for n in range(10)]
    assert all(abs(each["shown_ms"] - each["asked_ms"] - 1) < 0.011 for each in kept["trials"])
    assert (
        said(test)["say"].startswith("Done") and "HYPE-time" in test.results.value and "hype.json" in test.status.value
    )


def test_a_page_that_is_drawn_anew_goes_on_where_it_was():
    test = widgets.hype(rule=Rule(trials=10), seed=3)
    for message in ({"kind": "ready", "frame_ms": 10}, {"kind": "begin"}, {"kind": "loaded"}):
        tell(test, **message)
    tell(test, kind="answer", trial=0, says="real", shown_ms=500)
    tell(test, kind="ready", frame_ms=8)
    assert "sheet" in said(test)
    tell(test, kind="loaded")
    assert said(test)["trial"] == 1


def test_stopping_keeps_nothing():
    test = widgets.hype(rule=Rule(trials=10), seed=3)
    for message in ({"kind": "begin"}, {"kind": "loaded"}, {"kind": "stop"}):
        tell(test, **message)
    assert said(test)["say"].startswith("Stopped")
    tell(test, kind="answer", trial=0, says="real", shown_ms=500)
    assert sittings.read() == [] and test.sitting is None


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"kind": "answer", "trial": 0, "says": "reel", "shown_ms": 500}, "did you mean"),
        ({"kind": "answer", "trial": 0, "says": "real", "shown_ms": 0}, "shown_ms: expected more than 0, got 0"),
        ({"kind": "answer", "trial": 0, "says": "real"}, "shown_ms: expected more than 0"),
        ({"kind": "answr"}, "did you mean"),
    ],
)
def test_a_wrong_message_is_told_and_counts_for_nothing(message, error):
    test = widgets.hype(rule=Rule(trials=10), seed=3)
    for each in ({"kind": "begin"}, {"kind": "loaded"}, message):
        tell(test, **each)
    assert "stopped: ValueError" in test.status.value and error in test.status.value
    assert "error" in said(test)["say"] and sittings.read() == []
    tell(test, kind="begin")
    tell(test, kind="loaded")
    assert said(test)["trial"] == 0 and test.status.value == ""


def test_a_slower_observer_gets_a_longer_time_and_a_blinder_one_a_larger_share():
    test = widgets.hype(seed=1)
    draw = torch.Generator().manual_seed(0)
    times = [test.play(Observer(ms), draw)["result"]["ms"] for ms in (50, 150, 450)]
    assert times[0] < 0.7 * times[1] < 0.5 * times[2]
    test.mode.value = "untimed"
    shares = [test.play(Observer(100, blind=blind), draw)["result"]["share"] for blind in (0.0, 0.5, 1.0)]
    assert shares[0] == 0 < shares[1] < shares[2] and 0.25 < shares[2] < 0.75
    assert sittings.read() == [], "a simulated sitting is not the learner's"


def test_half_are_photographs_and_no_border_gives_a_sample_away():
    images, is_real = pictures("dcgan-fashion", 20, seed=5)
    assert images.shape == (20 + MASKS, 1, 28, 28) and sum(is_real) == 10 and is_real != sorted(is_real)
    test = data.load("fashion-mnist", "test").pixels
    in_data = [bool((test == image).flatten(1).all(1).any()) for image in images[:20]]
    assert in_data == is_real
    other, _ = pictures("dcgan-fashion", 20, seed=6)
    assert (images != other).any()


def test_a_mask_has_the_greys_of_an_image_and_not_its_places():
    images, _ = pictures("dcgan-fashion", 20, seed=5)
    sorted_images = images[:20].flatten(1).sort(1).values
    for mask in images[20:]:
        same_greys = (sorted_images == mask.flatten().sort().values).all(1)
        assert same_greys.any() and not (images[:20][same_greys] == mask).flatten(1).all(1).any()


def test_truncation_reaches_the_samples():
    whole, is_real = pictures("dcgan-fashion", 40, seed=2)
    cut, _ = pictures("dcgan-fashion", 40, seed=2, threshold=0.5)
    fakes = ~torch.tensor(is_real)
    spread = [each[:40][fakes].float().var(0).mean() for each in (whole, cut)]
    assert spread[1] < 0.9 * spread[0] and (whole[:40][~fakes] == cut[:40][~fakes]).all()


def test_results_in_words():
    flashes = [{"real": True, "says": "real", "asked_ms": 100.0, "shown_ms": 100.0 + 50 * (n == 3)} for n in range(12)]
    timed = {"mode": "timed", "seed": 0, "frame_ms": 16.7, "trials": flashes}
    timed["result"] = score(timed)._asdict()
    assert (
        "12 flashes" in in_words(timed)
        and on_screen(timed) == "0.0 ms off (median); 1 of 12 by more than 1½ frames of 16.7 ms"
    )
    untimed = {
        "mode": "untimed",
        "seed": 0,
        "trials": [{"real": True, "says": "generated"}, {"real": False, "says": "generated"}],
    }
    untimed["result"] = score(untimed)._asdict()
    assert in_words(untimed) == "HYPE∞ 50% wrong (0% to 100%; 2 images)" and on_screen(untimed) == ""
    with pytest.raises(ValueError, match="sitting: expected at least one answer, got none"):
        score({"mode": "untimed", "seed": 0, "trials": []})


def test_what_cannot_be_run_is_refused():
    with pytest.raises(ValueError, match="untimed: expected an even number of at least 10, got 5"):
        widgets.hype(untimed=5)
    with pytest.raises(ValueError, match="network: expected one of .*did you mean 'dcgan-fashion'"):
        widgets.hype("dcgan-fashon")
    with pytest.raises(ValueError, match="count: expected an even number of at least 2, got 3"):
        pictures("dcgan-fashion", 3, 0)
    with pytest.raises(ValueError, match="threshold: expected at least 0.01"):
        pictures("dcgan-fashion", 4, 0, threshold=0.0)


def test_every_generator_of_clothes_is_offered_and_nothing_else():
    offered = widgets.hype(seed=1).network.options
    assert {"dcgan-fashion", "mlp-fashion"} <= set(offered) and "classifier-fashion" not in offered
    assert all(zoo.card(name)["data"]["name"] == "fashion-mnist" for name in offered)


def test_the_page_is_escaped_into_its_frame_and_flashes_by_animation_frames():
    frame = framed()
    assert html.unescape(frame.split('srcdoc="')[1].split('"></iframe>')[0]) == PAGE
    assert "requestAnimationFrame" in PAGE and "createImageBitmap" in PAGE and "https:" not in PAGE
    assert math.isclose(1000 / 60, Rule().shortest_ms)
