"""Progressive growing: stages from the images seen alone, exact resume across their boundaries, schedules refused by name."""

import json
import os
import subprocess
import sys
import textwrap

import pytest
import torch

from course_lib import data, runtime
from course_lib.models import dcgan, style
from course_lib.training import TrainConfig, checkpoint, fit, growth, settings

SCHEDULE = ((4, 0.0, 0.032), (8, 0.016, 0.032), (16, 0.032, 0.016))  # in batches of 8: steps 0–4, 4–6–10, 10–14–…
SETTINGS = dict(
    steps=16,
    batch_size=8,
    growth=SCHEDULE,
    penalty="r1",
    penalty_weight=0.1,
    penalty_every=4,
    betas=(0.0, 0.99),
    log_every_steps=2,
    checkpoint_every_steps=3,
)


@pytest.fixture(scope="module")
def small():
    """200 avatars at 16×16."""
    images = data.load("avatars-small-32", "test").subset(slice(0, 200))
    pixels = torch.nn.functional.avg_pool2d(images.pixels.float(), 2).to(torch.uint8)
    return data.Images(pixels, images.labels, images.class_names)


def pair():
    torch.manual_seed(0)
    return style.Generator(8, 4, 3, 16, most=8), style.Discriminator(4, 3, 16, most=8)


def run(images, folder, callbacks=(), **changes):
    config = TrainConfig(**{**SETTINGS, "precision": "float32", "checkpoint_dir": str(folder), **changes})
    networks = pair()
    fit(*networks, images, config, callbacks, verbose=False)
    return networks, checkpoint.load(folder / "last.safetensors")


def test_a_stage_is_a_function_of_the_images_seen():
    found = [growth.stage(SCHEDULE, 8 * step) for step in range(17)]
    sides, alphas = zip(*found)
    assert sides == (*[4] * 4, *[8] * 6, *[16] * 7)
    assert alphas == (1, 1, 1, 1, 0, 0.5, *[1] * 4, 0, 0.25, 0.5, 0.75, 1, 1, 1)
    assert growth.stage(SCHEDULE, 10**9) == (16, 1.0)  # the last stage has no end
    assert growth.ends(SCHEDULE, 8) == [4, 10]


def test_a_run_goes_through_its_stages_and_tells_all_three_networks(small, tmp_path):
    seen = []

    def look(state):
        networks = (state.generator.synthesis, state.discriminator, state.average.network.synthesis)
        assert len({(each.resolution, each.alpha) for each in networks}) == 1
        seen.append((networks[0].resolution, networks[0].alpha))

    run(small, tmp_path, [look])
    assert seen[1:] == [growth.stage(SCHEDULE, 8 * step) for step in range(16)]  # the first call precedes all steps


def test_real_images_shrink_to_the_stage_and_are_faded_as_the_fakes_are():
    real = torch.randn(3, 3, 16, 16)
    assert growth.shrunk(real, (), 0) is real
    small = torch.nn.functional.avg_pool2d(real, 2)
    torch.testing.assert_close(growth.shrunk(real, SCHEDULE, 8 * 7), small)
    smaller = torch.nn.functional.avg_pool2d(real, 4)
    torch.testing.assert_close(
        growth.shrunk(real, SCHEDULE, 8 * 4), style.upsample(smaller)
    )  # alpha 0: the stage before
    half = growth.shrunk(real, SCHEDULE, 8 * 5)
    torch.testing.assert_close(half, (small + style.upsample(smaller)) / 2)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_resumed_across_a_boundary_it_is_the_unbroken_run_bit_for_bit(small, tmp_path, precision):
    """Broken off in the first stage, and again while the last one fades in: layers without a moment so far included."""
    for stop in (3, 12):
        run(small, tmp_path / "broken", steps=stop, precision=precision)
    (broken, _), (header, one) = run(small, tmp_path / "broken", precision=precision)
    (whole, _), (other_header, other) = run(small, tmp_path / "whole", precision=precision)
    assert one.keys() == other.keys() and all(torch.equal(one[name], tensor) for name, tensor in other.items())
    speedless = [
        [{key: value for key, value in row.items() if key != "images_per_second"} for row in each["history"]]
        for each in (header, other_header)
    ]
    assert speedless[0] == speedless[1] and header["step"] == 16
    assert (broken.synthesis.resolution, broken.synthesis.alpha) == (whole.synthesis.resolution, 1.0) == (16, 1.0)
    assert one["generator.synthesis.layers.1.noise.amount"].abs().max() > 0  # noise was drawn, and learned


def test_noise_depends_on_seed_and_step_alone(small, tmp_path):
    one, other = (run(small, tmp_path / str(seed), steps=2, seed=seed)[1][1] for seed in (0, 1))
    key = "generator.synthesis.layers.0.noise.amount"
    assert not torch.equal(one[key], other[key])


def test_a_finished_run_comes_back_at_its_stage(small, tmp_path):
    run(small, tmp_path, steps=5)
    (generator, critic), _ = run(small, tmp_path, steps=5)
    assert (generator.synthesis.resolution, generator.synthesis.alpha) == (8, 0.0)
    assert (critic.resolution, critic.alpha) == (8, 0.0)


