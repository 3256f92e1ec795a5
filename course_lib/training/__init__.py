"""Training: one readable loop, averaged weights, exact resume, named recipes."""

from course_lib.training.checkpoint import load_checkpoint, save_checkpoint
from course_lib.training.ema import ExponentialAverage
from course_lib.training.history import History
from course_lib.training.logs import CsvLog, TensorBoardLog
from course_lib.training.loop import (
    TrainConfig,
    TrainingDiverged,
    TrainingState,
    discriminator_step,
    fit,
    generator_step,
)
from course_lib.training.recipes import RECIPES, train

__all__ = [
    "CsvLog",
    "ExponentialAverage",
    "History",
    "RECIPES",
    "TensorBoardLog",
    "TrainConfig",
    "TrainingDiverged",
    "TrainingState",
    "discriminator_step",
    "fit",
    "generator_step",
    "load_checkpoint",
    "save_checkpoint",
    "train",
]
