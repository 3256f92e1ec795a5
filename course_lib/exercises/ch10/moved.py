"""10.layer_distance and 10.squared_speeds: how far apart two images look, and how fast images move along a path."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.exercises.ch10.between import listed, pair, rows
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.exercises.slopes import follow
from course_lib.metrics import path_length
from course_lib.models import lpips


def one_each(found, count: int, what: str) -> Tensor:
    """`found` as (count,) numbers, or a sentence that says what came instead."""
    require(isinstance(found, Tensor), f"Expected {what} in a tensor, got {type(found).__name__}.")
    require(tuple(found.shape) == (count,), f"Expected {what}, shape ({count},); yours has shape {tuple(found.shape)}.")
    return found


# ---------------------------------------------------------------- one layer of LPIPS


def maps(count: int = 3, channels: int = 4, side: int = 5, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Features of two images, not negative, and weights of the channels."""
    draw = torch.Generator().manual_seed(seed)
    a, b = torch.rand(2, count, channels, side, side, generator=draw, dtype=torch.float64) * 5
    return a, b, torch.rand(channels, generator=draw, dtype=torch.float64)


def _one_place(answer):
    a, b = rows(3.0, 4.0).view(1, 2, 1, 1), rows(5.0, 0.0).view(1, 2, 1, 1)
    found = one_each(answer(a, b, rows(1.0, 10.0)), 1, "one distance for each pair").item()
    want = 0.4**2 + 10 * 0.8**2
    require(
        abs(found - want) < 1e-6,
        "One place, two channels: (3, 4) and (5, 0) become (0.6, 0.8) and (1, 0); squared differences 0.16 and 0.64, weights 1 and 10: "
        f"6.56; yours is {found:.4f}.",
    )


def _mean_over_places(answer):
    a, b, head = maps(2)
    once = one_each(answer(a, b, head), 2, "one distance for each pair")
    wider = one_each(answer(a.repeat(1, 1, 1, 3), b.repeat(1, 1, 1, 3), head), 2, "one distance for each pair")
    require(
        torch.allclose(once, wider),
        f"The same picture three times side by side is as far from its partner as once: {listed(once)}; yours {listed(wider)}. Average over the places.",
    )


def _brightness(answer):
    a, b, head = maps(2, seed=1)
    scale = torch.rand(2, 1, 5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(2)) + 0.5
    once, scaled = answer(a, b, head), answer(a * scale, 7 * b, head)
    require(
        torch.allclose(once, scaled),
        f"Only the direction of a place's channels counts: multiplying them place by place changes nothing; yours goes from {listed(once)} to {listed(scaled)}.",
    )


def _zero_features(answer):
    a, b, head = maps(2, seed=3)
    a[:, :, 0, 0] = 0
    b[:, :, 0, 1] = 0
    a.requires_grad_(True)
    found = one_each(answer(a, b, head), 2, "one distance for each pair")
    require(
        bool(torch.isfinite(found).all()),
        f"Where all channels are 0 yours is {listed(found)}: 0/0. Add 1e-10 to the norm.",
    )
    (slope,) = torch.autograd.grad(found.sum(), a)
    require(
        bool(torch.isfinite(slope).all()),
        f"Where all channels are 0 the distance is right and its gradient is not: {int((~torch.isfinite(slope)).sum())} NaN. The square root of a sum of "
        "squares has no slope at 0; `torch.linalg.vector_norm` has 0.",
    )  # fmt: skip


def _pairs_alone(answer):
    a, b, head = maps(4, seed=4)
    together = one_each(answer(a, b, head), 4, "one distance for each pair")
    alone = torch.cat([answer(a[i : i + 1], b[i : i + 1], head) for i in range(4)])
    require(
        torch.allclose(together, alone), "A pair's distance depends on the others in the batch. Each place is normalised by its own channels alone."
    )  # fmt: skip


def _layer_slopes(answer):
    a, b, head = maps(2, seed=6)
    follow(answer, a=a, b=b, head=head)
    a[:, :, 0, 0] = b[:, :, 0, 1] = 0
    b.requires_grad_(True)
    (slope,) = torch.autograd.grad(answer(a, b, head).sum(), b)
    require(
        bool(torch.isfinite(slope).all()), "Where all channels of b are 0 its gradient is NaN: treat a and b alike."
    )


def _layer_behaviour(answer) -> list:
    a, b, head = maps(3, seed=5)
    found = [answer(a, b, head)]
    dead = a.clone()
    dead[:, :, 0] = 0
    dead.requires_grad_(True)
    value = answer(dead, b, head)
    (slope,) = torch.autograd.grad(value.sum(), dead)
    return [*found, value.detach(), slope.isfinite().double().mean()]


def _layer(a, b, head, *, unit, power=2, places=lambda x: x.mean((1, 2))):
    """The parts in which answers differ, so that each wrong one is wrong in one of them."""
    return places(((unit(a) - unit(b)).abs() ** power * head[:, None, None]).sum(1))


def _over_channels(x):
    return x / (torch.linalg.vector_norm(x, dim=1, keepdim=True) + 1e-10)


def _over_everything(x):
    return x / (x.flatten(1).norm(dim=1).view(-1, 1, 1, 1) + 1e-10)


def _over_places(x):
    return x / (torch.linalg.vector_norm(x, dim=(2, 3), keepdim=True) + 1e-10)


def _layer_by_einsum(a, b, head):
    length = [torch.linalg.vector_norm(x, dim=1, keepdim=True).clamp(min=1e-10) for x in (a, b)]
    gap = a / length[0] - b / length[1]
    return torch.einsum("nchw,nchw,c->n", gap, gap, head) / (a.shape[2] * a.shape[3])


def _layer_with_conv(a, b, head):
    unit = torch.nn.functional.normalize
    squares = (unit(a, dim=1, eps=1e-10) - unit(b, dim=1, eps=1e-10)).square()
    return torch.nn.functional.conv2d(squares, head[None, :, None, None]).mean((1, 2, 3))


layer_distance = Exercise(
    id="10.layer_distance",
    reference=lpips.layer_distance,
    difficulty=2,
    minutes=10,
    properties=[
        Property("one place with two channels, by hand", _one_place),
        Property("a mean over the places, not a sum", _mean_over_places),
        Property("directions of the channels, place by place, and no lengths", _brightness),
        Property("a finite value and gradient where all channels are 0", _zero_features),
        Property("pairs that do not see each other", _pairs_alone),
        Property("slopes in a, b and head that are those of its values", _layer_slopes),
    ],
    behaviour=_layer_behaviour,
    tolerance=(1e-5, 1e-8),
    other_forms=[_layer_by_einsum, _layer_with_conv],
    wrong_answers={
        "not normalised": WrongAnswer(
            lambda a, b, head: _layer(a, b, head, unit=lambda x: x),
            "It compares the features as they are: a brighter or busier place would count for more. Bring each place's channels to length 1 first.",
        ),
        "normalised over the picture": WrongAnswer(
            lambda a, b, head: _layer(a, b, head, unit=_over_everything),
            "It divides by one norm for the whole picture. Each place has its own vector of channels, and its own norm.",
        ),
        "normalised over the places": WrongAnswer(
            lambda a, b, head: _layer(a, b, head, unit=_over_places),
            "It brings each channel's map to length 1 over the places. The norm goes along the channels, `dim=1`.",
        ),
        "absolute differences": WrongAnswer(
            lambda a, b, head: _layer(a, b, head, unit=_over_channels, power=1),
            "Its differences are not squared. A distance that is quadratic in small changes is what the path length divides by ε².",
        ),
        "summed over the places": WrongAnswer(
            lambda a, b, head: _layer(a, b, head, unit=_over_channels, places=lambda x: x.sum((1, 2))),
            "It adds the places up: the distance would grow with the size of the picture, and early layers, which have most places, would drown the rest.",
        ),
        "a root at the end": WrongAnswer(
            lambda a, b, head: _layer(a, b, head, unit=_over_channels).sqrt(),
            "It takes the square root at the end. LPIPS stays a squared distance: eq. 1 has no root.",
        ),
        "weights before the norm": WrongAnswer(
            lambda a, b, head: _layer(a, b, torch.ones_like(head), unit=lambda x: _over_channels(x * head.sqrt()[:, None, None])),
            "It weighs the channels before it brings them to length 1, so that the weights change the directions. Normalise, subtract, square, then weigh.",
        ),
        "NaN at zero": WrongAnswer(
            lambda a, b, head: _layer(a, b, head, unit=lambda x: x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10)),
            "It behaves like the square root of a sum of squares: the value is right, and where all channels are 0 its gradient is NaN, which one step of an optimiser spreads over everything.",
        ),
    },
    hints=[
        "`torch.linalg.vector_norm(x, dim=1, keepdim=True) + 1e-10` is (N, 1, h, w): the length of each place's channels.",
        "Square the difference of the two, multiply by `head[:, None, None]`, sum over the channels, mean over h and w.",
    ],
)  # fmt: skip


