"""Exact resume, also through a real SIGKILL; and what a checkpoint refuses."""

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
import torch

from course_lib import files, training
from course_lib.training import TrainConfig, checkpoint, fit

CONFIG = dict(batch_size=16, log_every_steps=2, checkpoint_every_steps=4)

RUN = """
    import sys, torch
    from course_lib import data
    from course_lib.models import dcgan
    from course_lib.training import TrainConfig, fit
    torch.set_num_threads(1)
    folder, precision, layout, pause = sys.argv[1], sys.argv[2], sys.argv[3] == "channels_last", float(sys.argv[4])
    images = data.load("fashion-mnist", "test").subset(slice(0, 256)).padded(32)
    torch.manual_seed(0)
    g, d = dcgan.Generator(8, 8, 1, 32), dcgan.Discriminator(8, 1, 32)
    def slow(state):
        import time
        time.sleep(pause)
    fit(g, d, images, TrainConfig(steps=24, batch_size=16, log_every_steps=3, checkpoint_every_steps=5, checkpoint_dir=folder,
                                  precision=precision, channels_last=layout, decay_from=0.5), [slow], verbose=False)
"""


def run(folder, precision, layout, pause="0", **options):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(RUN), str(folder), precision, layout, pause], **options
    )


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
@pytest.mark.parametrize(
    ("precision", "layout"), [("float32", "contiguous"), ("float32", "channels_last"), ("bfloat16", "channels_last")]
)
def test_killed_and_resumed_ends_bit_for_bit_like_the_unbroken_run(tmp_path, precision, layout):
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    victim = run(broken, precision, layout, pause="0.15")
    end = time.monotonic() + 120
    while not (broken / "last.safetensors").exists():
        assert time.monotonic() < end and victim.poll() is None
        time.sleep(0.01)
    time.sleep(0.2)  # somewhere behind step 5, before step 24
    victim.send_signal(signal.SIGKILL)
    assert victim.wait() == -signal.SIGKILL
    at = checkpoint.load(broken / "last.safetensors")[0]["step"]
    assert 5 <= at < 24
    assert run(broken, precision, layout).wait() == 0
    assert run(whole, precision, layout).wait() == 0
    (one_header, one), (other_header, other) = (
        checkpoint.load(folder / "last.safetensors") for folder in (broken, whole)
    )
    assert one_header["step"] == other_header["step"] == 24 and one.keys() == other.keys()
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]), name

    def without_speed(header):
        return [{k: v for k, v in row.items() if k != "images_per_second"} for row in header["history"]]

    assert without_speed(one_header) == without_speed(other_header)


def test_moments_come_back_in_the_parameters_own_layout(pair, few, tmp_path):
    """Fused Adam goes on silently wrong if the strides of its moments differ from the parameter's."""
    config = TrainConfig(steps=4, checkpoint_dir=str(tmp_path), precision="float32", **CONFIG)
    fit(*pair(), few, config, verbose=False)
    states = []
    fit(*pair(), few, TrainConfig(**{**config.__dict__, "steps": 5}), [states.append], verbose=False)
    optimizer = states[-1].optimizer_g
    for parameter in states[-1].generator.parameters():
        for name in ("exp_avg", "exp_avg_sq"):
            assert optimizer.state[parameter][name].stride() == parameter.stride()
    assert any(p.ndim == 4 and not p.is_contiguous() for p in states[-1].generator.parameters()), (
        "the case is really tested"
    )


def test_a_run_of_another_configuration_is_refused(pair, few, tmp_path):
    config = TrainConfig(steps=4, checkpoint_dir=str(tmp_path), precision="float32", **CONFIG)
    fit(*pair(), few, config, verbose=False)
    with pytest.raises(ValueError, match=r"seed: expected 0 like the run in .*, got 3; choose another checkpoint_dir"):
        fit(*pair(), few, TrainConfig(**{**config.__dict__, "seed": 3}), verbose=False)


def test_other_networks_are_refused(pair, few, tmp_path):
    from course_lib.models import dcgan, mlp

    config = TrainConfig(steps=4, checkpoint_dir=str(tmp_path), precision="float32", **CONFIG)
    fit(*pair(), few, config, verbose=False)
    with pytest.raises(ValueError, match="expected the tensors of these networks"):
        fit(mlp.Generator(8, 8, 1, 8), mlp.Discriminator(8, 1, 8), few, config, verbose=False)
    with pytest.raises(ValueError, match="of shape"):
        fit(dcgan.Generator(8, 16, 1, 8), dcgan.Discriminator(16, 1, 8), few, config, verbose=False)


