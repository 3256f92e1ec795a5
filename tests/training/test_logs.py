"""Logs are exact: the rows of History and nothing else, also after a kill, a resume, and while the run goes on."""

import csv
import io
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from course_lib import cli, files, plots, runtime
from course_lib.training import CsvLog, TensorBoardLog, TrainConfig, fit
from course_lib.training.history import COLUMNS
from course_lib.zoo import recording

CONFIG = dict(batch_size=16, log_every_steps=2, checkpoint_every_steps=4, precision="float32")


class Killed(Exception):
    pass


def killed_at(step):
    def callback(state):
        if state.step == step:
            raise Killed

    return callback


def read(path):
    with open(path, newline="") as file:
        return [{column: float(value) for column, value in row.items()} for row in csv.DictReader(file)]


def scalars(folder):
    """{column: [(step, value)]} and {step: picture} as TensorBoard shows them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), size_guidance={"images": 0, "scalars": 0})
    events.Reload()
    tags = events.Tags()
    pictures = {event.step: event.encoded_image_string for tag in tags["images"] for event in events.Images(tag)}
    return {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in tags["scalars"]}, pictures


def test_the_csv_file_is_the_history_exactly(pair, few, tmp_path):
    history = fit(*pair(), few, TrainConfig(steps=7, **CONFIG), [CsvLog(tmp_path / "run" / "log.csv")], verbose=False)
    assert read(tmp_path / "run" / "log.csv") == history.rows and len(history) == 3
    assert (tmp_path / "run" / "log.csv").read_text().splitlines()[0] == ",".join(COLUMNS)


def test_the_csv_file_is_whole_at_every_step(pair, few, tmp_path):
    path = tmp_path / "log.csv"

    def look(state):
        assert read(path) == state.history.rows
        assert [file.name for file in tmp_path.iterdir()] == ["log.csv"]

    fit(*pair(), few, TrainConfig(steps=6, **CONFIG), [CsvLog(path), look], verbose=False)


def test_after_a_kill_the_csv_file_loses_what_the_run_lost_and_doubles_nothing(pair, few, tmp_path):
    path = tmp_path / "log.csv"
    config = TrainConfig(steps=12, checkpoint_dir=str(tmp_path / "run"), **CONFIG)
    with pytest.raises(Killed):
        fit(*pair(), few, config, [CsvLog(path), killed_at(7)], verbose=False)  # its last checkpoint is of step 4
    assert [row["step"] for row in read(path)] == [2, 4, 6]
    lost = read(path)[2]
    seen = []
    history = fit(*pair(), few, config, [CsvLog(path), lambda state: seen.append(read(path))], verbose=False)
    assert [row["step"] for row in seen[0]] == [2, 4], "row 6 is gone as soon as step 5 is done"
    assert read(path) == history.rows and history["step"] == [2, 4, 6, 8, 10, 12]
    assert read(path)[2]["images_per_second"] != lost["images_per_second"], "written anew"


def test_a_new_run_replaces_the_file_of_an_old_one(pair, few, tmp_path):
    log = CsvLog(tmp_path / "log.csv")
    for steps in (6, 2):
        fit(*pair(), few, TrainConfig(steps=steps, **CONFIG), [log], verbose=False)
    assert [row["step"] for row in read(tmp_path / "log.csv")] == [2]


def test_a_file_that_cannot_be_made_stops_at_once_and_a_busy_one_only_warns(pair, few, tmp_path, monkeypatch):
    (tmp_path / "taken").touch()
    with pytest.raises(OSError, match="could not write .*log.csv"):
        fit(*pair(), few, TrainConfig(steps=2, **CONFIG), [CsvLog(tmp_path / "taken" / "log.csv")], verbose=False)
    write, calls = files.write_atomically, []

    def busy(path, payload):
        calls.append(path)
        if len(calls) == 2:
            raise OSError(13, f"could not write {path}: Permission denied")
        write(path, payload)

    monkeypatch.setattr(files, "write_atomically", busy)
    path = tmp_path / "log.csv"
    with pytest.warns(UserWarning, match="could not write .*log.csv: Permission denied"):
        history = fit(*pair(), few, TrainConfig(steps=4, **CONFIG), [CsvLog(path)], verbose=False)
    assert read(path) == history.rows


def test_tensorboard_shows_the_history(pair, few, tmp_path):
    threads = threading.active_count()
    history = fit(*pair(), few, TrainConfig(steps=6, **CONFIG), [TensorBoardLog(tmp_path)], verbose=False)
    assert threading.active_count() == threads, "closed"
    shown, pictures = scalars(tmp_path)
    assert shown.keys() == set(COLUMNS[1:]) and pictures == {}
    for column, values in shown.items():
        assert [step for step, _ in values] == history["step"] == [2, 4, 6]
        assert [value for _, value in values] == pytest.approx(history[column], rel=1e-6)


def test_samples_are_sheets_of_the_averaged_generator_from_the_same_z(pair, few, tmp_path):
    log = TensorBoardLog(tmp_path, samples_every_steps=3)
    history = fit(*pair(), few, TrainConfig(steps=6, **CONFIG), [log], verbose=False)
    _, sheets = scalars(tmp_path)
    assert sheets.keys() == {0, 3, 6} and len(set(sheets.values())) == 3
    device = runtime.device()
    z = torch.randn(64, 8, generator=runtime.keyed_generator(device, 0, "samples"), device=device)
    want = plots.tile(history.averaged(z), columns=8, gap=2, background=0)
    with Image.open(io.BytesIO(sheets[6])) as sheet:
        assert np.array_equal(np.asarray(sheet)[2:-2, 2:-2], want)


def test_rows_are_on_the_disk_before_a_checkpoint_can_follow(tmp_path):
    script = """
        import os
        from course_lib import data
        from course_lib.models import mlp
        from course_lib.training import CsvLog, TensorBoardLog, TrainConfig, fit
        images = data.load("fashion-mnist", "test").subset(slice(0, 64))
        config = TrainConfig(steps=9, batch_size=16, log_every_steps=2, precision="float32")
        logs = [CsvLog("log.csv"), TensorBoardLog("board")]
        killed = lambda state: os._exit(7) if state.step == 4 else None
        fit(mlp.Generator(8, 8, 1, 28), mlp.Discriminator(8, 1, 28), images, config, [*logs, killed], verbose=False)
    """
    assert subprocess.run([sys.executable, "-c", textwrap.dedent(script)], cwd=tmp_path).returncode == 7
    assert [row["step"] for row in read(tmp_path / "log.csv")] == [2, 4]
    shown, _ = scalars(tmp_path / "board")
    assert all([step for step, _ in shown[column]] == [2, 4] for column in COLUMNS[1:])


def test_after_a_kill_tensorboard_drops_what_the_run_lost(pair, few, tmp_path):
    config = TrainConfig(steps=12, checkpoint_dir=str(tmp_path / "run"), **CONFIG)
    folder = tmp_path / "board"
    with pytest.raises(Killed):
        log = TensorBoardLog(folder, samples_every_steps=3)
        fit(*pair(), few, config, [log, killed_at(7)], verbose=False)  # its last checkpoint is of step 4
    shown, pictures = scalars(folder)
    assert [step for step, _ in shown["d_loss"]] == [2, 4, 6], "flushed, though the run never ended"
    assert pictures.keys() == {0, 3, 6}
    log.writer.close()
    history = fit(*pair(), few, config, [TensorBoardLog(folder, samples_every_steps=3)], verbose=False)
    shown, pictures = scalars(folder)
    assert [step for step, _ in shown["d_loss"]] == [2, 4, 6, 8, 10, 12] and pictures.keys() == {0, 3, 6, 9, 12}
    speeds = [value for _, value in shown["images_per_second"]]
    assert speeds == pytest.approx(history["images_per_second"], rel=1e-6)


def test_a_log_that_joins_a_resumed_run_has_its_past_too(pair, few, tmp_path):
    config = TrainConfig(steps=4, checkpoint_dir=str(tmp_path / "run"), **CONFIG)
    fit(*pair(), few, config, verbose=False)
    longer = TrainConfig(**{**config.__dict__, "steps": 6})
    fit(*pair(), few, longer, [TensorBoardLog(tmp_path / "board")], verbose=False)
    assert [step for step, _ in scalars(tmp_path / "board")[0]["d_loss"]] == [2, 4, 6]


def test_one_log_serves_two_runs_in_turn(pair, few, tmp_path):
    log = TensorBoardLog(tmp_path)
    for steps in (6, 2):
        fit(*pair(), few, TrainConfig(steps=steps, **CONFIG), [log], verbose=False)
    assert [step for step, _ in scalars(tmp_path)[0]["d_loss"]] == [2]


def test_logs_change_nothing_of_the_run(pair, few, tmp_path):
    weights = []
    for logs in ([], [CsvLog(tmp_path / "log.csv"), TensorBoardLog(tmp_path / "board", samples_every_steps=1)]):
        g, d = pair()
        fit(g, d, few, TrainConfig(steps=4, **CONFIG), logs, verbose=False)
        weights.append(torch.cat([p.detach().flatten() for p in g.parameters()]))
    assert torch.equal(*weights)


def test_samples_without_an_average_are_refused_by_name(pair, few, tmp_path):
    config = TrainConfig(steps=2, ema_half_life_kimg=None, **CONFIG)
    log = TensorBoardLog(tmp_path, samples_every_steps=1)
    with pytest.raises(
        ValueError, match="samples_every_steps: expected a run that averages weights, got ema_half_life"
    ):
        fit(*pair(), few, config, [log], verbose=False)
    log.writer.close()
    with pytest.raises(ValueError, match="samples_every_steps: expected None or at least 1, got 0"):
        TensorBoardLog(tmp_path, samples_every_steps=0)


def test_without_tensorboard_the_one_command_is_named(tmp_path):
    script = (
        "import sys; sys.modules['tensorboard'] = None\n"
        "from course_lib import cli\nsys.argv = ['gan-course', 'train', 'mlp-fashion', '--tensorboard', 'board']\ncli.main()"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert found.returncode == 2
    assert found.stderr == (
        f"gan-course: tensorboard is not installed; install it with: {sys.executable} -m pip install tensorboard\n"
    )


def test_importing_the_library_does_not_import_tensorboard():
    script = "import sys, course_lib.training; assert not any(name.startswith('tensorboard') for name in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_command_line_writes_both(tmp_path, monkeypatch):
    card = {"summary": "", "minutes": 0, "hardware": {"device": ""}, "metrics": {}}
    monkeypatch.setattr(recording, "record_generator", lambda *_: card)
    arguments = ["train", "mlp-fashion", "--out", "run", "--csv", "log.csv", "--tensorboard", "board"]
    for setting in ("steps=4", "log_every_steps=2", "precision=float32", "batch_size=16"):
        arguments += ["--set", setting]
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(cli.app, arguments, catch_exceptions=False).exit_code == 0
    assert [row["step"] for row in read("log.csv")] == [2, 4]
    shown, pictures = scalars("board")
    assert [step for step, _ in shown["g_loss"]] == [2, 4] and pictures.keys() == {0}


def test_a_classifier_has_no_such_rows():
    with pytest.raises(
        ValueError, match="--csv, --tensorboard: expected a GAN's recipe, got a classifier's, which logs"
    ):
        CliRunner().invoke(cli.app, ["train", "classifier-fashion", "--csv", "log.csv"], catch_exceptions=False)
