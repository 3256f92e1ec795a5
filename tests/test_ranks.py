"""Two processes of torchrun divide the images, and every number is that of one process, to the bit."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from course_lib import cli, data, metrics, ranks
from course_lib.metrics import features

REAL, FAKE, BATCH = 1100, 1003, 96  # 12 and 11 batches: two ranks get unequal parts, and the last batch is a short one
SCRIPT = """
import json
from pathlib import Path

from course_lib import metrics, ranks
from test_ranks import BATCH, compared, eyes, sets

with ranks.joined():
    me, seen = ranks.rank(), []
    rows = compared(metrics.evaluate(*sets(), extractor=eyes(seen, BATCH)))
    looked = ranks.together(lambda: sum(seen))
    part = ranks.together(lambda: ranks.share(10, multiple=4))
    told = ranks.from_first(lambda: f"by rank {ranks.rank()}")

    def fails():
        if ranks.rank() == 1:
            raise ValueError("rank 1 alone")

    try:
        ranks.together(fails)
        raised = "nothing"
    except ValueError as error:
        raised = str(error)
    try:
        metrics.evaluate(sets()[0], sets()[1].roll(ranks.rank(), 0), extractor=eyes([], BATCH), metrics=["fid"])
        differing = "nothing"
    except ValueError as error:
        differing = str(error)
    result = dict(size=ranks.world_size(), rows=rows, looked=looked, part=str(part), told=told, raised=raised, differing=differing)
result["after"] = [ranks.rank(), ranks.world_size()]
Path(f"rank-{me}.json").write_text(json.dumps(result))
"""


def sets():
    return data.load("fashion-mnist", "test").pixels[:REAL], data.load("fashion-mnist", "train").pixels[:FAKE]


def eyes(seen, batch_size):
    """An extractor that notes how many images it is shown: a small random convolution with a head."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 24, 5, stride=2), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    )
    head = torch.nn.Linear(24, 10)

    def look(x):
        seen.append(len(x))
        return network(x)

    return features.wrap(look, name="random", dimension=24, channels=1, head=head, batch_size=batch_size)


def compared(found):
    """Every number of the result but the seconds, exactly as JSON keeps them: float64 to the bit."""
    rows = [{key: value for key, value in asdict(row).items() if key != "seconds"} for row in found.rows]
    return json.loads(json.dumps({"rows": rows, "missing": found.missing, "notes": found.notes}))


def torchrun(*arguments, cwd):
    """torchrun's own default is one thread a process; the comparison needs as many as this process has."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": str(torch.get_num_threads()),
        "PYTHONPATH": str(Path(__file__).parent),
    }
    run = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *arguments],
        env=environment, cwd=cwd, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    return run


def test_two_processes_give_the_numbers_of_one(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    run = torchrun(str(script), cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    two, other = (json.loads((tmp_path / f"rank-{me}.json").read_text()) for me in range(2))
    assert two == other and two["size"] == 2
    assert two["after"] == [0, 1], "after the job each process is alone again"
    one = compared(metrics.evaluate(*sets(), extractor=eyes([], BATCH)))
    assert {row["metric"] for row in one["rows"]} >= {"fid", "fid_infinity", "kid", "precision", "coverage"}
    assert two["rows"] == one, "the same batches, so the same features; the same features, so the same numbers"
    assert two["looked"] == [6 * BATCH + 5 * BATCH, REAL + FAKE - 11 * BATCH], "each looked at its own images only"
    assert two["part"] == str([range(0, 4), range(4, 10)]) and two["told"] == "by rank 0"
    assert two["raised"] == "rank 1 alone", "what one rank raises is raised on both: none waits for ever"
    assert two["differing"] == "real, fake: expected the same images on every rank, got different ones"


def test_the_command_under_torchrun_prints_once_and_writes_the_numbers_of_one(tmp_path):
    for name, images in zip(("real", "fake"), sets()):
        np.savez(tmp_path / f"{name}.npz", images[:300].numpy())
    arguments = [
        "evaluate",
        str(tmp_path / "real.npz"),
        str(tmp_path / "fake.npz"),
        "--extractor",
        "classifier-fashion",
    ]
    arguments += ["--batch-size", "64", "--metrics", "fid,inception_score,density_coverage", "--json"]
    run = torchrun("-m", "course_lib.cli", *arguments, str(tmp_path / "two.json"), cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("written to") == 1 and run.stdout.count("density") == 1
    features.cache_dir().joinpath("features").rename(tmp_path / "elsewhere")  # one process must look for itself
    assert CliRunner().invoke(cli.app, [*arguments, str(tmp_path / "one.json")]).exit_code == 0
    one, two = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("one", "two"))
    for kept in (one, two):
        del kept["seconds"], kept["network_seconds"]
        for row in kept["rows"]:
            del row["seconds"]
    assert one == two and len(one["rows"]) == 4


@pytest.mark.parametrize(("count", "multiple", "size"), [(10, 1, 3), (10, 4, 2), (3, 2, 4), (1000, 64, 7), (0, 5, 2)])
def test_the_parts_are_the_whole_cut_at_multiples(count, multiple, size, monkeypatch):
    monkeypatch.setattr(ranks, "world_size", lambda: size)
    parts = []
    for number in range(size):
        monkeypatch.setattr(ranks, "rank", lambda number=number: number)
        parts.append(ranks.share(count, multiple))
    assert [index for part in parts for index in part] == list(range(count))
    assert all(part.start % multiple == 0 for part in parts if part)
    batches = [-(-len(part) // multiple) for part in parts]
    assert max(batches) - min(batches) <= 1


def test_alone_nothing_is_divided_and_nothing_is_hidden():
    with ranks.joined():
        assert (ranks.rank(), ranks.world_size()) == (0, 1)
    assert ranks.together(lambda: 3) == [3] and ranks.from_first(lambda: 4) == 4 and ranks.share(7, 2) == range(7)
    with pytest.raises(KeyError, match="inside"):
        ranks.together(lambda: {}["inside"])
