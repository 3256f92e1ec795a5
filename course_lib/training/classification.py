"""Training of the course's classifiers: cross-entropy, small shifts and mirror images, one cosine of learning rate."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib import runtime
from course_lib.data import Images, epoch_order, to_float


@dataclass(frozen=True)
class ClassifierConfig:
    epochs: int = 60
    batch_size: int = 256
    learning_rate: float = 3e-3  # peak; warms up for one epoch, then falls to 0 along a cosine
    weight_decay: float = 0.02  # AdamW
    largest_shift: int = 2  # pixels, each way, both axes
    mirror: bool = True
    seed: int = 0


def fit_classifier(
    network: nn.Module, images: Images, config: ClassifierConfig, callbacks=()
) -> list[dict[str, float]]:
    """Train in place on `images`; returns one row an epoch with its mean loss and training accuracy.

    A network with a `loss` of its own (AttributeClassifier) learns the attributes; its accuracy is their mean.

    callbacks: called as callback(network, row) after each epoch
    """
    device = runtime.device()
    network.to(device, memory_format=torch.channels_last)
    of_attributes = hasattr(network, "loss")
    pixels, labels = images.pixels.to(device), (images.attributes if of_attributes else images.labels).to(device)
    objective, decide = (network.loss, network.predict) if of_attributes else (F.cross_entropy, most_probable)
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.0, weight_decay=config.weight_decay, fused=True)
    per_epoch = len(pixels) // config.batch_size
    rows = []
    for epoch in runtime.progress_bar(range(config.epochs), unit="epoch"):
        network.train()
        order = epoch_order(len(pixels), epoch, config.seed, device)
        losses, right = [], []
        for batch in range(per_epoch):
            progress = epoch + batch / per_epoch
            factor = min(progress, 0.5 + 0.5 * math.cos(math.pi * progress / config.epochs))
            for group in optimizer.param_groups:
                group["lr"] = config.learning_rate * factor
            index = order[batch * config.batch_size : (batch + 1) * config.batch_size]
            draw = runtime.keyed_generator(device, config.seed, epoch, batch, "augment")
            logits = network(
                augment(to_float(pixels[index]), config, draw).contiguous(memory_format=torch.channels_last)
            )
            loss = objective(logits, labels[index])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
            right.append((decide(logits) == labels[index]).float().mean())
        row = {
            "epoch": epoch + 1,
            "loss": torch.stack(losses).mean().item(),
            "accuracy": torch.stack(right).mean().item(),
        }
        rows.append(row)
        for callback in callbacks:
            callback(network, row)
    network.eval()
    return rows


def most_probable(logits: Tensor) -> Tensor:
    """The class with the largest logit: (N, classes) → (N,)"""
    return logits.argmax(1)


def augment(batch: Tensor, config: ClassifierConfig, draw: torch.Generator) -> Tensor:
    """Each image mirrored with probability ½ and moved by up to `largest_shift` pixels over a black border.

    batch: (N, C, H, W) in [−1, 1]
    """
    count, _, height, width = batch.shape
    shift = config.largest_shift
    offsets = torch.randint(2 * shift + 1, (2, count), generator=draw, device=batch.device)
    rows = offsets[0, :, None] + torch.arange(height, device=batch.device)
    columns = offsets[1, :, None] + torch.arange(width, device=batch.device)
    if config.mirror:
        flip = torch.rand(count, 1, generator=draw, device=batch.device) < 0.5
        columns = torch.where(flip, columns.flip(1), columns)
    padded = F.pad(batch, (shift, shift, shift, shift), value=-1.0)
    everyone = torch.arange(count, device=batch.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[everyone, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


@torch.inference_mode()
def accuracy(network: nn.Module, images: Images, batch_size: int = 1000) -> float:
    """Share of `images` that the network, in eval mode, classifies as labelled."""
    device = next(network.parameters()).device
    right = 0
    for start in range(0, len(images), batch_size):
        logits = network(to_float(images.pixels[start : start + batch_size].to(device)))
        right += int((logits.argmax(1).cpu() == images.labels[start : start + batch_size]).sum())
    return right / len(images)


@torch.inference_mode()
def attribute_accuracy(network: nn.Module, images: Images, batch_size: int = 1000) -> dict[str, float]:
    """For each attribute the share of `images` whose value an AttributeClassifier, in eval mode, names rightly."""
    device = next(network.parameters()).device
    right = [
        network.predict(network(to_float(pixels.to(device)))).cpu() == attributes
        for pixels, attributes in zip(images.pixels.split(batch_size), images.attributes.split(batch_size))
    ]
    return dict(zip(network.classes, torch.cat(right).double().mean(0).tolist()))
