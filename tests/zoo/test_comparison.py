"""The recorded comparison of losses is complete, agrees with itself and with runs of today, and is what its table says."""

import copy
import statistics
from dataclasses import replace

import pytest
import torch
from typer.testing import CliRunner

from course_lib import cli, data, plots_games
from course_lib.training.loop import TrainConfig
from course_lib.training.settings import fitting
from course_lib.zoo import comparing, comparison


@pytest.fixture(scope="module")
def recorded():
    return comparison.load()


RUNS = [(world, key) for world in comparison.WORLDS for key in comparison.CONTESTANTS]


@pytest.mark.parametrize(("world", "key"), RUNS)
def test_every_seed_of_every_contestant_is_there_with_the_settings_as_they_stand(recorded, world, key):
    here, entry = comparison.WORLDS[world], recorded.facts["worlds"][world]["contestants"][key]
    runs = recorded.runs(world, key)
    assert [each["seed"] for each in runs] == list(here.seeds)
    wanted = comparing.settings(world, key, 0, entry["config"]["learning_rate_g"], here.updates)
    assert {**entry["config"], "betas": tuple(entry["config"]["betas"]), "seed": 0} == wanted
    for name, value in wanted.items():
        fitting(TrainConfig, name, value)  # each is a field of a training, and of its type
    for each in runs:
        assert each["seconds"] > 0 and each["final"]
        assert len(each["looks"]) == here.looks
        assert here.updates - each["looks"][-1]["updates"] < entry["config"].get("critic_steps", 1)


@pytest.mark.parametrize(("world", "key"), RUNS)
def test_the_rate_is_the_one_whose_trial_ended_best(recorded, world, key):
    entry = recorded.facts["worlds"][world]["contestants"][key]
    trials = {float(rate): {"final": final} for rate, final in entry["trials"].items()}
    assert set(trials) == set(comparing.tried(world))
    assert comparing.best_rate(world, trials) == entry["config"]["learning_rate_g"]


@pytest.mark.parametrize("key", comparison.CONTESTANTS)
def test_the_modes_can_be_counted_again_from_the_points_that_were_kept(recorded, key):
    for each in recorded.runs("grid", key):
        points = recorded.drawn[f"grid.{key}.{each['seed']}"]
        assert points.shape == (1000, 2)
        assert comparing.counted(points) == each["final"] == {name: each["looks"][-1][name] for name in each["final"]}


def test_the_controls_are_there_and_show_what_a_rate_is_worth(recorded):
    """The non-saturating loss differs more from itself at another rate than from the saturating one at its own."""
    controls = recorded.facts["worlds"]["grid"]["controls"]
    assert [(each["key"], each["rate"]) for each in controls] == list(comparison.WORLDS["grid"].controls)
    mean = {row["key"]: row["modes"] for row in recorded.table()}
    again = {each["key"]: statistics.mean(final["modes"] for final in each["final"]) for each in controls}
    ours = abs(mean["non_saturating"] - mean["saturating"])
    assert abs(mean["non_saturating"] - again["non_saturating"]) > ours


@pytest.mark.parametrize("key", comparison.CONTESTANTS)
def test_fashions_numbers_fit_together(recorded, key):
    runs = recorded.runs("fashion", key)
    for each in runs:
        final, last = each["final"], each["looks"][-1]
        assert sum(final["classes"]) == pytest.approx(1, abs=1e-3)
        assert 0 <= final["recall"] <= 1 and 0 <= final["precision"] <= 1
        assert last["fid"] == pytest.approx(final["fid"], rel=0.15)  # 1,000 of the same samples against 5,000
        assert last["sure"] == pytest.approx(final["sure"], abs=0.05)
    images = recorded.drawn[f"fashion.{key}.{comparison.median_run(runs)['seed']}"]
    assert images.shape == (16, 1, 28, 28) and images.dtype == torch.uint8
    assert sum(name.startswith(f"fashion.{key}.") for name in recorded.drawn) == 1


def test_two_contestants_play_today_as_they_did_then(recorded):
    """The best and the worst after a fifth of the updates, of those whose randomness does not depend on their neighbours."""
    looks = comparison.WORLDS["grid"].looks // 5
    updates = comparison.WORLDS["grid"].updates // 5

    def then(key):
        return [each["looks"][looks - 1]["near"] for each in recorded.runs("grid", key)]

    keys = sorted(
        (key for key in comparison.CONTESTANTS if key != "wasserstein_gp"), key=lambda key: statistics.mean(then(key))
    )
    means = {}
    for key in (keys[0], keys[-1]):
        rate = recorded.facts["worlds"]["grid"]["contestants"][key]["config"]["learning_rate_g"]
        runs, _ = comparing.play_on_the_grid(key, comparison.WORLDS["grid"].seeds, rate, updates)
        means[key] = statistics.mean(each["final"]["near"] for each in runs)
        assert means[key] == pytest.approx(statistics.mean(then(key)), abs=0.1), key
    assert means[keys[0]] < means[keys[-1]]


