"""The command line: what it writes, and sentences instead of tracebacks."""

import re
import subprocess
import sys

import pytest
from PIL import Image

from course_lib.notebook import ROOT


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "course_lib.cli", *arguments], capture_output=True, text=True, **options
    )


def test_sample_draws_a_sheet(tmp_path):
    found = run("sample", "dcgan-fashion", "--out", str(tmp_path / "grid.png"), "--count", "6", "--columns", "3")
    assert found.returncode == 0, found.stderr
    with Image.open(tmp_path / "grid.png") as sheet:
        assert sheet.size == (3 * 33 - 1, 2 * 33 - 1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["sample", "dcgan"], "did you mean 'dcgan-fashion'"),
        (["sample", "classifier-fashion"], "name: expected a generator, got 'classifier-fashion'"),
        (["sample", "mlp-fashion", "--out", "/proc/none/grid.png"], "No such file"),
        (["train", "dcgan-fasion"], "did you mean 'dcgan-fashion'"),
        (["train", "mlp-fashion", "--set", "steps"], "--set: expected NAME=VALUE, got 'steps'"),
        (["train", "mlp-fashion", "--set", "stepps=3"], "did you mean 'steps'"),
    ],
)
def test_a_wrong_argument_is_a_sentence(arguments, says, tmp_path):
    found = run(*arguments, cwd=tmp_path)
    assert found.returncode == 2 and says in found.stderr and "Traceback" not in found.stderr


def test_train_writes_a_zoo_entry(tmp_path):
    found = run(
        "train",
        "mlp-fashion",
        "--out",
        str(tmp_path / "run"),
        "--set",
        "steps=3",
        "--set",
        "log_every_steps=1",
        "--set",
        "precision=float32",
    )
    assert found.returncode == 0, found.stderr
    assert {path.name for path in (tmp_path / "run" / "zoo").iterdir()} == {
        "card.json",
        "network.safetensors",
        "snapshots.safetensors",
    }
    assert "metrics:" in found.stdout


def test_progress_and_doctor():
    assert "0 of" in run("progress", "02").stdout
    found = run("doctor", cwd=ROOT)
    assert found.returncode == 0, found.stdout
    assert "Fashion-MNIST, all four files verified" in found.stdout
    assert re.search(r"trained networks: all \d\d verified", found.stdout)
