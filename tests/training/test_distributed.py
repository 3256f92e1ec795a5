"""Two processes give the run of one, resume exactly, and share every end: a divergence, a full disk, a killed rank."""

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap

import pytest
import torch

from course_lib import ranks
from course_lib.models import residual
from course_lib.training import TrainConfig, checkpoint, distributed, fit

CASES = {  # every option that draws random numbers or looks at a batch
    "paired": {"loss": "relativistic", "penalty": "r1_r2", "penalty_weight": 0.5, "penalty_every": 2, "augment": ("brightness", "translation", "cutout")},
    "between": {"loss": "wasserstein", "penalty": "gradient_penalty", "penalty_weight": 10.0, "critic_steps": 2, "batch_size": 12},
    "clipped": {"loss": "hinge", "clip": 0.05, "optimizer": "rmsprop", "real_target": 1.0},
}  # fmt: skip

PREPARE = """
    import json, os, signal, sys
    import torch
    from course_lib import data, files, ranks
    from course_lib.models import residual
    from course_lib.training import TrainConfig, TrainingDiverged, discriminator_step, fit
    torch.set_num_threads(1)
    out = sys.argv[1]
    few = data.load("fashion-mnist", "test").subset(slice(0, 64))
    few = data.Images(few.pixels[:, :, 2:26:3, 2:26:3].contiguous(), few.labels, few.class_names)
    def run(name, steps=20, d_step=discriminator_step, **settings):
        torch.manual_seed(ranks.rank())  # rank 0's first weights are everybody's
        pair = residual.Generator(8, 4, 1, 8), residual.Discriminator(4, 1, 8)
        settings = {"batch_size": 16, "precision": "float64", "log_every_steps": 5, "checkpoint_every_steps": 5, **settings}
        settings["augment"] = tuple(settings.get("augment", ()))
        seen = []
        fit(*pair, few, TrainConfig(steps=steps, checkpoint_dir=f"{out}/{name}", **settings),
            [lambda state: seen.append(state.step)], d_step=d_step, verbose=False)
        assert bool(seen) == (ranks.rank() == 0), "callbacks run on rank 0 alone"
        return pair[0]
    def tell(name, text):
        with open(f"{out}/{name}-{ranks.rank()}", "w") as file:
            file.write(text)
"""

TOGETHER = """
    with ranks.joined():
        for name, settings in json.loads(sys.argv[2]).items():
            generator = run(name, **settings)
            tell(name, repr([p.double().sum().item() for p in generator.parameters()]))
        run("half", 10, **json.loads(sys.argv[2])["paired"])
        run("broken", 10, **json.loads(sys.argv[2])["paired"])
        run("broken", 20, **json.loads(sys.argv[2])["paired"])

        calls = []
        def nan_on_rank_1(*arguments, **options):
            calls.append(1)
            loss, real, fake = discriminator_step(*arguments, **options)
            return (loss * float("nan") if ranks.rank() and len(calls) == 4 else loss), real, fake
        try:
            run("diverged", d_step=nan_on_rank_1, checkpoint_every_steps=3)
        except TrainingDiverged as error:
            tell("diverged", f"{error.step} {error}")

        write = files.write_atomically
        def full(path, payload):
            raise OSError(28, "no space left", str(path))
        files.write_atomically = full
        try:
            run("full")
        except OSError as error:
            tell("full", str(error))
        files.write_atomically = write
        try:
            run("odd", batch_size=15)
        except ValueError as error:
            tell("odd", str(error))
"""

KILLED = """
    def killed(*arguments, **options):
        result = discriminator_step(*arguments, **options)
        killed.calls += 1
        if killed.calls == 8 and ranks.rank() == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    killed.calls = 0
    with ranks.joined():
        run("killed", 10_000, d_step=killed)
"""


def torchrun(body, *arguments, seconds):
    script = textwrap.dedent(PREPARE) + textwrap.dedent(body)
    path = os.path.join(arguments[0], "job.py")
    with open(path, "w") as file:
        file.write(script)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", path, *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, timeout=seconds, env=environment)


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """One torchrun for all that two healthy processes do."""
    if sys.platform == "win32":
        pytest.skip("PyTorch's builds for Windows have no gloo over torchrun's store")
    out = tmp_path_factory.mktemp("ranks")
    found = torchrun(TOGETHER, str(out), json.dumps(CASES), seconds=300)
    assert found.returncode == 0, found.stderr[-3000:]
    return out


@pytest.fixture
def alone(few):
    """The same run in this process."""

    def run(folder, steps=20, **settings):
        torch.manual_seed(0)
        images = few.subset(slice(0, 64))
        settings = {
            "batch_size": 16,
            "precision": "float64",
            "log_every_steps": 5,
            "checkpoint_every_steps": 5,
            **settings,
        }
        fit(
            residual.Generator(8, 4, 1, 8),
            residual.Discriminator(4, 1, 8),
            images,
            TrainConfig(steps=steps, checkpoint_dir=str(folder), **settings),
            verbose=False,
        )
        return checkpoint.load(folder / "last.safetensors")

    return run