def test_the_table_and_the_figure_say_what_the_record_says(recorded):
    facts = copy.deepcopy(recorded.facts)
    for run, fid in zip(facts["worlds"]["fashion"]["contestants"]["hinge"]["runs"], (1.0, 2.0, 6.0)):
        run["final"]["fid"], run["looks"][-1]["fid"] = fid, fid
    facts["worlds"]["grid"]["contestants"]["hinge"]["runs"][0]["final"] = {}
    changed = replace(recorded, facts=facts)
    row = next(row for row in changed.table() if row["key"] == "hinge")
    assert row["fid"] == 3.0 and row["fid_range"] == (1.0, 6.0) and row["grid_burst"] == 1
    others = [[row for row in each.table() if row["key"] != "hinge"] for each in (recorded, changed)]
    assert others[0] == others[1]
    curves = changed.curves("fashion", "fid")
    assert list(curves) == [who.label for who in comparison.CONTESTANTS.values()]
    figure = plots_games.seed_bands({"FID": curves}, title="T", xlabel="updates", log_y=("FID",))
    assert "hinge, spectral norm 2 (1 to 6)" in figure.alt and figure.png()[:4] == b"\x89PNG"


def test_burst_runs_are_the_worst_and_are_not_hidden():
    runs = [{"seed": seed, "final": final} for seed, final in enumerate([{"fid": 3.0}, {}, {"fid": 2.0}])]
    assert comparison.median_run(runs)["seed"] == 0
    trials = {1e-3: {"final": {"modes": 0, "near": 0.0}}, 1e-2: {"final": {}}}
    assert comparing.best_rate("grid", trials) == 1e-3


# ---------------------------------------------------------------- the command


def test_the_command_plays_what_is_missing_records_it_and_can_be_read(tmp_path, monkeypatch):
    small = {
        "grid": replace(
            comparison.WORLDS["grid"], seeds=range(2), updates=10, rates=(1e-3,), looks=2, controls=(("hinge", 1e-2),)
        ),
        "fashion": replace(
            comparison.WORLDS["fashion"], seeds=range(1), updates=5, trial_updates=5, rates=(1e-3, 2e-3), looks=1
        ),
    }
    chosen = {key: comparison.CONTESTANTS[key] for key in ("hinge", "wasserstein_clip")}
    for name, value in (("WORLDS", small), ("CONTESTANTS", chosen), ("JUDGED", 40), ("LOOKED_AT", 20)):
        for room in (comparison, comparing):
            monkeypatch.setattr(room, name, value)
    whole = data.load  # the test images stay whole: `judging.real` remembers what it made of them
    few = whole("fashion-mnist", "train").subset(slice(0, 640))
    monkeypatch.setattr(
        comparing.data, "load", lambda name, split="train": few if split == "train" else whole(name, split)
    )
    first = CliRunner().invoke(cli.app, ["compare", "--out", str(tmp_path)])
    assert first.exit_code == 0, first.output
    assert first.output.count("grid, hinge") == 4 and first.output.count("fashion, wasserstein_clip") == 3
    (tmp_path / "grid-hinge-0-1-at-0.001.json").unlink()
    again = CliRunner().invoke(cli.app, ["compare", "--out", str(tmp_path)])
    assert again.output.count("seed") == 2 and again.output.count("grid, hinge") == 2, (
        "two seeds of one file are missing"
    )
    read = comparison.load(tmp_path / "zoo")
    assert [len(read.runs(world, key)) for world in small for key in chosen] == [2, 2, 1, 1]
    assert {row["key"] for row in read.table()} == set(chosen)
    damaged = tmp_path / "zoo" / "samples.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    with pytest.raises(ValueError, match="samples.safetensors: expected SHA-256"):
        comparison.load(tmp_path / "zoo")


def test_an_unknown_world_is_answered(tmp_path):
    with pytest.raises(ValueError, match="worlds: expected one of grid, fashion, got 'rings'"):
        comparing.run(tmp_path, ["rings"])
