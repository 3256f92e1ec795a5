"""Recipes: named, reproducible from their seed, resumable, with snapshots on the way."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from course_lib import data
from course_lib.training import RECIPES, recipes
from course_lib.training.classification import ClassifierConfig

GANS = [name for name, recipe in RECIPES.items() if isinstance(recipe, recipes.Recipe)]


@pytest.mark.parametrize("name", RECIPES)
def test_initial_weights_depend_on_the_recipe_alone(name):
    one = recipes.build(RECIPES[name])[0].state_dict()
    torch.rand(7)
    other = recipes.build(RECIPES[name])[0].state_dict()
    assert all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("name", GANS)
def test_recipes_see_all_60_000_images_and_keep_at_least_16_snapshots_or_8_beyond_chapter_02_where_weights_are_reduced(
    name,
):
    recipe = RECIPES[name]
    if not recipe.data.startswith("avatars"):  # which are 20,000, and counted in thousands of images
        assert recipe.config.steps % (60_000 // recipe.config.batch_size) == 0
    moments = recipes.snapshot_steps(recipe.config.steps, recipe.snapshots)
    assert (
        len(moments) >= (17 if recipe.kept == "float32" or name == "mlp-mnist" else 9)
        and moments[0] == 0
        and moments[-1] == recipe.config.steps
    )


@pytest.mark.parametrize("name", ["style-avatars-32", "style-avatars-64"])
def test_the_yardstick_sees_as_many_images_as_the_style_based_generators(name):
    config, other = RECIPES[name].config, RECIPES["dcgan-avatars"].config
    assert config.steps * config.batch_size == other.steps * other.batch_size
    assert 1000 * sum(fade + stable for _, fade, stable in config.growth) == pytest.approx(
        config.steps * config.batch_size, rel=0.01
    )


def test_a_short_run_leaves_its_snapshots_and_goes_on(tmp_path):
    settings = {"precision": "float32", "batch_size": 8, "checkpoint_every_steps": 2}
    recipes.train("mlp-fashion", tmp_path, {**settings, "steps": 4}, verbose=False)
    history = recipes.train("mlp-fashion", tmp_path, {**settings, "steps": 6, "log_every_steps": 1}, verbose=False)
    assert history["step"] == [5, 6]
    kept = sorted((tmp_path / "snapshots").glob("*.safetensors"))
    assert kept[0].name == "step-0000000.safetensors" and kept[-1].name == "step-0000006.safetensors"
    assert all(t.dtype == torch.float16 for name, t in load_file(kept[-1]).items() if "num_batches" not in name)


def test_unknown_names_are_answered_with_the_nearest():
    with pytest.raises(ValueError, match="recipe_name: .*did you mean 'dcgan-fashion'"):
        recipes.train("dcgan-fasion")
    with pytest.raises(ValueError, match="override: .*did you mean 'steps'"):
        recipes.train("mlp-fashion", overrides={"step": 3})


def test_a_classifiers_run_depends_on_its_recipe_alone(monkeypatch):
    """Dropout included: what was drawn before must not matter."""
    few = data.load("fashion-mnist", "test").subset(slice(0, 512))
    monkeypatch.setattr(data, "load", lambda *_: few)
    monkeypatch.setitem(
        RECIPES, "tiny", replace(RECIPES["classifier-fashion"], config=ClassifierConfig(epochs=1, batch_size=128))
    )
    runs = []
    for noise in (1, 2):
        torch.manual_seed(noise)
        runs.append(recipes.train_classifier("tiny")[0].state_dict())
    assert all(torch.equal(runs[0][key], runs[1][key]) for key in runs[0])
