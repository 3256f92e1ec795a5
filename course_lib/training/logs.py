"""Callbacks for `fit` that write a run down as it goes: a CSV file, TensorBoard."""

from __future__ import annotations

import csv
import io
import sys
import warnings
from pathlib import Path

import torch
from torchvision.utils import make_grid

from course_lib import files, runtime
from course_lib.data import to_uint8
from course_lib.models import in_turn
from course_lib.training.history import COLUMNS
from course_lib.training.loop import TrainingState


class CsvLog:
    """The rows of History as a CSV file that is whole whenever it is read.

    The file is written anew with each row, from the history that a checkpoint restores: after a resume it has
    neither rows of steps that were lost nor any row twice. A file of an earlier run at `path` is replaced.
    """

    def __init__(self, path: Path | str):
        self.path = Path(path)
        self.written: int | None = None

    def __call__(self, state: TrainingState) -> None:
        """raises: OSError if the first write fails; later ones only warn, since the next row brings all before it"""
        rows = state.history.rows
        if len(rows) == self.written:
            return
        text = io.StringIO(newline="")
        table = csv.DictWriter(text, COLUMNS)
        table.writeheader()
        table.writerows(rows)
        try:
            files.write_atomically(self.path, text.getvalue().encode())
        except OSError as error:  # open in a spreadsheet, say, on Windows: no reason to lose a run
            if self.written is None:
                raise
            warnings.warn(str(error), stacklevel=2)
        self.written = len(rows)


class TensorBoardLog:
    """The rows of History as TensorBoard scalars, and sheets of samples if asked for.

    Look with `tensorboard --logdir FOLDER`. After a resume TensorBoard drops what came after the resumed step.

    samples_every_steps: how often 64 images of the averaged generator are kept, from the same z each time
    raises:              ModuleNotFoundError with the one command, where tensorboard is not installed
    """

    def __init__(self, folder: Path | str, samples_every_steps: int | None = None):
        if samples_every_steps is not None and samples_every_steps < 1:
            raise ValueError(f"samples_every_steps: expected None or at least 1, got {samples_every_steps}")
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                f"tensorboard is not installed; install it with: {sys.executable} -m pip install tensorboard"
            ) from error
        self.open = SummaryWriter
        self.folder, self.samples_every_steps = Path(folder), samples_every_steps
        self.writer, self.written = None, 0

    def __call__(self, state: TrainingState) -> None:
        """raises: ValueError if samples are asked for and the run averages no weights"""
        rows = state.history.rows
        if self.writer is None or state.step == 0:
            there = any(self.folder.glob("events.out.tfevents.*"))  # else this log is new, the run perhaps not
            self.written = sum(row["step"] < state.step for row in rows) if there else 0
            self.writer = self.open(str(self.folder), purge_step=state.step if there else None)
        new = rows[self.written :]
        for row in new:
            for column in COLUMNS[1:]:
                self.writer.add_scalar(column, row[column], row["step"])
        self.written = len(rows)
        sampling = self.samples_every_steps and state.step % self.samples_every_steps == 0
        if sampling:
            self.writer.add_image("samples", _sheet(state), state.step)
        if new or sampling:
            self.writer.flush()  # a checkpoint may follow, and after it a kill
        if state.step == state.config.steps:
            self.writer.close()


@torch.no_grad()
def _sheet(state: TrainingState) -> torch.Tensor:
    """64 images of the averaged generator as one (3, H, W) uint8 picture, eight to a row."""
    if state.average is None:
        raise ValueError("samples_every_steps: expected a run that averages weights, got ema_half_life_kimg=None")
    network = state.average.network
    device = next(network.parameters()).device
    draw = runtime.keyed_generator(device, state.config.seed, "samples")
    z = torch.randn(64, network.latent_dim, generator=draw, device=device)
    return make_grid(to_uint8(network(z, **in_turn(network, 64))).cpu())
