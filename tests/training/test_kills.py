"""SIGKILL at random moments and in each phase of a checkpoint's write: every resume ends like the unbroken run."""

import json
import os
import subprocess
import sys
import textwrap

import pytest
import torch

from course_lib.training import checkpoint

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="one process imports torch and forks for each trial")

PHASES = ["before the write", "with an empty file", "half-way through", "before the rename", "after the rename"]

DRIVER = """
    import json, os, random, shutil, signal, sys, time
    import torch
    from course_lib import data, files
    from course_lib.models import residual
    from course_lib.training import TrainConfig, checkpoint, fit
    torch.set_num_threads(1)  # no pool of threads: a fork would not have them
    out, plan = sys.argv[1], json.loads(sys.argv[2])
    images = data.load("fashion-mnist", "test").subset(slice(0, 64))
    images = data.Images(images.pixels[:, :, 2:26:3, 2:26:3].contiguous(), images.labels, images.class_names)

    def die():
        os.kill(os.getpid(), signal.SIGKILL)

    class HalfWritten:
        def __init__(self, file):
            self.file = file
        def __enter__(self):
            return self
        def __exit__(self, *_):
            pass
        def write(self, payload):
            self.file.write(payload[: len(payload) // 2])
            self.file.flush()
            die()

    def kill_in(phase, number):
        # in the number-th checkpoint's write; nothing else is written here
        count = [0]
        def at(module, name, act):
            was = getattr(module, name)
            def instead(*arguments, **options):
                count[0] += 1
                return act(was, *arguments, **options) if count[0] == number else was(*arguments, **options)
            setattr(module, name, instead)
        def first(was, *arguments, **options):
            die()
        def last(was, *arguments, **options):
            was(*arguments, **options)
            die()
        if phase == "before the write":
            at(checkpoint, "to_bytes", first)
        elif phase == "with an empty file":
            at(files.tempfile, "mkstemp", last)
        elif phase == "half-way through":
            at(files.os, "fdopen", lambda was, *arguments: HalfWritten(was(*arguments)))
        elif phase == "before the rename":
            at(files.os, "replace", first)
        elif phase == "after the rename":
            at(files.os, "replace", last)

    def start(folder, phase=None, number=0):
        child = os.fork()
        if child:
            return child
        kill_in(phase, number)
        torch.manual_seed(0)
        pair = residual.Generator(8, 4, 1, 8), residual.Discriminator(4, 1, 8)
        config = TrainConfig(steps=20, batch_size=16, log_every_steps=3, checkpoint_every_steps=3, precision="float32",
                             decay_from=0.5, critic_steps=2, penalty="gradient_penalty", penalty_weight=1.0, penalty_every=3,
                             augment=("translation",), checkpoint_dir=f"{out}/{folder}")
        fit(*pair, images, config, verbose=False)
        os._exit(0)

    def end(child):
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    begun = time.monotonic()
    assert end(start("whole")) == 0
    took = time.monotonic() - begun
    killed = []
    for trial, phase in enumerate(plan):
        if phase != "random":
            code = end(start(trial, *phase))
        else:
            code, wait = 0, random.Random(trial).uniform(0.05, 0.95) * took
            while code == 0:  # a run that was over before its moment came is begun again, and killed sooner
                shutil.rmtree(f"{out}/{trial}", ignore_errors=True)
                child = start(trial)
                time.sleep(wait)
                os.kill(child, signal.SIGKILL)
                wait /= 2
                code = end(child)
        killed.append([code, os.listdir(f"{out}/{trial}") if os.path.exists(f"{out}/{trial}") else []])
        code = end(start(trial))
        assert code == 0, (phase, code)
    print(json.dumps(killed))
"""


def survives(out, plan):
    """Each trial is killed and then resumed once; its end is compared with that of a run nobody touched."""
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(DRIVER), str(out), json.dumps(plan)], capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr[-3000:]
    killed = json.loads(found.stdout.splitlines()[-1])
    header, whole = checkpoint.load(out / "whole" / "last.safetensors")
    assert header["step"] == 20 and len(header["history"]) == 6
    for trial, phase in enumerate(plan):
        other, tensors = checkpoint.load(out / str(trial) / "last.safetensors")
        assert tensors.keys() == whole.keys(), phase
        assert all(torch.equal(tensors[name], tensor) for name, tensor in whole.items()), phase
        for one, two in zip(header["history"], other["history"], strict=True):
            assert {**one, "images_per_second": 0} == {**two, "images_per_second": 0}, phase
        assert [path.name for path in (out / str(trial)).iterdir()] == ["last.safetensors"], f"{phase}: strays are left"
    return killed


def test_three_kills_in_the_write_of_a_checkpoint(tmp_path):
    """The second one's write: the first is intact, or the second is there in full."""
    plan = [["with an empty file", 2], ["half-way through", 2], ["after the rename", 2]]
    killed = survives(tmp_path, plan)
    assert [code for code, _ in killed] == [-9] * 3
    assert [len(left) for _, left in killed] == [2, 2, 1], "a stray file beside the checkpoint, but after the rename"


@pytest.mark.slow
def test_twenty_kills(tmp_path):
    """Every phase of the first, second and last write, and five random moments."""
    plan = [[phase, number] for phase in PHASES for number in (1, 2, 7)] + ["random"] * 5
    killed = survives(tmp_path, plan)
    assert [code for code, _ in killed] == [-9] * 20
