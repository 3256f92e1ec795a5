"""Every test works in a cache and a progress file of its own, on the CPU, in the ci profile."""

import os

import pytest
import torch

os.environ.setdefault("COURSE_PROFILE", "ci")
os.environ["COURSE_DEVICE"] = os.environ.get("COURSE_TEST_DEVICE", "cpu")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """With --dist loadgroup all browser tests go to one worker, for one JupyterLab and one Chromium.

    xdist 3.8's own groups are lost under pytest 9.2, which no longer reads the node ids that it writes.
    """
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadGroupScheduling

    class OneBrowser(LoadGroupScheduling):
        def _split_scope(self, nodeid):
            return "browser" if nodeid.startswith("tests/browser/") else nodeid

    return OneBrowser(config, log)


@pytest.fixture(autouse=True)
def apart(tmp_path, monkeypatch):
    """Nothing a test does reaches the user's files or the next test's random numbers."""
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.delenv("COURSE_SOLVE", raising=False)
    torch.manual_seed(0)
