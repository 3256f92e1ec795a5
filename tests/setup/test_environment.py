"""The files that install the course agree with each other."""

import json
import subprocess
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from course_lib.notebook import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_environment_yml_has_pyproject_tomls_pins():
    parsed = yaml.safe_load((ROOT / "environment.yml").read_text())
    pip = next(entry["pip"] for entry in parsed["dependencies"] if isinstance(entry, dict))
    conda = [entry for entry in parsed["dependencies"] if isinstance(entry, str)]
    python = conda[0].removeprefix("python=")
    assert python.count(".") == 1 and SpecifierSet(PROJECT["requires-python"]).contains(python) and "-e ." in pip

    def pins(lines):
        return {Requirement(line).name: str(Requirement(line).specifier) for line in lines}

    assert pins([line for line in pip if line != "-e ."]) == pins(
        PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"]
    )


def test_jupytext_pairs_what_is_built():
    assert (
        tomllib.loads((ROOT / "jupytext.toml").read_text())["formats"] == "notebooks///ipynb,notebooks/src///py:percent"
    )


def test_slider_callbacks_stay_on_the_main_thread():
    settings = json.loads((ROOT / "course_lib" / "jupyter_settings" / "overrides.json").read_text())
    assert settings["@jupyterlab/apputils-extension:kernels-settings"]["commsOverSubshells"] == "disabled"


def test_nothing_committed_is_too_large():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    sizes = {name: (ROOT / name).stat().st_size for name in listed if name and (ROOT / name).exists()}
    assert max(sizes.values()) < 40e6 and sum(sizes.values()) < 150e6


@pytest.mark.parametrize("check", [["check"], ["format", "--check"]], ids=["lint", "format"])
def test_the_source_is_tidy(check):
    found = subprocess.run([sys.executable, "-m", "ruff", *check, "."], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout
