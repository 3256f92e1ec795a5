"""Chapter 02's exercises: what is asked, how an answer is judged, and the mistakes that are told apart."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from course_lib import data
from course_lib.exercises.engine import Exercise, Property, Wrong, WrongAnswer, register
from course_lib.exercises.questions import EXPLANATIONS, QUIZZES, Explanation, Option, Question
from course_lib.losses import LOSSES
from course_lib.models import dcgan
from course_lib.training import loop

LOSS = LOSSES["non_saturating"]


def require(condition, message: str) -> None:
    """raise Wrong(message) unless the condition holds"""
    if not condition:
        raise Wrong(message)


# ---------------------------------------------------------------- 02.to_uint8


def _grey_levels() -> torch.Tensor:
    return torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)


def _round_trip(answer):
    levels = _grey_levels()
    back = answer(data.to_float(levels))
    require(isinstance(back, torch.Tensor), f"Expected a tensor, got {type(back).__name__}.")
    require(
        back.dtype == torch.uint8,
        f"Pixels are uint8; yours are {back.dtype}. Printed they look alike, but floats take "
        "four times the memory, and `to_float` refuses them.",
    )
    require(back.shape == levels.shape, f"The shape should stay {tuple(levels.shape)}; yours is {tuple(back.shape)}.")
    changed = int((back != levels).sum())
    if changed:
        first = int((back != levels).flatten().nonzero()[0])
        raise Wrong(
            f"{changed} of 256 grey levels do not survive the trip to [−1, 1] and back: {first} comes back as "
            f"{int(back.flatten()[first])}."
        )


def _nearest(answer):
    x = torch.rand(1, 3, 40, 40) * 2 - 1
    off = (answer(x).double() - (127.5 * x.double() + 127.5)).abs().max().item()
    require(off <= 0.501, f"Every value should become the nearest level; yours is up to {off:.2f} levels away.")


def _leaves_images(answer):
    x = torch.rand(1, 1, 4, 4) * 2 - 1
    before = x.clone()
    answer(x)
    require(torch.equal(x, before), "The images that came in were changed: an operation ending in `_` works in place.")


to_uint8 = Exercise(
    id="02.to_uint8",
    reference=data.to_uint8,
    difficulty=1,
    minutes=4,
    properties=[
        Property("all 256 grey levels survive [−1, 1] and back", _round_trip),
        Property("values between two levels become the nearer one", _nearest),
        Property("the images that come in are left alone", _leaves_images),
    ],
    behaviour=lambda answer: [
        str(answer(torch.linspace(-1, 1, 1001).reshape(1, 1, 7, 143)).dtype),
        answer(torch.linspace(-1, 1, 1001).reshape(1, 1, 7, 143)).double(),
        answer(data.to_float(_grey_levels())).double(),
    ],
    other_forms=[
        lambda images: torch.round((images + 1) / 2 * 255).to(torch.uint8),
        lambda images: images.add(1).mul(127.5).add(0.5).floor().clamp(0, 255).byte(),
    ],
    wrong_answers={
        "no rounding": WrongAnswer(
            lambda images: (images * 127.5 + 127.5).to(torch.uint8),
            "It behaves like a cast without `round`: a cast to uint8 cuts the fraction off, so about half "
            "of all pixels land one level too dark. One widely used metrics package does exactly this.",
        ),
        "forgot the shift": WrongAnswer(
            lambda images: (images * 255).round().to(torch.uint8),
            "It behaves like 255·x: −1 has to become 0, so add before you scale. Negative values "
            "wrap around in uint8, which is why dark pixels came out bright.",
        ),
        "128 instead of 127.5": WrongAnswer(
            lambda images: (images * 127.5 + 128).round().clamp(0, 255).to(torch.uint8),
            "It behaves like round(127.5·x + 128): 128 belongs with `floor`; with `round` the shift is 127.5.",
        ),
        "256 levels up": WrongAnswer(
            lambda images: ((images + 1) / 2 * 256).floor().clamp(0, 255).to(torch.uint8),
            "It behaves like a scale of 256: there are 256 levels, but 255 steps between them.",
        ),
        "scale 127": WrongAnswer(
            lambda images: ((images + 1) * 127).round().to(torch.uint8),
            "It behaves like (x + 1)·127: white becomes 254 and no pixel is ever 255.",
        ),
        "still float": WrongAnswer(
            lambda images: (images * 127.5 + 127.5).round(),
            "The numbers are right; only the cast `.to(torch.uint8)` is missing.",
        ),
        "in [0, 1]": WrongAnswer(
            lambda images: ((images + 1) / 2).round().to(torch.uint8),
            "It behaves like [−1, 1] → [0, 1]: that is what matplotlib wants of floats. Pixels go to 255.",
        ),
    },
    hints=[
        "Where must −1 go, where must 1 go, and what is the straight line through both?",
        "A cast to uint8 cuts off the fraction. What has to happen before it?",
    ],
)


# ---------------------------------------------------------------- 02.initialise


class _Probe(nn.Module):
    """Large enough that a standard deviation is known to 2 %, of shapes whose default initialisation is far from 0.02.

    Never run, so the shapes need not fit.
    """

    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(4, 1024, 4, bias=False)
        self.block = nn.Sequential(nn.ConvTranspose2d(1024, 4, 4, bias=False), nn.BatchNorm2d(4096))


def _initialised(answer) -> dict[str, torch.Tensor]:
    network = _Probe()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.constant_(module.bias, 3.0)  # so that «left as it was» is not mistaken for «set to 0»
    answer(network)
    up, norm = network.block
    return {
        "up": up.weight.detach(),
        "down": network.down.weight.detach(),
        "scale": norm.weight.detach(),
        "shift": norm.bias.detach(),
    }


def _std_of(which: str, name: str):
    def check(answer):
        weights = _initialised(answer)[which]
        std, mean = weights.std().item(), weights.mean().item()
        require(abs(std / 0.02 - 1) < 0.1, f"{name} should have a standard deviation of 0.02; yours has {std:.4f}.")
        require(abs(mean) < 0.005, f"{name} should have mean 0; yours has {mean:.3f}.")

    return check


def _normal(answer):
    weights = _initialised(answer)["down"]
    kurtosis = ((weights - weights.mean()) / weights.std()).pow(4).mean().item()
    require(
        abs(kurtosis - 3) < 0.5,
        f"A normal distribution has kurtosis 3; yours has {kurtosis:.2f} (a uniform one has 1.8).",
    )


def _scale(answer):
    found = _initialised(answer)["scale"]
    require(
        abs(found.mean().item() - 1) < 0.01,
        f"BatchNorm's scales should lie around 1; yours have mean {found.mean():.3f}. "
        "A scale of 0.02 makes every layer fifty times quieter.",
    )
    require(
        abs(found.std().item() / 0.02 - 1) < 0.1,
        f"BatchNorm's scales should have a standard deviation of 0.02; yours have {found.std():.4f}.",
    )


def _shift(answer):
    worst = _initialised(answer)["shift"].abs().max().item()
    require(worst == 0, f"BatchNorm's shifts should be 0; yours reach {worst:.3f}.")


def _initialise_with(
    conv=(0.0, 0.02), scale=(1.0, 0.02), shift=0.0, kinds=(nn.Conv2d, nn.ConvTranspose2d), draw=nn.init.normal_
):
    """A family of answers: which layers are drawn, and from what."""

    def answer(network):
        for module in network.modules():
            if isinstance(module, kinds):
                draw(module.weight, *conv)
            elif isinstance(module, nn.BatchNorm2d):
                if scale is not None:
                    nn.init.normal_(module.weight, *scale)
                if shift is not None:
                    nn.init.constant_(module.bias, shift)

    return answer


def _initialise_through_apply(network):
    def one(module):
        kind = type(module).__name__
        if "Conv" in kind:
            module.weight.data = torch.randn_like(module.weight) * 0.02
        elif "BatchNorm" in kind:
            module.weight.data = 1 + torch.randn_like(module.weight) * 0.02
            module.bias.data.zero_()

    network.apply(one)


def _initialise_top_level_only(network):
    for module in network.children():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)


def _initialise_behaviour(answer) -> list:
    found = _initialised(answer)
    down = found["down"]
    kurtosis = ((down - down.mean()) / down.std()).pow(4).mean()
    return [
        torch.log10(found["up"].std()),
        torch.log10(down.std()),
        kurtosis.clamp(max=6) / 6,
        down.mean(),
        found["scale"].mean(),
        torch.log10(found["scale"].std() + 1e-5),
        found["shift"].mean(),
    ]


initialise = Exercise(
    id="02.initialise",
    reference=dcgan.initialise,
    difficulty=1,
    minutes=6,
    properties=[
        Property("convolutions: mean 0, standard deviation 0.02", _std_of("down", "A convolution's weights")),
        Property("transposed convolutions too", _std_of("up", "A transposed convolution's weights")),
        Property("drawn from a normal distribution", _normal),
        Property("BatchNorm scales around 1, also inside nested modules", _scale),
        Property("BatchNorm shifts exactly 0", _shift),
    ],
    behaviour=_initialise_behaviour,
    tolerance=(0.0, 0.06),
    other_forms=[_initialise_through_apply],
    wrong_answers={
        "PyTorch's default": WrongAnswer(
            lambda network: network,
            "Nothing was changed: PyTorch's own initialisation is still there, which depends on the "
            "size of each layer and not on the paper.",
        ),
        "scales around 0": WrongAnswer(
            _initialise_with(scale=(0.0, 0.02)),
            "It behaves like N(0, 0.02²) for *all* weights, BatchNorm's scales included. Many texts say "
            "so; their code says N(1, 0.02²), and that is what trains.",
        ),
        "variance for deviation": WrongAnswer(
            _initialise_with(conv=(0.0, 0.02**2), scale=(1.0, 0.02**2)),
            "It behaves like 0.02² passed as standard deviation: `normal_` takes the standard deviation itself.",
        ),
        "deviation for variance": WrongAnswer(
            _initialise_with(conv=(0.0, math.sqrt(0.02)), scale=(1.0, math.sqrt(0.02))),
            "It behaves like a variance of 0.02: the deviation is 0.02, the variance 0.0004.",
        ),
        "no transposed": WrongAnswer(
            _initialise_with(kinds=(nn.Conv2d,)),
            "Only `nn.Conv2d` was drawn. `nn.ConvTranspose2d` is a class of its own, not a subclass, and "
            "the generator consists of nothing else.",
        ),
        "uniform": WrongAnswer(
            _initialise_with(conv=(-0.02, 0.02), draw=nn.init.uniform_),
            "It behaves like a uniform distribution on ±0.02, whose standard deviation is 0.0115.",
        ),
        "BatchNorm left": WrongAnswer(
            _initialise_with(scale=None, shift=None),
            "The convolutions are right; BatchNorm was left at its default. Its scales need a draw "
            "around 1 and its shifts 0.",
        ),
        "top level only": WrongAnswer(
            _initialise_top_level_only,
            "It behaves like a walk over `children()`: layers inside a Sequential are missed. "
            "`modules()` finds them at any depth.",
        ),
        "shift forgotten": WrongAnswer(
            _initialise_with(shift=None), "All drawn rightly; the shifts (`bias`) still hold what was there before."
        ),
    },
    hints=[
        "`network.modules()` walks over every layer at any depth; `isinstance` tells what it is.",
        "`nn.init.normal_(tensor, mean, std)` draws in place. BatchNorm's scale is called `weight`, its shift `bias`.",
        "Why around 1? Multiply a normalised activation by N(0, 0.02²) and look at what is left after four layers.",
    ],
)


# ---------------------------------------------------------------- 02.upsample


def _as_block(answer, before=6, after=5):
    block = answer(before, after)
    require(isinstance(block, nn.Module), f"Expected a module such as nn.Sequential, got {type(block).__name__}.")
    return block


def _doubles(answer):
    for size in (1, 4, 7):
        block, x = _as_block(answer), torch.randn(2, 6, size, size)
        try:
            y = block(x)
        except RuntimeError as error:
            raise Wrong(
                f"For an input of shape (2, 6, {size}, {size}) it failed: {str(error).splitlines()[0]}"
            ) from error
        require(
            y.shape == (2, 5, 2 * size, 2 * size),
            f"(2, 6, {size}, {size}) should become (2, 5, {2 * size}, {2 * size}); "
            f"yours gives {tuple(y.shape)}. A transposed convolution gives (H − 1)·stride − 2·padding + kernel.",
        )


def _count(answer):
    found = sum(p.numel() for p in _as_block(answer).parameters())
    want = 6 * 5 * 16 + 2 * 5
    require(
        found == want,
        f"A 4×4 kernel for 6 → 5 channels and BatchNorm's scale and shift for 5 make {want} numbers to "
        f"learn; yours has {found}.",
    )


def _normalised(answer):
    block = _as_block(answer, 6, 64).train()
    y = block(5 * torch.randn(16, 6, 8, 8) + 3)
    require(y.min() >= 0, f"After a ReLU nothing is below 0; your smallest output is {y.min():.2f}.")
    mean, squares = y.mean().item(), y.square().mean().item()
    require(
        0.3 < mean < 0.5 and 0.4 < squares < 0.6,
        "After BatchNorm (scale 1, shift 0) and ReLU the mean is 0.40 and the mean square 0.50, whatever came in; yours are "
        f"{mean:.2f} and {squares:.2f}.",
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
    return [torch.tensor(y.shape), sum(p.numel() for p in block.parameters()), y.detach().flatten()[:50]]


upsample = Exercise(
    id="02.upsample",
    reference=dcgan.upsample,
    difficulty=1,
    minutes=5,
    properties=[
        Property("(N, before, H, W) becomes (N, after, 2H, 2W), for H = 1, 4 and 7", _doubles),
        Property("a 4×4 kernel and BatchNorm, no superfluous bias", _count),
        Property("normalised, then rectified", _normalised),
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


# ---------------------------------------------------------------- 02.parameter_count


def parameter_count(latent_dim: int, width: int, channels: int, size: int) -> tuple[int, int]:
    """Learned numbers of a DCGAN's generator and discriminator, by arithmetic alone.

    Every kernel is 4×4 without bias: 16·in·out. Every BatchNorm has a scale and a shift: 2·channels. The
    discriminator's first layer has no BatchNorm, nor have the last layers of both.
    """
    maps = [width * 2**level for level in range(int(math.log2(size)) - 2)]  # at size/2, size/4, …, 4
    chain = sum(16 * small * large for small, large in zip(maps, maps[1:]))
    generator = 16 * latent_dim * maps[-1] + chain + 16 * maps[0] * channels + 2 * sum(maps)
    discriminator = 16 * channels * maps[0] + chain + 16 * maps[-1] + 2 * sum(maps[1:])
    return generator, discriminator


def _counted(settings):
    def check(answer):
        found = answer(*settings)
        require(
            isinstance(found, (tuple, list)) and len(found) == 2,
            f"Expected two numbers, generator and discriminator; got {found!r}.",
        )
        latent_dim, width, channels, size = settings
        networks = (dcgan.Generator(latent_dim, width, channels, size), dcgan.Discriminator(width, channels, size))
        for name, network, number in zip(("generator", "discriminator"), networks, found):
            want = sum(p.numel() for p in network.parameters())
            require(
                number == want,
                f"For latent {latent_dim}, width {width}, {channels} channels at {size} px the {name} "
                f"has {want:,} parameters, counted from the network; yours says {number:,}.",
            )

    return check


def _count_with(
    kernel=16, norm=2, bias=False, d_first_norm=False, to_image=True, last=True, latent=True, extra_level=0
):
    """A family of answers: what is counted and what is forgotten."""

    def answer(latent_dim, width, channels, size):
        maps = [width * 2**level for level in range(int(math.log2(size)) - 2 + extra_level)]
        chain = sum(kernel * small * large for small, large in zip(maps, maps[1:]))
        generator = (
            kernel * latent_dim * maps[-1] * latent + chain + kernel * maps[0] * channels * to_image + norm * sum(maps)
        )
        discriminator = (
            kernel * channels * maps[0]
            + chain
            + kernel * maps[-1] * last
            + norm * sum(maps[0 if d_first_norm else 1 :])
        )
        if bias:
            generator, discriminator = generator + sum(maps) + channels, discriminator + sum(maps) + 1
        return generator, discriminator

    return answer


def _count_by_loop(latent_dim, width, channels, size):
    generator = discriminator = 0
    small, pixels = width, size // 2
    discriminator += channels * width * 4 * 4
    generator += width * channels * 4 * 4
    while pixels > 4:
        discriminator += small * (2 * small) * 4 * 4 + 2 * (2 * small)
        generator += (2 * small) * small * 4 * 4 + 2 * small
        small, pixels = 2 * small, pixels // 2
    generator += latent_dim * small * 4 * 4 + 2 * small
    discriminator += small * 4 * 4
    return generator, discriminator


parameter_count_exercise = Exercise(
    id="02.parameter_count",
    reference=parameter_count,
    difficulty=2,
    minutes=10,
    properties=[
        Property("64 px, three channels: 3,576,704 and 2,765,568", _counted((100, 64, 3, 64))),
        Property("this chapter's 32 px network", _counted((100, 32, 1, 32))),
        Property("other sizes, widths and latents", _counted((17, 8, 2, 16))),
        Property("the smallest one, 8 px", _counted((5, 4, 1, 8))),
    ],
    behaviour=lambda answer: [torch.tensor(answer(100, 64, 3, 64)), torch.tensor(answer(17, 8, 2, 16))],
    tolerance=(0.0, 0.0),
    other_forms=[_count_by_loop],
    wrong_answers={
        "with biases": WrongAnswer(
            _count_with(bias=True),
            "Biases were counted: these convolutions have none, BatchNorm's shift does their work.",
        ),
        "no BatchNorm": WrongAnswer(
            _count_with(norm=0), "BatchNorm was forgotten: a scale and a shift for each of its channels."
        ),
        "scale only": WrongAnswer(
            _count_with(norm=1), "BatchNorm was counted once a channel: it learns a scale *and* a shift."
        ),
        "running statistics": WrongAnswer(
            _count_with(norm=4),
            "BatchNorm's running mean and variance were counted: they are buffers, measured and not learned.",
        ),
        "norm at D's input": WrongAnswer(
            _count_with(d_first_norm=True), "A BatchNorm was counted at the discriminator's input: that layer has none."
        ),
        "no last layer": WrongAnswer(
            _count_with(to_image=False, last=False),
            "The last layers are missing: 16·width·channels in the generator, 16·(widest) in the discriminator.",
        ),
        "no first layer": WrongAnswer(
            _count_with(latent=False), "The generator's first layer, from the latent vector to a 4×4 map, is missing."
        ),
        "kernel 3": WrongAnswer(
            _count_with(kernel=9), "Kernels were counted as 3×3; they are 4×4: 16 numbers for each pair of channels."
        ),
        "one level too many": WrongAnswer(
            _count_with(extra_level=1), "One halving too many: from size/2 down to 4, not to 2."
        ),
    },
    hints=[
        "Write down the chain of widths for 64 px: 64, 128, 256, 512. A kernel between two of them has 16·a·b numbers.",
        "Both networks share that chain. What does each have at its ends, and where is there no BatchNorm?",
    ],
)


# ---------------------------------------------------------------- the two steps


class _TinyGenerator(nn.Module):
    latent_dim = 3

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 4), nn.Tanh())

    def forward(self, z):
        return self.layers(z)


class _TinyDiscriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.LeakyReLU(0.2), nn.Linear(6, 1))

    def forward(self, images):
        return self.layers(images).squeeze(1)


class _World:
    """Two tiny float64 networks with BatchNorm (so that joint batches show), plain SGD, and fixed data."""

    def __init__(self, seed=0):
        torch.manual_seed(seed)
        self.generator, self.discriminator = _TinyGenerator().double(), _TinyDiscriminator().double()
        with torch.no_grad():
            self.discriminator.layers[3].weight.mul_(4)
        self.optimizer_g = torch.optim.SGD(self.generator.parameters(), lr=0.5)
        self.optimizer_d = torch.optim.SGD(self.discriminator.parameters(), lr=0.5)
        self.real = torch.randn(8, 4, dtype=torch.float64) + 1
        self.z = torch.randn(8, 3, dtype=torch.float64)

    def d_step(self, answer):
        found = answer(self.generator, self.discriminator, self.optimizer_d, self.real, self.z, LOSS)
        require(
            isinstance(found, (tuple, list)) and len(found) == 3 and all(isinstance(t, torch.Tensor) for t in found),
            f"Expected three tensors (the loss, real logits, fake logits), got {_described(found)}.",
        )
        return found

    def g_step(self, answer):
        found = answer(self.generator, self.discriminator, self.optimizer_g, self.z, LOSS)
        require(
            isinstance(found, (tuple, list)) and len(found) == 2 and all(isinstance(t, torch.Tensor) for t in found),
            f"Expected two tensors (the loss, fake logits), got {_described(found)}.",
        )
        return found


def _described(thing) -> str:
    if isinstance(thing, (tuple, list)):
        return f"{len(thing)} of {', '.join(type(each).__name__ for each in thing)}"
    return "nothing (is there a return?)" if thing is None else type(thing).__name__


def weights(network: nn.Module) -> torch.Tensor:
    """All learned numbers of a network, as they are now."""
    return torch.cat([p.detach().flatten() for p in network.parameters()]).clone()


def gradients(network: nn.Module) -> float:
    """Sum of all absolute gradients; 0 where there are none."""
    return sum(p.grad.abs().sum().item() for p in network.parameters() if p.grad is not None)


def _d_loss_value(answer):
    world = _World()
    wanted_world = _World()
    want, want_real, want_fake = wanted_world.d_step(loop.discriminator_step)
    got, real_logits, fake_logits = world.d_step(answer)
    require(got.ndim == 0, f"The loss should be one number, a tensor of shape (); yours has shape {tuple(got.shape)}.")
    require(
        torch.allclose(real_logits, want_real) and torch.allclose(fake_logits, want_fake),
        f"The logits differ from D(real) and D(G(z)) in train mode, each in a batch of its own: mean {real_logits.mean():.3f} and "
        f"{fake_logits.mean():.3f}, expected {want_real.mean():.3f} and {want_fake.mean():.3f}.",
    )
    require(
        torch.allclose(got, want), f"The loss should be the sum of both terms, {want:.4f} here; yours is {got:.4f}."
    )


def _d_learns(answer):
    world, wanted = _World(), _World()
    before = weights(world.discriminator)
    world.d_step(answer)
    wanted.d_step(loop.discriminator_step)
    after, want = weights(world.discriminator), weights(wanted.discriminator)
    require(
        not torch.equal(before, after),
        "The discriminator's weights did not move: is there a backward and an optimizer step?",
    )
    with torch.no_grad():
        loss = [
            LOSS.discriminator(w.discriminator(w.real), w.discriminator(w.generator(w.z))).item()
            for w in (_World(), world)
        ]
    require(
        loss[1] < loss[0],
        f"After the step the discriminator should be better: its loss went from {loss[0]:.3f} to {loss[1]:.3f}.",
    )
    require(
        torch.allclose(after, want),
        f"The weights moved by {(after - before).norm():.4f}, but not where one SGD step on the loss goes.",
    )


def _d_twice(answer):
    world, wanted = _World(), _World()
    for _ in range(2):
        world.d_step(answer)
        wanted.d_step(loop.discriminator_step)
    off = (weights(world.discriminator) - weights(wanted.discriminator)).norm().item()
    require(
        off < 1e-8,
        f"The first step is right, the second is off by {off:.3f}: the gradients of the first were still there. "
        "`backward` adds to what is in `.grad`.",
    )


def _g_left_alone(answer):
    world = _World()
    before = weights(world.generator)
    world.d_step(answer)
    require(
        torch.equal(before, weights(world.generator)), "The generator's weights changed in the discriminator's step."
    )
    left = gradients(world.generator)
    require(
        left == 0,
        f"Gradients of total size {left:.3f} were left in the generator. Nothing breaks as long as its own step clears "
        "them first, but the backward pass went through the whole generator for nothing, and in a loop that "
        "forgets to clear them the generator would learn to be caught. Cut the graph: `detach` or `no_grad`.",
    )


def _detached(step):
    def check(answer):
        for tensor in step(_World(), answer):
            require(
                not tensor.requires_grad,
                "What is returned still carries its graph: kept in a list of losses, every step's "
                "activations stay in memory. Return `loss.detach()`, and the logits likewise.",
            )

    return check


def _modes_kept(step):
    def check(answer):
        world = _World()
        step(world, answer)
        require(
            world.generator.training and world.discriminator.training,
            "A network was left in eval mode: BatchNorm would go on with frozen statistics in the next step.",
        )
        stuck = [
            name
            for name, network in (("generator", world.generator), ("discriminator", world.discriminator))
            if not all(p.requires_grad for p in network.parameters())
        ]
        require(
            not stuck,
            f"The {' and '.join(stuck)} was left with requires_grad False: its next step would learn nothing.",
        )

    return check


def _step_behaviour(step):
    def behaviour(answer) -> list:
        world, seen = _World(), []
        for _ in range(2):
            found = step(world, answer)
            seen += [torch.stack([t.detach().double().mean() for t in found]), *(str(t.requires_grad) for t in found)]
        return [
            *seen,
            weights(world.discriminator),
            weights(world.generator),
            gradients(world.generator),
            str(world.discriminator.training),
            str(all(p.requires_grad for p in world.discriminator.parameters())),
        ]

    return behaviour


def _d_answer(
    *,
    detach=True,
    joint=False,
    clear=True,
    update=True,
    swapped=False,
    halved=False,
    sigmoid=False,
    real_only=False,
    eval_mode=False,
    keep_graph=False,
):
    """A family of discriminator steps, each with one thing done otherwise."""

    def answer(generator, discriminator, optimizer, real, z, loss):
        fake = generator(z)
        if detach:
            fake = fake.detach()
        if eval_mode:
            discriminator.eval()
        if joint:
            real_logits, fake_logits = discriminator(torch.cat([real, fake])).split(len(real))
        else:
            real_logits, fake_logits = discriminator(real), discriminator(fake)
        if sigmoid:
            value = loss.discriminator(real_logits.sigmoid(), fake_logits.sigmoid())
        elif swapped:
            value = loss.discriminator(fake_logits, real_logits)
        elif real_only:
            value = F.softplus(-real_logits).mean()
        else:
            value = loss.discriminator(real_logits, fake_logits)
        value = value / 2 if halved else value
        if clear:
            optimizer.zero_grad()
        value.backward()
        if update:
            optimizer.step()
        if keep_graph:
            return value, real_logits, fake_logits
        return value.detach(), real_logits.detach(), fake_logits.detach()

    return answer


def _d_by_binary_cross_entropy(generator, discriminator, optimizer, real, z, loss):
    optimizer.zero_grad()
    fake = generator(z).detach()
    real_logits = discriminator(real)
    on_real = F.binary_cross_entropy_with_logits(real_logits, torch.ones_like(real_logits))
    on_real.backward()  # two backward passes add up to that of the sum
    fake_logits = discriminator(fake)
    on_fake = F.binary_cross_entropy_with_logits(fake_logits, torch.zeros_like(fake_logits))
    on_fake.backward()
    optimizer.step()
    return (on_real + on_fake).detach(), real_logits.detach(), fake_logits.detach()


discriminator_step = Exercise(
    id="02.discriminator_step",
    reference=loop.discriminator_step,
    difficulty=2,
    minutes=12,
    properties=[
        Property("the loss is the sum over both batches, the logits are D's own", _d_loss_value),
        Property("one optimizer step that makes the discriminator better", _d_learns),
        Property("a second step starts from clean gradients", _d_twice),
        Property("the generator is left alone: no weight moves, no gradient is left in it", _g_left_alone),
        Property("what is returned carries no graph", _detached(_World.d_step)),
        Property("both networks are left in train mode and able to learn", _modes_kept(_World.d_step)),
    ],
    behaviour=_step_behaviour(_World.d_step),
    other_forms=[_d_by_binary_cross_entropy],
    wrong_answers={
        "no detach": WrongAnswer(
            _d_answer(detach=False),
            "It behaves like `discriminator(generator(z))` without `detach`. Often "
            "said to train the generator backwards; it does not, because this optimizer holds the "
            "discriminator's weights only. What it does is pay for the generator's backward pass.",
        ),
        "gradients not cleared": WrongAnswer(_d_answer(clear=False), "`optimizer.zero_grad()` is missing."),
        "no update": WrongAnswer(_d_answer(update=False), "Gradients are computed but `optimizer.step()` is missing."),
        "labels swapped": WrongAnswer(
            _d_answer(swapped=True), "Real and fake are swapped in the loss: it learns to call the fakes real."
        ),
        "mean of both terms": WrongAnswer(
            _d_answer(halved=True),
            "It behaves like the mean of both terms, (real + fake)/2: the game's "
            "value is their sum, log 4 = 1.386 where nothing can be told apart. Half of it is half the "
            "learning rate, and curves that cannot be compared.",
        ),
        "sigmoid twice": WrongAnswer(
            _d_answer(sigmoid=True),
            "It behaves like a sigmoid in front of a loss that takes logits: then no "
            "«logit» leaves (0, 1), and the loss can never fall below 1.006.",
        ),
        "real images only": WrongAnswer(
            _d_answer(real_only=True), "Only the real images are in the loss: «everything is real» solves it."
        ),
        "one joint batch": WrongAnswer(
            _d_answer(joint=True),
            "Real and fake went through D in one batch: BatchNorm then normalises with "
            "statistics of both together. Neither way is a law (this chapter measures it); here each has its own.",
        ),
        "eval mode": WrongAnswer(
            _d_answer(eval_mode=True),
            "The discriminator was put into eval mode and left there: BatchNorm then uses "
            "running statistics instead of the batch's.",
        ),
        "graph returned": WrongAnswer(
            _d_answer(keep_graph=True), "All right but for the return: `detach` what leaves the function."
        ),
    },
    hints=[
        "Five things in order: fakes, logits, loss, gradients, update. Which of them must not reach the generator?",
        "`loss.discriminator(real_logits, fake_logits)` is the whole objective; `zero_grad`, `backward`, `step` are the rest.",
    ],
)


def _g_loss_value(answer):
    world, wanted = _World(), _World()
    want, want_logits = wanted.g_step(loop.generator_step)
    got, logits = world.g_step(answer)
    require(
        torch.allclose(logits, want_logits),
        f"The logits differ from D(G(z)) in train mode: mean {logits.mean():.3f}, expected {want_logits.mean():.3f}.",
    )
    require(
        got.ndim == 0 and torch.allclose(got, want),
        f"The loss should be loss.generator(fake_logits) = {want:.4f} here; yours is {got.mean():.4f}.",
    )


def _g_learns(answer):
    world, wanted = _World(), _World()
    before = weights(world.generator)
    world.g_step(answer)
    wanted.g_step(loop.generator_step)
    after, want = weights(world.generator), weights(wanted.generator)
    require(
        not torch.equal(before, after),
        "The generator's weights did not move. Is there a backward and an optimizer step, and does "
        "the gradient reach the generator?",
    )
    with torch.no_grad():
        logits = [w.discriminator(w.generator(w.z)).mean().item() for w in (_World(), world)]
    require(
        logits[1] > logits[0],
        f"After the step its fakes should look more real: their mean logit went from {logits[0]:.3f} to {logits[1]:.3f}.",
    )
    require(
        torch.allclose(after, want),
        f"The weights moved by {(after - before).norm():.4f}, but not where one SGD step on the loss goes.",
    )


def _g_twice(answer):
    world, wanted = _World(), _World()
    for _ in range(2):
        world.g_step(answer)
        wanted.g_step(loop.generator_step)
    off = (weights(world.generator) - weights(wanted.generator)).norm().item()
    require(
        off < 1e-8,
        f"The first step is right, the second is off by {off:.3f}: the gradients of the first were still there.",
    )


def _d_left_alone(answer):
    world = _World()
    before = weights(world.discriminator)
    world.g_step(answer)
    require(
        torch.equal(before, weights(world.discriminator)),
        "The discriminator's weights changed in the generator's step.",
    )


def _g_answer(
    *,
    detach=False,
    clear=True,
    update=True,
    fool=True,
    saturating=False,
    train_d=False,
    stay_frozen=False,
    eval_mode=False,
    keep_graph=False,
    sigmoid=False,
):
    """A family of generator steps, each with one thing done otherwise."""

    def answer(generator, discriminator, optimizer, z, loss):
        if stay_frozen:
            discriminator.requires_grad_(False)
        if eval_mode:
            discriminator.eval()
        fake = generator(z)
        if detach:
            fake = fake.detach()
        logits = discriminator(fake)
        if saturating:
            value = LOSSES["saturating"].generator(logits)
        elif sigmoid:
            value = loss.generator(logits.sigmoid())
        elif fool:
            value = loss.generator(logits)
        else:
            value = F.softplus(logits).mean()
        if clear:
            optimizer.zero_grad()
        value.backward()
        if update:
            optimizer.step()
        if train_d:
            with torch.no_grad():
                for parameter in discriminator.parameters():
                    parameter -= 0.5 * parameter.grad
        return (value, logits) if keep_graph else (value.detach(), logits.detach())

    return answer


def _g_plain(generator, discriminator, optimizer, z, loss):
    logits = discriminator(generator(z))
    value = F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))
    optimizer.zero_grad()
    value.backward()
    optimizer.step()
    return value.detach(), logits.detach()


generator_step = Exercise(
    id="02.generator_step",
    reference=loop.generator_step,
    difficulty=2,
    minutes=8,
    solution_also=[loop.frozen],
    properties=[
        Property("the loss is that of the fakes' logits", _g_loss_value),
        Property("one optimizer step after which the fakes look more real to D", _g_learns),
        Property("a second step starts from clean gradients", _g_twice),
        Property("the discriminator's weights stay where they are", _d_left_alone),
        Property("what is returned carries no graph", _detached(_World.g_step)),
        Property("both networks are left in train mode and able to learn", _modes_kept(_World.g_step)),
    ],
    behaviour=_step_behaviour(_World.g_step),
    other_forms=[_g_plain],
    wrong_answers={
        "detached fakes": WrongAnswer(
            _g_answer(detach=True),
            "The fakes are detached: right in D's step, but here the gradient has to "
            "travel through D's input back into the generator.",
        ),
        "gradients not cleared": WrongAnswer(_g_answer(clear=False), "`optimizer.zero_grad()` is missing."),
        "no update": WrongAnswer(_g_answer(update=False), "Gradients are computed but `optimizer.step()` is missing."),
        "helps the discriminator": WrongAnswer(
            _g_answer(fool=False),
            "It behaves like minimising −log(1 − D(G(z))): D's own goal, so the generator learns to be caught.",
        ),
        "saturating loss": WrongAnswer(
            _g_answer(saturating=True),
            "It behaves like the saturating loss log(1 − D(G(z))), whatever `loss` was "
            "passed: where D is sure of a fake its slope is nearly 0. Use `loss.generator`.",
        ),
        "sigmoid twice": WrongAnswer(
            _g_answer(sigmoid=True), "It behaves like a sigmoid in front of a loss that takes logits."
        ),
        "trains both": WrongAnswer(
            _g_answer(train_d=True), "The discriminator was updated too, and towards being fooled: that ends the game."
        ),
        "D left frozen": WrongAnswer(
            _g_answer(stay_frozen=True),
            "`requires_grad_(False)` on D saves work, but it has to be undone: "
            "otherwise D's next step finds nothing to learn.",
        ),
        "eval mode": WrongAnswer(_g_answer(eval_mode=True), "The discriminator was put into eval mode and left there."),
        "graph returned": WrongAnswer(
            _g_answer(keep_graph=True), "All right but for the return: `detach` what leaves the function."
        ),
    },
    hints=[
        "No real images here, and no `detach`: which way does the gradient have to travel?",
        "`loss.generator(discriminator(generator(z)))`, then `zero_grad`, `backward`, `step` of the *generator's* optimizer.",
    ],
)

register(to_uint8, initialise, upsample, parameter_count_exercise, discriminator_step, generator_step)


# ---------------------------------------------------------------- questions

QUIZZES["02.recall"] = [
    Question(
        "A discriminator cannot tell real from fake at all. What is its loss, the sum of both cross-entropy terms?",
        [
            Option("0", False, "0 is the loss of a discriminator that is always right and always sure."),
            Option("0.693", False, "log 2 is one of the two terms: each is −log ½."),
            Option(
                "1.386",
                True,
                "log 4: both terms are −log ½ = 0.693. A plotted 0.69 is usually the mean of both: read the axis.",
            ),
        ],
    ),
    Question(
        "At a fake's logit of −4 (D is sure), which generator loss still has a slope worth following?",
        [
            Option(
                "log(1 − D(G(z))), the saturating one",
                False,
                "Its slope there is −σ(−4) = −0.018: it dies where it is needed.",
            ),
            Option("−log D(G(z)), the non-saturating one", True, "Its slope is −(1 − σ(−4)) = −0.982."),
            Option(
                "both alike, they have the same optimum",
                False,
                "The same fixed point, but another field: −0.018 against −0.982.",
            ),
        ],
    ),
]
QUIZZES["02.check"] = [
    Question(
        "Why does a DCGAN's generator end in Tanh?",
        [
            Option(
                "Training images are scaled to [−1, 1], and so must its output be",
                True,
                "A range that D could tell apart by would be a give-away.",
            ),
            Option(
                "Tanh has larger gradients than ReLU",
                False,
                "Near ±1 its gradient vanishes; it is there for the range.",
            ),
            Option(
                "BatchNorm needs it",
                False,
                "There is no BatchNorm at the output: it would tie the images of a batch together.",
            ),
        ],
    ),
    Question(
        "Samples of the same latent differ from call to call. What was forgotten?",
        [
            Option("A fixed seed", False, "The latent is the same; a seed changes nothing after it."),
            Option(
                "eval()",
                True,
                "In train mode BatchNorm normalises with the batch, so each image depends on its neighbours, and every call "
                "moves the running statistics.",
            ),
            Option("detach()", False, "detach changes gradients, never values."),
        ],
    ),
    Question(
        "Over 60 epochs the generator's loss rises while its images get better. How can that be?",
        [
            Option("The run has diverged", False, "Then the images would suffer too."),
            Option(
                "The loss is measured against an opponent that improves as well",
                True,
                "It says how today's D fares against today's G: a score against a moving opponent, not a height.",
            ),
            Option(
                "The images only seem better",
                False,
                "The Fréchet distance of the recorded run fell all the while: see the figure.",
            ),
        ],
    ),
]
EXPLANATIONS["02.why_no_convergence"] = Explanation(
    prompt="Lesson exercise: does either loss of a GAN converge, and what does that tell you about the game?",
    rubric=[
        "Neither loss falls to a minimum: each player's loss depends on the other's weights.",
        "A loss is therefore no measure of image quality; another measure is needed for that (samples, a distance).",
        "The value where nothing can be told apart (1.386 for D's sum, 0.693 for G) is a reference, and the run's place against it says who leads.",
        "A steady loss may mean balance or a standstill: the curve alone cannot tell, nor can it show missing variety.",
    ],
    example="Each network's loss is computed with the other one's present weights, so a fall for one is a rise for the other and neither has a "
    "minimum of its own to settle in. In the recorded run D's loss stays below 1.386: D is ahead throughout, while the distance between "
    "samples and data keeps falling. So the curves tell who is ahead, not how good the images are, and nothing about variety.",
)
