"""02.upsample: one block of the generator."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.exercises.engine import Exercise, Property, Wrong, WrongAnswer, require
from course_lib.models import dcgan


def _as_block(answer, before=6, after=5):
    block = answer(before, after)
    require(isinstance(block, nn.Module), f"Expected a module such as nn.Sequential, got {type(block).__name__}.")
    return block


def _run(block, x):
    try:
        y = block(x)
    except RuntimeError as error:
        raise Wrong(f"For an input of shape {tuple(x.shape)} it failed: {str(error).splitlines()[0]}") from error
    require(isinstance(y, torch.Tensor), "The block's forward returned no tensor: is there a return?")
    return y


def _doubles(answer):
    for size in (4, 1, 7):
        y = _run(_as_block(answer), torch.randn(2, 6, size, size))
        require(
            y.shape == (2, 5, 2 * size, 2 * size),
            f"(2, 6, {size}, {size}) should become (2, 5, {2 * size}, {2 * size}); yours gives {tuple(y.shape)}. "
            "A transposed convolution gives (H − 1)·stride − 2·padding + kernel.",
        )


def _count(answer):
    block = _as_block(answer)
    _run(block, torch.randn(2, 6, 4, 4))  # lazy layers have their parameters after a first batch
    found, want = sum(p.numel() for p in block.parameters()), 6 * 5 * 16 + 2 * 5
    require(
        found == want,
        f"A 4×4 kernel for 6 → 5 channels and BatchNorm's scale and shift for 5 make {want} numbers to learn; yours has {found}.",
    )


def _normalised(answer):
    block, x = _as_block(answer, 6, 64).train(), 5 * torch.randn(16, 6, 8, 8) + 3
    y = _run(block, x)
    require(y.min() >= 0, f"After a ReLU nothing is below 0; your smallest output is {y.min():.2f}.")
    mean, squares = y.mean().item(), y.square().mean().item()
    require(
        0.3 < mean < 0.5 and 0.4 < squares < 0.6,
        "After BatchNorm (scale 1, shift 0) and ReLU the mean is 0.40 and the mean square 0.50, whatever came in; yours are "
        f"{mean:.2f} and {squares:.2f}.",
    )


def _exactly(answer):
    """The three operations of the statement, computed from the block's own kernel with a scale of 5 and a shift of 1."""
    block, x = _as_block(answer, 6, 64).train(), torch.randn(16, 6, 8, 8)
    _run(block, x)
    kernels = [p for p in block.parameters() if p.shape == (6, 64, 4, 4)]
    require(len(kernels) == 1, "There is no kernel of shape (before, after, 4, 4), as a transposed convolution has it.")
    vectors = [p for p in block.parameters() if p.shape == (64,)]
    with torch.no_grad():
        for vector in vectors:
            vector.fill_(5.0 if vector.abs().sum() > 0 else 1.0)
        y = F.conv_transpose2d(x, kernels[0], stride=2, padding=1)
        want = F.relu(F.batch_norm(y, None, None, torch.full((64,), 5.0), torch.ones(64), training=True))
        off = (_run(block, x) - want).abs().max().item()
    require(
        off < 1e-2,
        f"Computed from your own kernel, transposed convolution, BatchNorm over the batch and ReLU give something else: up to {off:.2f} off. "
        "Is it another kind of normalisation, or another operation beside the three?",
    )


def _at_rest(answer):
    """In eval mode BatchNorm uses what it has seen in training, so an image does not depend on its batch."""
    block = _as_block(answer, 6, 5).train()
    for _ in range(5):
        _run(block, 3 * torch.randn(32, 6, 4, 4) + 2)
    block.eval()
    x, company = torch.randn(1, 6, 4, 4), 10 * torch.randn(3, 6, 4, 4)
    with torch.no_grad():
        alone, together = _run(block, x), _run(block, torch.cat([x, company]))[:1]
    require(
        torch.allclose(alone, together, atol=1e-5),
        f"In eval mode an image alone and the same among others differ by {(alone - together).abs().max():.2f}: the batch's statistics are still used.",
    )
    moved = [each for name, each in block.named_buffers() if name.endswith("running_mean")]
    require(
        bool(moved) and all(each.abs().max() > 0 for each in moved),
        "After five batches in train mode BatchNorm's running mean still stands at 0: nothing was learned for eval mode.",
    )