def test_stages_to_come_may_be_changed_and_those_begun_may_not(small, tmp_path):
    run(small, tmp_path, steps=6)  # faded in at 8×8, in its stable part
    longer = (SCHEDULE[0], (8, 0.016, 0.048), SCHEDULE[2])
    (generator, _), (header, _) = run(small, tmp_path, steps=12, growth=longer)
    assert generator.synthesis.resolution == 8 and header["step"] == 12
    other = (SCHEDULE[0], (8, 0.032, 0.032), SCHEDULE[2])
    with pytest.raises(ValueError, match="growth: expected .* like the run in"):
        run(small, tmp_path, steps=12, growth=other)


@pytest.mark.parametrize(
    ("schedule", "says"),
    [
        (((4, 0.0, 1.0), (16, 1.0, 1.0)), r"resolutions that double up to 16, the images' size, got \[4, 16\]"),
        (((4, 0.0, 1.0), (8, 1.0, 1.0)), r"resolutions that double up to 16, the images' size, got \[4, 8\]"),
        (((8, 2.0, 1.0), (16, 1.0, 1.0)), "expected no fading in the first stage, got 2 kimg"),
        (((8, 0.0, 1.0), (16, -1.0, 1.0)), "kimg of at least 0, not both 0, at 16, got -1 and 1"),
        (((8, 0.0, 0.0), (16, 1.0, 1.0)), "kimg of at least 0, not both 0, at 8, got 0 and 0"),
    ],
)
def test_a_bad_schedule_is_refused_by_name(small, schedule, says):
    with pytest.raises(ValueError, match=f"growth: .*{says}"):
        fit(*pair(), small, TrainConfig(steps=1, batch_size=8, growth=schedule, precision="float32"), verbose=False)


def test_the_precision_of_a_run_that_grows_is_measured_at_full_resolution(small, monkeypatch):
    """The networks are at their full size then, whatever the first stage is."""
    seen = []

    def fastest(trial, name, device):
        trial(torch.float32)
        seen.append(name)
        return torch.float32, "as the test says"

    monkeypatch.setattr(runtime, "fastest_precision", fastest)
    config = TrainConfig(steps=1, batch_size=8, growth=SCHEDULE, ema_half_life_kimg=0.01)
    networks = pair()
    fit(*networks, small, config, verbose=False)
    assert len(seen) == 1 and "batch 8 of (3, 16, 16)" in seen[0]
    assert networks[0].synthesis.resolution == 4


def test_networks_that_cannot_grow_are_refused(small):
    networks = dcgan.Generator(8, 4, 3, 16), dcgan.Discriminator(4, 3, 16)
    with pytest.raises(ValueError, match=r"growth: expected networks with a method grow\(resolution, alpha\)"):
        fit(*networks, small, TrainConfig(steps=1, batch_size=8, growth=SCHEDULE, precision="float32"), verbose=False)


def test_a_schedule_can_be_written_on_the_command_line():
    name, found = settings.parse(TrainConfig, "growth=(4,0,8),(8, 4, 12.5)")
    assert name == "growth" and found == ((4, 0, 8), (8, 4, 12.5))
    assert settings.parse(TrainConfig, "growth=")[1] == ()
    with pytest.raises(ValueError, match=r"growth: expected \(\(int, float, float\), \.\.\.\)"):
        settings.parse(TrainConfig, "growth=(4,0)")
    recorded = json.loads(json.dumps(TrainConfig(**SETTINGS).__dict__))
    assert checkpoint.read_config(TrainConfig, recorded).growth == SCHEDULE


RANKS = """
    import sys, torch
    sys.path.insert(0, sys.argv[2])
    from pathlib import Path
    from course_lib import ranks
    from test_growth import run, small
    torch.set_num_threads(1)
    images, out = small.__wrapped__(), Path(sys.argv[1])
    with ranks.joined():
        for stop in (3, 16):
            networks, _ = run(images, out / "broken", steps=stop)
        run(images, out / "whole")
        total = [p.double().sum().item() for network in networks for p in network.parameters()]
        (out / f"rank-{ranks.rank()}").write_text(repr(total))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="PyTorch's builds for Windows have no gloo over torchrun's store")
def test_two_processes_grow_together_and_resume_bit_for_bit(tmp_path):
    job = tmp_path / "job.py"
    job.write_text(textwrap.dedent(RANKS))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(job)]
    command += [str(tmp_path), os.path.dirname(__file__)]
    found = subprocess.run(
        command, capture_output=True, text=True, timeout=300, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert found.returncode == 0, found.stderr[-3000:]
    assert (tmp_path / "rank-0").read_text() == (tmp_path / "rank-1").read_text() != ""
    one, other = (checkpoint.load(tmp_path / name / "last.safetensors")[1] for name in ("broken", "whole"))
    assert one.keys() == other.keys() and all(torch.equal(one[name], tensor) for name, tensor in other.items())
