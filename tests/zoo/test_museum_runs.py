"""The failure museum: each record is of the recipe as it stands, and each failure is what it claims to be, by its numbers."""

import math
import statistics
from dataclasses import replace

import pytest
import torch

from course_lib import data, training
from course_lib.training.loop import LOSSES, generator_step
from course_lib.zoo import museum


def late(name, column, share=0.2):
    """Median of a column over the last part of a run."""
    values = museum.load(name).history[column]
    return statistics.median(values[-max(1, round(share * len(values))) :])


def apart(name):
    return late(name, "real_logit") - late(name, "fake_logit")


@pytest.mark.parametrize("name", museum.EXHIBITS)
def test_a_record_is_of_the_recipe_as_it_stands_and_small(name):
    run, config = museum.load(name), museum.EXHIBITS[name].config
    recorded = {key: tuple(value) if isinstance(value, list) else value for key, value in run.config.items()}
    assert training.TrainConfig(**recorded) == config  # a setting that is younger than the record has its default
    steps = [each["step"] for each in run.moments]
    assert steps == [step for step in sorted({round(config.steps * share) for share in museum.MOMENTS})][: len(steps)]
    assert (len(steps) == len(museum.MOMENTS)) or run.stopped
    assert run.images.shape == (len(steps), museum.SHOWN, 1, 28, 28) and run.images.dtype == torch.uint8
    assert run.history["step"] == sorted(run.history["step"]) and len(run.history) >= 15
    assert sum(path.stat().st_size for path in museum.FOLDER.glob(f"{name}.*")) < 120_000


def test_the_museum_is_small_and_holds_nothing_else():
    files = {path.name for path in museum.FOLDER.iterdir()}
    assert files == {f"{name}.{kind}" for name in museum.EXHIBITS for kind in ("json", "png")}
    assert sum(path.stat().st_size for path in museum.FOLDER.iterdir()) < 500_000


def test_the_healthy_run_has_the_losses_of_a_balanced_game_and_all_kinds_of_clothes():
    assert late("healthy", "d_loss") == pytest.approx(math.log(4), abs=0.3)
    assert late("healthy", "g_loss") == pytest.approx(math.log(2), abs=0.3)
    assert abs(apart("healthy")) < 1 and 0.1 < late("healthy", "g_gradient_norm") < 10
    distances = [each["fid"] for each in museum.load("healthy").moments]
    assert distances[-1] < 0.5 * distances[0]
    assert museum.load("healthy").moments[-1]["class_entropy"] > 0.7 * museum.LOG_CLASSES


def test_the_collapsed_run_draws_one_image_and_its_losses_do_not_tell():
    run = museum.load("collapse")
    for images in run.images.float():
        assert images.std(0).mean() < 0.05 * images.std()  # 16 latents, one image
    assert max(each["class_entropy"] for each in run.moments) < 0.3 * museum.LOG_CLASSES
    assert all((one - other).abs().mean() > 5 for one, other in zip(run.images.float(), run.images[1:].float()))
    assert abs(late("collapse", "d_loss") - late("healthy", "d_loss")) < 0.15
    assert abs(late("collapse", "g_loss") - late("healthy", "g_loss")) < 0.3
    assert late("collapse", "g_gradient_norm") > 0.1  # neither dead nor alone


def test_the_overpowered_discriminator_is_sure_and_the_generator_has_a_gradient_all_the_same():
    assert late("overpowered", "d_loss") < 1e-2 and late("overpowered", "g_loss") > 5 and apart("overpowered") > 20
    assert late("overpowered", "g_gradient_norm") > 10 * late("healthy", "g_gradient_norm")
    assert museum.load("overpowered").moments[-1]["fid"] > 1.5 * museum.load("healthy").moments[-1]["fid"]


def test_the_saturating_loss_has_lost_its_gradient():
    assert apart("vanishing") > 20 and abs(late("vanishing", "g_loss")) < 1e-4
    assert late("vanishing", "g_gradient_norm") < 1e-4 * late("healthy", "g_gradient_norm")
    assert late("vanishing", "g_gradient_norm") < 1e-5 * late("overpowered", "g_gradient_norm")


def test_the_two_beaten_generators_differ_in_their_loss_alone():
    one, other = museum.EXHIBITS["overpowered"].config, museum.EXHIBITS["vanishing"].config
    assert replace(one, loss="saturating") == other


def test_the_unbounded_critic_explodes():
    run = museum.load("exploding")
    gaps = [row["real_logit"] - row["fake_logit"] for row in run.history.rows]
    tenth = len(gaps) // 10
    assert max(gaps[-tenth:]) > 15 * max(gaps[tenth : 2 * tenth])
    assert late("exploding", "d_gradient_norm", 0.1) > 10 * run.history["d_gradient_norm"][tenth]