def _block(*, kernel=4, stride=2, padding=1, bias=False, norm=True, activation=nn.ReLU, order="cna"):
    def answer(before, after):
        parts = {
            "c": nn.ConvTranspose2d(before, after, kernel, stride=stride, padding=padding, bias=bias),
            "n": nn.BatchNorm2d(after if order.index("c") < order.index("n") else before) if norm else None,
            "a": activation() if activation else None,
        }
        return nn.Sequential(*(parts[key] for key in order if parts[key] is not None))

    return answer


def _resize_convolution(before, after):
    return nn.Sequential(
        nn.Upsample(scale_factor=2),
        nn.Conv2d(before, after, 3, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
    )


class _UpsampleModule(nn.Module):
    def __init__(self, before, after):
        super().__init__()
        self.convolution = nn.ConvTranspose2d(
            before, after, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1), bias=False
        )
        self.norm = nn.BatchNorm2d(after)

    def forward(self, x):
        return F.relu(self.norm(self.convolution(x)))


def _block_behaviour(answer) -> list:
    block = answer(6, 5).train()
    with torch.no_grad():
        for index, parameter in enumerate(block.parameters()):
            if parameter.ndim > 1:
                parameter.copy_(torch.sin(torch.arange(parameter.numel()) + index).reshape(parameter.shape))
    y = block(torch.linspace(-1, 2, 2 * 6 * 16).reshape(2, 6, 4, 4))
    return [torch.tensor(y.shape), sum(p.numel() for p in block.parameters()), y.detach().flatten()]


upsample = Exercise(
    id="02.upsample",
    reference=dcgan.upsample,
    difficulty=1,
    minutes=5,
    properties=[
        Property("(N, before, H, W) becomes (N, after, 2H, 2W), for H = 1, 4 and 7", _doubles),
        Property("a 4×4 kernel and BatchNorm, no superfluous bias", _count),
        Property("normalised, then rectified", _normalised),
        Property("these three operations and no other", _exactly),
        Property("in eval mode an image does not depend on its batch", _at_rest),
    ],
    behaviour=_block_behaviour,
    other_forms=[lambda before, after: _UpsampleModule(before, after)],
    wrong_answers={
        "kernel 3": WrongAnswer(
            _block(kernel=3),
            "It behaves like a 3×3 kernel: (H − 1)·2 − 2 + 3 = 2H − 1, one pixel short. With "
            "an even kernel every output pixel is also fed by equally many inputs.",
        ),
        "no padding": WrongAnswer(_block(padding=0), "It behaves like padding 0: (H − 1)·2 + 4 = 2H + 2."),
        "stride 1": WrongAnswer(_block(stride=1), "It behaves like stride 1: nothing is enlarged."),
        "with bias": WrongAnswer(
            _block(bias=True),
            "The convolution has a bias: BatchNorm subtracts it again in the very next "
            "step, so it is learned for nothing.",
        ),
        "no BatchNorm": WrongAnswer(
            _block(norm=False), "BatchNorm is missing: only the last block of the generator goes without."
        ),
        "leaky": WrongAnswer(
            _block(activation=lambda: nn.LeakyReLU(0.2)),
            "It behaves like LeakyReLU(0.2): that is the discriminator's; the generator has ReLU.",
        ),
        "norm after ReLU": WrongAnswer(
            _block(order="can"), "It behaves like ReLU before BatchNorm: the order is convolution, BatchNorm, ReLU."
        ),
        "no activation": WrongAnswer(
            _block(activation=None),
            "The ReLU is missing: without it, blocks in a row are little more than one linear map.",
        ),
        "resize and convolve": WrongAnswer(
            _resize_convolution,
            "That is nearest-neighbour enlargement and a convolution: a good "
            "block (fewer checkerboards), but not DCGAN's; it has another "
            "number of parameters.",
        ),
        "swapped channels": WrongAnswer(
            lambda before, after: _block()(after, before),
            "`before` and `after` are swapped: a ConvTranspose2d takes the input's channels first.",
        ),
    },
    hints=[
        "Solve (H − 1)·2 − 2·padding + 4 = 2H for the padding.",
        "`nn.Sequential(nn.ConvTranspose2d(…), nn.BatchNorm2d(…), nn.ReLU())`; look up which argument switches the bias off.",
    ],
)
