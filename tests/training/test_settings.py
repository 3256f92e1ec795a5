"""Settings as text; `gan-course train`: what it says before a run, and what it insists on."""

from dataclasses import dataclass

import pytest
from typer.testing import CliRunner

from course_lib import cli
from course_lib.files import cache_dir
from course_lib.training import TrainConfig, TrainingDiverged, recipes, settings
from course_lib.training.rehearsal import rehearse
from course_lib.zoo import recording

SHORT = {"batch_size": 16, "precision": "float32", "log_every_steps": 2}
SET = [word for name, value in SHORT.items() for word in ("--set", f"{name}={value}")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("steps=1000", 1000),
        ("learning_rate_g=2e-4", 2e-4),
        ("learning_rate_g=1", 1),
        ("loss=hinge", "hinge"),
        ("channels_last=false", False),
        ("penalty=r1", "r1"),
        ("penalty=none", None),
        ("clip=0.01", 0.01),
        ("clip=None", None),
        ("betas=0,0.9", (0, 0.9)),
        ("betas=(0.0, 0.9)", (0.0, 0.9)),
        ("augment=brightness,cutout", ("brightness", "cutout")),
        ("augment=cutout", ("cutout",)),
        ("augment=", ()),
    ],
)
def test_text_becomes_the_fields_type(text, value):
    name, found = settings.parse(TrainConfig, text)
    assert name == text.partition("=")[0] and found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("steps", "--set: expected NAME=VALUE, got 'steps'"),
        ("stepss=3", "--set: expected one of steps, .*, got 'stepss'; did you mean 'steps'"),
        ("steps=1e3", "steps: expected int, got 1000.0"),
        ("steps=true", "steps: expected int, got True"),
        ("learning_rate_d=fast", "learning_rate_d: expected float, got 'fast'"),
        ("channels_last=1", "channels_last: expected bool, got 1"),
        ("clip=r1", "clip: expected float or None, got 'r1'"),
        ("betas=0.5", r"betas: expected \(float, float\), got \(0.5,\)"),
        ("augment=1,2", r"augment: expected \(str, ...\), got \(1, 2\)"),
    ],
)
def test_what_does_not_fit_is_named_with_what_would(text, says):
    with pytest.raises(ValueError, match=says):
        settings.parse(TrainConfig, text)


def test_a_word_stays_a_word_where_one_is_expected():
    @dataclass
    class Named:
        name: str

    assert settings.parse(Named, "name=1") == ("name", "1")


def test_values_from_python_are_checked_alike():
    assert settings.fitting(TrainConfig, "betas", (0.0, 0.99)) == (0.0, 0.99)
    with pytest.raises(ValueError, match="augment: expected .*, got 'cutout'"):
        recipes.train("mlp-fashion", overrides={"augment": "cutout"})
    with pytest.raises(ValueError, match="checkpoint_dir: expected no override, the run's folder is out"):
        recipes.train("mlp-fashion", overrides={"checkpoint_dir": "x"})
    with pytest.raises(ValueError, match="ema_half_life_kimg: expected a number, since a recipe keeps averaged"):
        recipes.train("mlp-fashion", overrides={"ema_half_life_kimg": None})


def run(*arguments):
    return CliRunner().invoke(cli.app, ["train", *arguments])


def test_a_dry_run_says_what_a_run_would_be_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.rglob("*"))
    found = rehearse("mlp-fashion", overrides={**SHORT, "steps": 100_000}, seconds=0.2, verbose=False)
    assert found.parameters == (1_510_032, 533_505) and found.images == 60_000 and found.shape == (1, 28, 28)
    assert found.done is None and found.timed >= 1
    assert found.seconds_left == pytest.approx(100_000 * 16 / found.images_per_second)
    said = run("mlp-fashion", "--dry-run", "--set", "steps=6", *SET).output
    assert "1,510,032 parameters" in said and "6 of 16 images, 1 of D for each of G: 0.0 epochs" in said
    assert "no run yet" in said and said.endswith("nothing was written\n")
    assert set(tmp_path.rglob("*")) == before and not cache_dir().exists()


def test_a_lazy_penalty_is_timed_by_whole_cycles(monkeypatch, few):
    from course_lib import data
    from course_lib.models import residual

    recipe = recipes.Recipe("", "fashion-mnist", 8, lambda: (residual.Generator(8, 4, 1, 8), residual.Discriminator(4, 1, 8)), TrainConfig(4000))  # fmt: skip
    monkeypatch.setitem(recipes.RECIPES, "tiny", recipe)
    monkeypatch.setattr(data, "load", lambda *_: few)
    settings = {**SHORT, "penalty": "r1", "penalty_weight": 1.0, "penalty_every": 6, "critic_steps": 4}
    assert rehearse("tiny", overrides=settings, seconds=0.0, verbose=False).timed == 3  # 12 updates of D


def test_resume_and_fresh_insist(tmp_path, monkeypatch):
    card = {"summary": "", "minutes": 0, "hardware": {"device": ""}, "metrics": {}}
    monkeypatch.setattr(recording, "record_generator", lambda *_: card)
    monkeypatch.chdir(tmp_path)
    missing = run("mlp-fashion", "--resume", *SET)
    assert str(missing.exception) == "--resume: expected a run in runs/mlp-fashion, found no last.safetensors"
    assert not (tmp_path / "runs").exists()
    assert run("mlp-fashion", "--fresh", "--set", "steps=2", *SET).exit_code == 0
    assert (tmp_path / "runs" / "mlp-fashion" / "log.csv").read_text().count("\n") == 2
    there = run("mlp-fashion", "--fresh", "--set", "steps=4", *SET)
    assert "--fresh: expected no run in runs/mlp-fashion, found one; choose another --out" in str(there.exception)
    went_on = run("mlp-fashion", "--resume", "--set", "steps=4", *SET)
    assert went_on.exit_code == 0 and "at step 2" in went_on.output
    assert "a run at step 4, which would go on" in run("mlp-fashion", "--dry-run", "--set", "steps=6", *SET).output


def test_a_divergence_is_a_sentence_and_a_failure(tmp_path, monkeypatch):
    def diverges(*_):
        raise TrainingDiverged(7, "a loss was NaN", None)

    monkeypatch.setattr(recipes, "train", diverges)
    found = run("mlp-fashion", "--out", str(tmp_path))
    assert found.exit_code == 1 and found.output.startswith("gan-course: training diverged at step 7: a loss was NaN")


def test_a_classifier_is_no_gan(tmp_path, monkeypatch):
    said = str(run("classifier-fashion", "--dry-run").exception)
    assert said.startswith("--dry-run, --resume: expected a GAN's recipe, got a classifier's")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert "torchrun: expected a GAN's training" in str(run("classifier-fashion").exception)