def rows(header):
    return [{k: v for k, v in row.items() if k != "images_per_second"} for row in header["history"]]


@pytest.mark.parametrize("name", CASES)
def test_two_processes_give_the_run_of_one(job, alone, tmp_path, name):
    """20 steps in float64, to 1e-12: weights, moments, averages and history."""
    header, two = checkpoint.load(job / name / "last.safetensors")
    one_header, one = alone(tmp_path, **CASES[name])
    assert two.keys() == one.keys() and header["ranks"] == 2 and one_header["ranks"] == 1
    moved = 0.0
    for key, tensor in one.items():
        torch.testing.assert_close(two[key], tensor, rtol=0, atol=1e-12, msg=lambda text, key=key: f"{key}: {text}")
        moved = max(moved, tensor.abs().max().item())
    assert moved > 0.01 and header["step"] == 20
    for found, wanted in zip(rows(header), rows(one_header), strict=True):
        assert found == pytest.approx(wanted, rel=1e-9, abs=1e-10)


@pytest.mark.parametrize("name", CASES)
def test_all_ranks_end_with_the_same_weights_bit_for_bit(job, name):
    assert (job / f"{name}-0").read_text() == (job / f"{name}-1").read_text() != ""


def test_resumed_at_the_same_size_it_is_the_unbroken_run_bit_for_bit(job):
    (header, whole), (other, broken) = (
        checkpoint.load(job / name / "last.safetensors") for name in ("paired", "broken")
    )
    assert rows(header) == rows(other) and all(torch.equal(broken[key], tensor) for key, tensor in whole.items())


def test_resumed_at_another_size_it_is_equal_to_rounding_and_says_so(job, alone, tmp_path):
    _, whole = checkpoint.load(job / "paired" / "last.safetensors")
    shutil.copy(job / "half" / "last.safetensors", tmp_path)
    with pytest.warns(UserWarning, match="ranks 2 → 1"):
        header, found = alone(tmp_path, **CASES["paired"])
    assert header["step"] == 20 and header["ranks"] == 1
    for key, tensor in whole.items():
        torch.testing.assert_close(found[key], tensor, rtol=0, atol=1e-12)


def test_a_divergence_on_one_rank_stops_all_at_the_same_step(job):
    told = [(job / f"diverged-{rank}").read_text() for rank in range(2)]
    assert told[0] == told[1] and told[0].startswith("4 training diverged at step 4")
    assert checkpoint.load(job / "diverged" / "last.safetensors")[0]["step"] == 3


def test_what_rank_0_cannot_write_stops_all(job):
    assert all("no space left" in (job / f"full-{rank}").read_text() for rank in range(2))


def test_a_batch_that_cannot_be_shared_equally_is_refused(job):
    says = "batch_size: expected a multiple of the 2 processes, which share it, got 15"
    assert [(job / f"odd-{rank}").read_text() for rank in range(2)] == [says] * 2


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
def test_a_killed_rank_ends_the_job_with_a_sentence_and_the_last_good_state(tmp_path):
    """10,000 steps would take minutes; `timeout` is the bound on how long the rank that is left may hang."""
    found = torchrun(KILLED, str(tmp_path), seconds=90)
    assert found.returncode != 0
    assert "rank 0 stopped because another rank is gone" in found.stderr and "at step 7" in found.stderr
    assert "the last good state is" in found.stderr and "Signal 9 (SIGKILL)" in found.stderr  # torchrun names the cause
    assert checkpoint.load(tmp_path / "killed" / "last.safetensors")[0]["step"] == 5


@pytest.mark.skipif(os.name != "posix", reason="torchrun's SIGTERM is POSIX")
def test_whoever_is_left_behind_is_not_ended_before_its_sentence_is_out(monkeypatch):
    """torchrun's SIGTERM may come while the broken connection is being told; a run that ends well heeds it again."""
    monkeypatch.setattr(ranks, "world_size", lambda: 2)
    before = signal.getsignal(signal.SIGTERM)
    try:
        with distributed.one_fate(lambda: "at step 7"):
            assert signal.getsignal(signal.SIGTERM) not in (before, signal.SIG_IGN)
        assert signal.getsignal(signal.SIGTERM) is before
        says = "another rank is gone .gloo: connection closed. at step 7"
        with pytest.raises(distributed.RankLost, match=says), distributed.one_fate(lambda: "at step 7"):
            raise RuntimeError("gloo: connection closed")
        os.kill(os.getpid(), signal.SIGTERM)  # would end this process
        signal.signal(signal.SIGTERM, before)
        with pytest.raises(ValueError, match="another fault"), distributed.one_fate(lambda: "at step 7"):
            raise ValueError("another fault")
        assert signal.getsignal(signal.SIGTERM) is before
    finally:
        signal.signal(signal.SIGTERM, before)


def test_one_process_alone_needs_none_of_it():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=1.0)
    distributed.average_gradients(optimizer)
    assert not optimizer._optimizer_step_pre_hooks and distributed.rows(7) == slice(0, 7)
    value = torch.tensor(2.0)
    assert distributed.mean(value) is value and distributed.least(value) is value
