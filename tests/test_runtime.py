"""Profiles, keyed randomness, the measured precision and atomic files."""

import os
import subprocess
import sys
import textwrap

import pytest
import torch

from course_lib import runtime
from course_lib.files import write_atomically


def test_the_profile_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "laptop")
    assert runtime.by_profile(ci=1, laptop=2, gpu=3) == 2
    monkeypatch.setenv("COURSE_PROFILE", "labtop")
    with pytest.raises(
        ValueError, match="COURSE_PROFILE: expected one of ci, laptop, gpu, got 'labtop'; did you mean 'laptop'"
    ):
        runtime.profile()
    monkeypatch.delenv("COURSE_PROFILE")
    monkeypatch.setenv("CI", "true")
    assert runtime.profile() == "ci"


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ("cdua", "COURSE_DEVICE: expected one of cpu, cuda, mps, got 'cdua'; did you mean 'cuda'"),
        ("mps:0", "which PyTorch cannot see"),
    ],
)
def test_a_device_that_is_not_there_is_named(monkeypatch, chosen, says):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setenv("COURSE_DEVICE", chosen)
    with pytest.raises(ValueError, match=says):
        runtime.device()


def test_a_key_decides_its_numbers():
    def draw(*key):
        return torch.rand(4, generator=runtime.keyed_generator("cpu", *key))

    assert torch.equal(draw(0, 5, "z"), draw(0, 5, "z"))
    assert not torch.equal(draw(0, 5, "z"), draw(0, 6, "z")) and not torch.equal(draw(0, 5, "z"), draw(0, 5, "t"))


def test_the_faster_precision_is_chosen_once_and_said(monkeypatch):
    calls = []
    monkeypatch.setattr(
        runtime,
        "_milliseconds",
        lambda trial, dtype, device: calls.append(dtype) or {torch.float32: 2.0, torch.bfloat16: 1.0}[dtype],
    )
    for _ in range(2):
        dtype, sentence = runtime.fastest_precision(lambda dtype: None, "x", torch.device("cpu"))
    assert dtype == torch.bfloat16 and "bfloat16, 1.0 ms a step against 2.0 ms in float32" in sentence
    assert len(calls) == 2, "measured once, then remembered"


def test_a_whole_file_or_the_old_one(tmp_path):
    path = tmp_path / "new" / "a.json"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two" and list(path.parent.iterdir()) == [path]


@pytest.mark.skipif(os.name != "posix", reason="limits a process's file size, which only POSIX can")
def test_a_full_disk_leaves_the_old_file_and_names_it(tmp_path):
    script = textwrap.dedent(f"""
        import resource, signal
        from course_lib.files import write_atomically
        write_atomically({str(tmp_path / "a")!r}, b"old")
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            write_atomically({str(tmp_path / "a")!r}, b"x" * 5000)
        except OSError as error:
            print(error)
    """)
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert f"could not write {tmp_path / 'a'}" in said and "is intact" in said
    assert (tmp_path / "a").read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(OSError, match="could not write .*file/a"):
        write_atomically(blocked / "a", b"")


def test_importing_the_library_brings_in_nothing_heavy():
    script = "import torch, sys; before = set(sys.modules); import course_lib; print(len(set(sys.modules) - before))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert int(found) == 1, "import course_lib should import course_lib and nothing else"