def test_resuming_elsewhere_warns_what_is_different(pair, few, tmp_path):
    config = TrainConfig(steps=4, checkpoint_dir=str(tmp_path), precision="float32", **CONFIG)
    fit(*pair(), few, config, verbose=False)
    with pytest.warns(UserWarning, match="precision float32 → bfloat16"):
        fit(*pair(), few, TrainConfig(**{**config.__dict__, "precision": "bfloat16", "steps": 6}), verbose=False)


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"not a checkpoint", lambda b: b""])
def test_a_damaged_checkpoint_is_named(pair, few, tmp_path, damage):
    config = TrainConfig(steps=4, checkpoint_dir=str(tmp_path), precision="float32", **CONFIG)
    fit(*pair(), few, config, verbose=False)
    path = tmp_path / "last.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="last.safetensors: expected a checkpoint written by course_lib.training"):
        fit(*pair(), few, config, verbose=False)


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a checkpoint, found none"):
        training.load_checkpoint(tmp_path / "x")


@pytest.mark.skipif(os.name != "posix", reason="limits a process's file size, which only POSIX can")
def test_a_full_disk_keeps_the_checkpoint_before_it(tmp_path):
    script = (
        textwrap.dedent(RUN)
        .replace(
            "import sys, torch", "import sys, torch, resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)"
        )
        .replace(
            "def slow(state):",
            "def slow(state):\n    if state.step == 7: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))",
        )
    )
    found = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), "float32", "contiguous", "0"], capture_output=True, text=True
    )
    assert found.returncode != 0 and "could not write" in found.stderr and "last.safetensors" in found.stderr
    assert checkpoint.load(tmp_path / "last.safetensors")[0]["step"] == 5
    assert [path.name for path in tmp_path.iterdir()] == ["last.safetensors"]


def test_other_images_are_refused(pair, few, tmp_path):
    config = TrainConfig(steps=4, checkpoint_dir=str(tmp_path), precision="float32", **CONFIG)
    fit(*pair(), few, config, verbose=False)
    dark = type(few)(few.pixels // 2, few.labels, few.class_names)
    with pytest.raises(ValueError, match="images: expected those of the run in .*, got others"):
        fit(*pair(), dark, config, verbose=False)


def test_with_a_falling_rate_other_steps_are_another_run(pair, few, tmp_path):
    config = TrainConfig(steps=4, checkpoint_dir=str(tmp_path), precision="float32", decay_from=0.5, **CONFIG)
    fit(*pair(), few, config, verbose=False)
    with pytest.raises(ValueError, match="steps: expected 4 like the run in"):
        fit(*pair(), few, TrainConfig(**{**config.__dict__, "steps": 8}), verbose=False)


def test_a_precision_chosen_by_measurement_is_kept_on_resume(pair, few, tmp_path, monkeypatch, capsys):
    from course_lib import runtime

    config = TrainConfig(steps=4, checkpoint_dir=str(tmp_path), precision="auto", **CONFIG)
    for dtype, steps in ((torch.bfloat16, 4), (torch.float32, 6)):
        monkeypatch.setattr(runtime, "fastest_precision", lambda *_, dtype=dtype: (dtype, "measured"))
        fit(*pair(), few, TrainConfig(**{**config.__dict__, "steps": steps}))
    assert "precision: bfloat16 (as the run began)" in capsys.readouterr().out
    assert checkpoint.load(tmp_path / "last.safetensors")[0]["precision"] == "bfloat16"


def test_what_a_callback_writes_is_there_if_the_checkpoint_is(pair, few, tmp_path):
    def full(state):
        if state.step == 4:
            raise OSError(28, "no space left")

    config = TrainConfig(steps=4, checkpoint_dir=str(tmp_path), precision="float32", **CONFIG)
    with pytest.raises(OSError, match="no space left"):
        fit(*pair(), few, config, [full], verbose=False)
    assert not (tmp_path / "last.safetensors").exists()


def rewritten(path, change):
    """The checkpoint at `path` with its header changed by `change`, its hash right again."""
    header, tensors = checkpoint.load(path)
    change(header)
    if "sha256" in header:
        header["sha256"] = checkpoint._digest(header, tensors)
    path.write_bytes(checkpoint.to_bytes(tensors, {"course": json.dumps(header)}))


def test_a_newer_format_is_named_and_left_alone(pair, few, tmp_path):
    config = TrainConfig(steps=4, checkpoint_dir=str(tmp_path), precision="float32", **CONFIG)
    fit(*pair(), few, config, verbose=False)
    path = tmp_path / "last.safetensors"
    rewritten(path, lambda header: header.update(format=checkpoint.FORMAT + 1))
    before = path.read_bytes()
    with pytest.raises(ValueError, match="last.safetensors: expected checkpoint format 1, got 2, of another version"):
        fit(*pair(), few, config, verbose=False)
    assert path.read_bytes() == before


def test_a_setting_of_a_newer_version_is_named(pair, few, tmp_path):
    config = TrainConfig(steps=4, checkpoint_dir=str(tmp_path), precision="float32", **CONFIG)
    fit(*pair(), few, config, verbose=False)
    rewritten(tmp_path / "last.safetensors", lambda header: header["config"].update(warp=9))
    with pytest.raises(ValueError, match="config: expected fields of TrainConfig, got warp of a newer version"):
        fit(*pair(), few, config, verbose=False)


def test_a_checkpoint_older_than_a_setting_goes_on_with_its_default(pair, few, tmp_path):
    config = TrainConfig(steps=4, checkpoint_dir=str(tmp_path), precision="float32", **CONFIG)
    fit(*pair(), few, config, verbose=False)

    def older(header):
        for name in ("penalty", "critic_steps", "augment", "optimizer", "real_target"):
            del header["config"][name]
        del header["ranks"], header["sha256"]

    rewritten(tmp_path / "last.safetensors", older)
    fit(*pair(), few, TrainConfig(**{**config.__dict__, "steps": 5}), verbose=False)
    rewritten(tmp_path / "last.safetensors", older)
    with pytest.raises(ValueError, match="critic_steps: expected 1 like the run in .*, got 2; choose another"):
        fit(*pair(), few, TrainConfig(**{**config.__dict__, "critic_steps": 2}), verbose=False)


@pytest.mark.parametrize("where", ["a weight", "the step"])
def test_one_changed_byte_is_noticed(pair, few, tmp_path, where):
    """safetensors alone reads both without a word."""
    config = TrainConfig(steps=4, checkpoint_dir=str(tmp_path), precision="float32", **CONFIG)
    fit(*pair(), few, config, verbose=False)
    path = tmp_path / "last.safetensors"
    payload = bytearray(path.read_bytes())
    at = len(payload) - 3 if where == "a weight" else payload.index(b'\\"step\\": 4') + len(b'\\"step\\": ')
    payload[at] ^= 1
    path.write_bytes(bytes(payload))
    with pytest.raises(ValueError, match="last.safetensors: expected the content that was written, got other bytes"):
        fit(*pair(), few, config, verbose=False)
    assert path.read_bytes() == bytes(payload)


def test_networks_that_do_not_fit_are_left_as_they_were(pair, few, tmp_path):
    from course_lib.models import dcgan

    config = TrainConfig(steps=4, checkpoint_dir=str(tmp_path), precision="float32", **CONFIG)
    fit(*pair(), few, config, verbose=False)
    before = (tmp_path / "last.safetensors").read_bytes()
    g, d = pair()[0], dcgan.Discriminator(16, 1, 8)
    was = [p.detach().clone() for p in g.parameters()]
    with pytest.raises(ValueError, match="expected discriminator.* of shape"):
        fit(g, d, few, config, verbose=False)
    assert all(torch.equal(a, b) for a, b in zip(was, g.parameters()))
    assert (tmp_path / "last.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("module", "name", "code"),
    [(files.tempfile, "mkstemp", errno.EROFS), (files.os, "fsync", errno.ENOSPC), (files.os, "replace", errno.EACCES)],
)
def test_a_write_that_fails_anywhere_names_the_file_and_keeps_the_one_before(
    pair, few, tmp_path, monkeypatch, module, name, code
):
    """A read-only folder, a disk that fills up, a file that another program holds; the disk that is really full is above."""
    config = TrainConfig(steps=4, checkpoint_dir=str(tmp_path), precision="float32", **CONFIG)
    fit(*pair(), few, config, verbose=False)

    def fails(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(module, name, fails)
    with pytest.raises(OSError, match=f"could not write .*last.safetensors .*{os.strerror(code)}") as caught:
        fit(*pair(), few, TrainConfig(**{**config.__dict__, "steps": 8}), verbose=False)
    assert caught.value.errno == code and checkpoint.load(tmp_path / "last.safetensors")[0]["step"] == 4
    assert [path.name for path in tmp_path.iterdir()] == ["last.safetensors"]


@pytest.mark.skipif(os.name != "posix", reason="a folder's mode means this on POSIX")
def test_a_folder_without_the_right_to_write_keeps_its_checkpoint(tmp_path):
    """Really: root may write anywhere, so the run gives up being root first."""
    script = textwrap.dedent(RUN).replace(
        "def slow(state):",
        "def slow(state):\n    if state.step == 7:\n        import os\n        os.chmod(folder, 0o500)\n"
        "        os.getuid() or os.setuid(65534)",
    )
    found = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "run"), "float32", "contiguous", "0"],
        capture_output=True,
        text=True,
    )
    assert found.returncode != 0 and "could not write" in found.stderr and "ermission denied" in found.stderr
    assert checkpoint.load(tmp_path / "run" / "last.safetensors")[0]["step"] == 5