# ---------------------------------------------------------------- perceptual path length


def _images(matrix: Tensor):
    """G(z) = A z as (N, 1, h, w) images."""

    def generator(z):
        return (z @ matrix.T).view(len(z), 1, -1, 2)

    return generator


def squared(x: Tensor, y: Tensor) -> Tensor:
    """‖x − y‖², one for each pair."""
    return (x - y).flatten(1).square().sum(1)


def _matrix(dim: int = 16, seed: int = 1) -> Tensor:
    return torch.randn(6, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _bent(z: Tensor) -> Tensor:
    """A generator whose images move faster the further along they are."""
    return z.pow(3)[:, None, None, :]


def _linear(answer):
    (a, b), matrix = pair(), _matrix()
    want = squared(_images(matrix)(a), _images(matrix)(b))
    for epsilon in (1e-1, 1e-3):
        found = one_each(
            answer(_images(matrix), squared, a, b, torch.rand(4, 1).double(), epsilon), 4, "one number for each path"
        )
        require(
            torch.allclose(found, want, rtol=1e-6),
            f"For G(z) = Az and squared distance it is ‖A(b − a)‖² at every t and ε, {listed(want)}; at ε = {epsilon:g} yours is {listed(found)}.",
        )  # fmt: skip


def _by_hand(answer):
    a, b, t = rows([0.0], [0.0]), rows([1.0], [2.0]), rows([0.5], [0.5])
    found = one_each(answer(_bent, squared, a, b, t, 1e-4), 2, "one number for each path")
    want = rows(0.75**2, 6.0**2)  # d(u³)/dt = 3u²·(b − a) at u = ½ and at u = 1
    require(
        torch.allclose(found, want, rtol=1e-2),
        f"G(u) = u³ at t = ½: from 0 to 1 the speed is 3·(½)² = 0.75, from 0 to 2 it is 3·1²·2 = 6, so {listed(want)}; yours {listed(found)}.",
    )


def _as_given(answer):
    a, b, t = rows([0.0], [0.0], [0.0]), rows([1.0], [1.0], [1.0]), rows([0.2], [0.7], [0.95])
    found = one_each(
        answer(_bent, lambda x, y: 3 * (x - y).abs().flatten(1).sum(1), a, b, t, 0.1), 3, "one number for each path"
    )
    want = (3 * ((t + 0.1) ** 3 - t**3) / 0.1**2).flatten()
    require(
        torch.allclose(found, want, rtol=1e-6),
        f"With G(u) = u³, a distance of 3·|x − y|, ε = 0.1 and t = 0.2, 0.7, 0.95 it is 300·((t + 0.1)³ − t³), {listed(want)}; yours {listed(found)}. "
        "Use the distance, the ε and each path's own t as they are given.",
    )


def _place(answer):
    a, b = rows([0.0]), rows([1.0])
    slow, fast = (answer(_bent, squared, a, b, rows([t]), 1e-4).item() for t in (0.1, 0.9))
    require(
        fast > 100 * slow,
        f"G(u) = u³ moves (0.9/0.1)⁴ = 6,561 times as fast, squared, at t = 0.9 as at t = 0.1; yours gives {fast:.3g} and {slow:.3g}. Is t used?",
    )


def _one_batch(answer):
    calls = []

    def noisy(z):
        calls.append(len(z))
        noise = torch.randn(1, 1, 1, z.shape[1], generator=torch.Generator().manual_seed(len(calls)), dtype=z.dtype)
        return z[:, None, None, :] + noise  # the same noise for all images of a call, another one in the next

    a, b = pair(3, 4, 5)
    found = one_each(answer(noisy, squared, a, b, rows([0.1], [0.5], [0.9]), 1e-3), 3, "one number for each path")
    want = squared(a, b)
    require(
        torch.allclose(found, want, rtol=1e-5),
        f"A generator that draws its noise anew at each call, the same for all images of the call: expected {listed(want)}, yours {listed(found)}. Draw both "
        "ends of the step in one batch, `torch.cat`, or the noise is measured as movement.",
    )
    require(
        len(calls) == 1, f"The generator was called {len(calls)} times: once is enough, for both ends of all steps."
    )


def _speed_behaviour(answer) -> list:
    a, b = pair(3, 5, 6)
    t = rows([0.2], [0.5], [0.7])
    calls = []

    def counted(z):
        calls.append(len(z))
        return _bent(z) + len(calls)

    torch.manual_seed(0)
    return [answer(_bent, squared, a, b, t, 1e-3), answer(counted, squared, a, b, t, 1e-2)]


def _ways(a, b, t):
    return (1 - t) * a + t * b


def _both(generator, distance, first, second):
    x, y = generator(torch.cat([first, second])).chunk(2)
    return distance(x, y)


def _with_lerp(generator, distance, a, b, t, epsilon):
    first = torch.lerp(a, b, t.expand_as(a))
    second = torch.lerp(a, b, (t + epsilon).expand_as(a))
    images = generator(torch.cat([first, second]))
    return distance(images[: len(a)], images[len(a) :]) * epsilon**-2


squared_speeds = Exercise(
    id="10.squared_speeds",
    reference=path_length.squared_speeds,
    difficulty=2,
    minutes=10,
    properties=[
        Property("a linear generator, whose speed is the same everywhere", _linear),
        Property("a bent generator's speed by hand", _by_hand),
        Property("the place t on the path", _place),
        Property("the distance, the ε and the places that it is given", _as_given),
        Property("both ends of a step in one batch", _one_batch),
    ],
    behaviour=_speed_behaviour,
    tolerance=(1e-4, 1e-6),
    other_forms=[
        lambda generator, distance, a, b, t, epsilon: _both(generator, distance, _ways(a, b, t), _ways(a, b, t + epsilon)) / epsilon**2,
        _with_lerp,
    ],
    wrong_answers={
        "divided by ε": WrongAnswer(
            lambda generator, distance, a, b, t, epsilon: _both(generator, distance, _ways(a, b, t), _ways(a, b, t + epsilon)) / epsilon,
            "It divides by ε. The distance is a squared one, so a step half as long has a quarter of it: only over ε² does the step's length drop out.",
        ),
        "not divided": WrongAnswer(
            lambda generator, distance, a, b, t, epsilon: _both(generator, distance, _ways(a, b, t), _ways(a, b, t + epsilon)),
            "It is the distance of one step, and depends on ε above all. Divide by ε².",
        ),
        "the total change": WrongAnswer(
            lambda generator, distance, a, b, t, epsilon: _both(generator, distance, a, b) + 0 * t[:, 0],
            "It compares the two ends of the whole path (or blends the two end *pictures*, which comes to the same). That is the total change; here it is asked how fast the images move at t.",
        ),
        "ε added to the latent": WrongAnswer(
            lambda generator, distance, a, b, t, epsilon: _both(generator, distance, _ways(a, b, t), _ways(a, b, t) + epsilon) / epsilon**2,
            "It adds ε to every coordinate of the latent. The step goes along the path: from t to t + ε.",
        ),
        "always from the start": WrongAnswer(
            lambda generator, distance, a, b, t, epsilon: _both(generator, distance, _ways(a, b, 0 * t), _ways(a, b, 0 * t + epsilon)) / epsilon**2,
            "It always steps away from a, as if t were 0. StyleGAN calls that «end»; here each path has its t.",
        ),
        "a mean": WrongAnswer(
            lambda generator, distance, a, b, t, epsilon: (_both(generator, distance, _ways(a, b, t), _ways(a, b, t + epsilon)) / epsilon**2).mean(),
            "It returns the mean over the paths. Keep one number for each: the longest and shortest are trimmed before the mean is taken.",
        ),
        "two batches": WrongAnswer(
            lambda generator, distance, a, b, t, epsilon: distance(generator(_ways(a, b, t)), generator(_ways(a, b, t + epsilon))) / epsilon**2,
            "It calls the generator twice. A StyleGAN that draws its layer noise at each call then shows two different noises, and over ε² that is all one sees.",
        ),
        "a root": WrongAnswer(
            lambda generator, distance, a, b, t, epsilon: (_both(generator, distance, _ways(a, b, t), _ways(a, b, t + epsilon)) / epsilon**2).sqrt(),
            "It takes the root and so returns the speed. The definition averages the squared speed.",
        ),
    },
    hints=[
        "The two latents: `lerp(a, b, t)` and `lerp(a, b, t + epsilon)`.",
        "`generator(torch.cat([first, second])).chunk(2)` draws both in one batch.",
        "`distance(x, y)` gives one number for each path; divide by `epsilon**2`. No mean yet.",
    ],
)  # fmt: skip
