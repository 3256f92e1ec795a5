"""Every test works in a cache and a progress file of its own, on the CPU, in the ci profile."""

import os

import pytest
import torch

os.environ.setdefault("COURSE_PROFILE", "ci")
os.environ["COURSE_DEVICE"] = os.environ.get("COURSE_TEST_DEVICE", "cpu")


@pytest.fixture(autouse=True)
def apart(tmp_path, monkeypatch):
    """Nothing a test does reaches the user's files or the next test's random numbers."""
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.delenv("COURSE_SOLVE", raising=False)
    torch.manual_seed(0)