def test_batch_norm_couples_images_and_the_penalty_does_not_hold_the_slope():
    (own, foreign), (own_plain, foreign_plain) = (museum.load(name).coupling for name in ("batch_norm", "penalised"))
    assert foreign_plain == 0 and foreign > 0.1 * own
    assert own > 1.5 and abs(own_plain - 1) < 0.5
    assert museum.load("batch_norm").moments[-1]["fid"] > 1.2 * museum.load("penalised").moments[-1]["fid"]


def test_gradients_that_are_not_cleared_grow_and_never_fall_back():
    norms = torch.tensor(museum.load("uncleared").history["g_gradient_norm"])
    assert (norms >= 0.9 * norms.cummax(0).values).all()
    assert norms[-1] > 4 * norms[len(norms) // 10] and norms[-1] > 100 * late("healthy", "g_gradient_norm")


def test_a_rate_that_is_too_high_leaps():
    for column in ("d_loss", "g_loss", "real_logit"):
        early = {name: museum.load(name).history[column][:20] for name in ("too_fast", "healthy")}
        leaps = {name: torch.tensor(values).diff().abs().max() for name, values in early.items()}
        assert leaps["too_fast"] > 10 * leaps["healthy"], column
    images = museum.load("too_fast").images[-1]
    assert ((images < 3) | (images > 252)).float().mean() > 0.9  # at the ends of Tanh


def test_the_uncleared_step_adds_up():
    torch.manual_seed(0)
    generator, discriminator = museum.EXHIBITS["uncleared"].networks()
    generator.eval(), discriminator.eval()
    z = torch.randn(8, 100)
    norms = {}
    for name, step in (("cleared", generator_step), ("uncleared", museum.uncleared_step)):
        optimizer = torch.optim.SGD(generator.parameters(), lr=0.0)
        generator.zero_grad()
        for _ in range(3):
            step(generator, discriminator, optimizer, z, LOSSES["non_saturating"])
        norms[name] = training.loop.gradient_norm(generator).item()
    assert norms["uncleared"] == pytest.approx(3 * norms["cleared"], rel=1e-4)
    assert all(parameter.requires_grad for parameter in discriminator.parameters())


def test_coupling_of_a_linear_critic_and_of_one_that_ends_in_batch_norm():
    torch.manual_seed(0)
    images, w = torch.randn(20, 5), torch.randn(5)
    own, foreign = museum.coupling(lambda x: x @ w, images)
    assert own == pytest.approx(w.norm().item(), rel=1e-5) and foreign == 0
    normed = lambda x: torch.nn.functional.batch_norm((x @ w)[:, None], None, None, training=True)[:, 0]  # noqa: E731
    own, foreign = museum.coupling(normed, images)
    assert foreign > 0.1 * own


def test_recording_writes_what_loading_reads(tmp_path, monkeypatch):
    monkeypatch.setattr(museum, "FOLDER", tmp_path)
    short = replace(museum.EXHIBITS["batch_norm"].config, steps=4, log_every_steps=1, batch_size=8)
    monkeypatch.setitem(museum.EXHIBITS, "batch_norm", replace(museum.EXHIBITS["batch_norm"], config=short))
    museum.load.cache_clear()
    try:
        facts, run = museum.record("batch_norm"), museum.load("batch_norm")
        assert [row["step"] for row in run.history.rows] == [1, 2, 3, 4] == facts["history"]["step"]
        assert run.images.shape == (len(run.moments), 16, 1, 28, 28) and run.coupling[1] > 0 and run.stopped is None
        torch.manual_seed(short.seed)
        generator, discriminator = museum.EXHIBITS["batch_norm"].networks()
        with pytest.warns(UserWarning, match="BatchNorm"):
            training.fit(generator, discriminator, data.load("fashion-mnist"), short, verbose=False)
        again = data.to_uint8(museum.draw(generator)[: museum.SHOWN])
        assert (run.images[-1].int() - again.int()).abs().max() <= 1
    finally:
        museum.load.cache_clear()


def test_unknown_and_missing_exhibits_say_so(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="did you mean 'collapse'"):
        museum.load("colapse")
    monkeypatch.setattr(museum, "FOLDER", tmp_path)
    museum.load.cache_clear()
    with pytest.raises(FileNotFoundError, match="expected a part of the museum, found nothing; mend it with"):
        museum.load("healthy")
    museum.load.cache_clear()
