"""03.gradient_penalty: a slope of 1 asked for, between real and fake."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from course_lib import penalties
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require


class _Linear(nn.Module):
    """w·x for images or points of any shape, with ‖w‖ as wanted: its slope is ‖w‖ everywhere."""

    def __init__(self, shape, norm):
        super().__init__()
        w = torch.arange(1.0, 1 + torch.Size(shape).numel()).reshape(shape).cos()
        self.w = nn.Parameter(norm * w / w.norm())

    def forward(self, x):
        return (x * self.w).flatten(1).sum(1)


class _Bowl(nn.Module):
    """½‖x‖²: the slope at x is ‖x‖. Remembers every x that it was shown."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, x):
        self.seen.append(x.detach().clone())
        return 0.5 * x.flatten(1).square().sum(1)


IMAGE = (2, 3, 3)


def _penalty(answer, critic, real, fake) -> Tensor:
    found = answer(critic, real, fake)
    require(isinstance(found, Tensor), f"Expected the penalty as a tensor, got {type(found).__name__}.")
    require(
        found.ndim == 0,
        f"The penalty is one number, the mean over the batch; yours has the shape {tuple(found.shape)}.",
    )
    return found


def _linear(answer, count, norm, shape=IMAGE) -> float:
    return _penalty(answer, _Linear(shape, norm), torch.randn(count, *shape), torch.randn(count, *shape)).item()


def _four_at_any_batch(answer):
    for count in (1, 16, 64):
        found = _linear(answer, count, 3.0)
        require(
            abs(found - 4) < 1e-3,
            f"For a linear critic with ‖w‖ = 3 the penalty is (3 − 1)² = 4 at any batch size; yours gives {found:.4g} at batch {count}.",
        )


def _two_sided(answer):
    found = _linear(answer, 8, 0.5)
    require(
        abs(found - 0.25) < 1e-4,
        f"For a linear critic with ‖w‖ = ½ the penalty is (½ − 1)² = 0.25; yours gives {found:.4g}. The paper's penalty asks for the slope 1, from above and from below.",
    )


def _at_known_places(norms=(0.5, 2.0, 3.0)):
    """Images that are real and fake at once, so that x̂ is known whatever is drawn; their norms are the bowl's slopes."""
    direction = torch.arange(1.0, 19.0).reshape(1, *IMAGE).sin()
    return torch.cat([norm * direction / direction.norm() for norm in norms])


def _norm_by_norm(answer):
    x = _at_known_places()
    found = _penalty(answer, _Bowl(), x, x.clone()).item()
    want = (0.25 + 1 + 4) / 3
    require(
        abs(found - want) < 1e-3,
        f"A critic has the slopes 0.5, 2 and 3 at three images: (0.25 + 1 + 4)/3 = {want:.3f}; yours gives {found:.4g}.",
    )


def _where(answer, count=400) -> Tensor:
    """The mixing weights at each pixel, (count, pixels), recovered from the points that the critic was shown."""
    critic, real, fake = _Bowl(), torch.ones(count, *IMAGE), torch.full((count, *IMAGE), -1.0)
    answer(critic, real, fake)
    shown = _shown(critic, real)
    require(
        shown is not None,
        "The critic should be shown all mixed images: in one call, as a batch, or one after the other.",
    )
    return (shown.flatten(1) + 1) / 2


def _shown(critic, real) -> Tensor | None:
    """What the critic was shown in its last call, or in all calls together: as many as there are real images."""
    together = torch.cat(critic.seen) if critic.seen else real[:0]
    return next((each for each in (*critic.seen[-1:], together) if each.shape == real.shape), None)


def _any_callable(answer):
    w = _Linear(IMAGE, 3.0).w
    try:
        found = _penalty(
            answer, lambda x: (x * w).flatten(1).sum(1), torch.randn(4, *IMAGE), torch.randn(4, *IMAGE)
        ).item()
    except AttributeError as error:
        require(
            "function" not in str(error),
            f"The critic may be any function from images to logits, and this one is a lambda ({error}). The penalty needs nothing of it but its logits.",
        )
        raise
    require(
        abs(found - 4) < 1e-3,
        f"For a critic that is a function, with slope 3, the penalty is 4; yours gives {found:.4g}.",
    )


def _between(answer):
    mix = _where(answer)
    require(
        mix.min() >= -1e-6 and mix.max() <= 1 + 1e-6,
        f"x̂ lies *between* the real and the fake image; yours goes {mix.min():.2f} to {mix.max():.2f} of the way.",
    )
    across, along = mix.std(1).max().item(), mix[:, 0].std().item()
    require(
        across < 1e-5,
        f"All pixels of an image are mixed alike, so that x̂ lies on the line between two images; within an image your weights vary by {across:.2f}.",
    )
    require(
        abs(along - 0.2887) < 0.05 and abs(mix[:, 0].mean().item() - 0.5) < 0.07,
        f"Each image has a mixing weight of its own, uniform between 0 and 1: over 400 images mean 0.5 and deviation 0.29; yours {mix[:, 0].mean():.2f} and {along:.2f}.",
    )


def _reaches_the_weights(answer):
    critic = _Linear(IMAGE, 3.0)
    found = _penalty(answer, critic, torch.randn(5, *IMAGE), torch.randn(5, *IMAGE))
    require(
        found.requires_grad,
        "The penalty is cut off from the critic's weights, so training would never notice it: `torch.autograd.grad(…, create_graph=True)` keeps the graph of the gradient.",
    )
    (slope,) = torch.autograd.grad(found, critic.w, allow_unused=True)
    want = 2 * (3 - 1) * critic.w.detach() / 3
    require(
        slope is not None and torch.allclose(slope, want, atol=1e-3),
        "The penalty's own slope in the critic's weights is off: for a linear critic it is 2(‖w‖ − 1)·w/‖w‖.",
    )


def _points_too(answer):
    found = _linear(answer, 6, 3.0, shape=(2,))
    require(
        abs(found - 4) < 1e-3,
        f"On points of the plane, (N, 2), the linear critic with ‖w‖ = 3 has the penalty 4 as well; yours gives {found:.4g}.",
    )


def _leaves_no_trace(answer):
    critic, real, fake = _Linear(IMAGE, 2.0), torch.randn(4, *IMAGE), torch.randn(4, *IMAGE)
    kept = real.clone(), fake.clone()
    answer(critic, real, fake)
    require(
        torch.equal(real, kept[0]) and torch.equal(fake, kept[1]) and not real.requires_grad and not fake.requires_grad,
        "The images that came in were changed, or set to want gradients: `requires_grad_` belongs on x̂, a tensor of your own.",
    )
    require(
        critic.w.grad is None,
        "A gradient was left in the critic: `backward` adds to `.grad`. `torch.autograd.grad` returns the gradient instead.",
    )


def _gp_behaviour(answer) -> list:
    seen = []
    for count, norm in ((1, 3.0), (16, 3.0), (4, 0.5)):
        critic = _Linear(IMAGE, norm)
        found = answer(critic, torch.randn(count, *IMAGE), torch.randn(count, *IMAGE))
        seen += [found.detach(), str(found.requires_grad)]
    x = _at_known_places()
    seen.append(answer(_Bowl(), x, x.clone()).detach())
    critic = _Bowl()
    answer(critic, torch.ones(200, *IMAGE), -torch.ones(200, *IMAGE))
    mix = (_shown(critic, torch.ones(200, *IMAGE)).flatten(1) + 1) / 2
    seen += [str((mix.std(1).max() < 1e-5).item()), str((mix[:, 0].std() > 0.1).item())]
    everywhere = round(mix.mean().item(), 5) if mix.std() < 1e-6 else None
    seen.append({None: "each its own", 0.0: "fakes", 0.5: "half-way", 1.0: "real"}.get(everywhere, "one for all"))
    seen.append(str(bool((mix < -1e-6).any() or (mix > 1 + 1e-6).any())))
    try:
        seen.append(answer(_Linear((2,), 3.0), torch.randn(6, 2), torch.randn(6, 2)).detach())
    except (RuntimeError, IndexError):
        seen.append("no points")
    return seen


def _gp(
    *,
    mix=lambda real: torch.rand(len(real), *[1] * (real.ndim - 1)),
    norms=lambda slopes: slopes.flatten(1).norm(dim=1),
    cost=lambda norms: (norms - 1).square().mean(),
    graph=True,
    total=torch.sum,
    at=None,
):
    """A family of gradient penalties, each with one thing done otherwise."""

    def answer(critic, real, fake):
        share = mix(real)
        x_hat = at(real, fake) if at else share * real + (1 - share) * fake
        x_hat = x_hat.detach().requires_grad_(True)
        (slopes,) = torch.autograd.grad(total(critic(x_hat)), x_hat, create_graph=graph)
        return cost(norms(slopes))

    return answer


def _by_ones(critic, real, fake):
    share = torch.rand(real.shape[0], device=real.device).reshape(-1, *(1 for _ in real.shape[1:]))
    x_hat = torch.lerp(real, fake, share).requires_grad_(True)
    logits = critic(x_hat)
    slopes = torch.autograd.grad(logits, x_hat, grad_outputs=torch.ones_like(logits), create_graph=True)[0]
    return ((slopes.square().flatten(1).sum(1) + 1e-20).sqrt() - 1).pow(2).mean()


gradient_penalty = Exercise(
    id="03.gradient_penalty",
    reference=penalties.gradient_penalty,
    difficulty=3,
    minutes=15,
    solution_also=[penalties.gradients],
    properties=[
        Property("a linear critic with ‖w‖ = 3 has the penalty 4 at batch 1, 16 and 64", _four_at_any_batch),
        Property("slopes below 1 cost as well", _two_sided),
        Property("any function as a critic", _any_callable),
        Property("each image has a norm of its own", _norm_by_norm),
        Property("x̂ lies between a real and a fake image, with one uniform weight for each image", _between),
        Property("the penalty can be differentiated in the critic's weights", _reaches_the_weights),
        Property("points of the plane as well as images", _points_too),
        Property("inputs and gradients are left as they were", _leaves_no_trace),
    ],
    behaviour=_gp_behaviour,
    tolerance=(1e-3, 1e-4),
    other_forms=[_by_ones, _gp()],
    wrong_answers={
        "norm over the whole batch": WrongAnswer(
            _gp(norms=lambda slopes: slopes.norm()),
            "It behaves like the norm taken over the whole batch instead of per image: with ‖w‖ = 3 that gives 4, 121 and 529 at batch 1, 16 and 64. `flatten(1)`, then `norm(dim=1)`.",
        ),
        "norm over the channels": WrongAnswer(
            _gp(norms=lambda slopes: slopes.norm(dim=1)),
            "It behaves like `norm(dim=1)` without `flatten(1)`: a norm over the *channels*, for every pixel by itself. An image's slope has one number for each pixel of each channel, all in one norm.",
        ),
        "gradient of the mean": WrongAnswer(
            _gp(total=torch.mean),
            "It behaves like the gradient of the *mean* logit: every slope is divided by the batch size. Take the gradient of the sum; each logit depends on its own image only.",
        ),
        "one mix for the batch": WrongAnswer(
            _gp(mix=lambda real: torch.rand(1)),
            "All images share one mixing weight: the penalty looks at one slice between the two heaps in each step. A weight for each image.",
        ),
        "a mix for each pixel": WrongAnswer(
            _gp(mix=torch.rand_like),
            "Every pixel has its own mixing weight: x̂ then lies in the box between two images, not on the line. `torch.rand(len(real))`, with as many 1s behind it as the image has dimensions.",
        ),
        "no create_graph": WrongAnswer(
            _gp(graph=False),
            "The number is right and teaches nothing: without `create_graph=True` the gradient is a constant, and its slope in the critic's weights is gone.",
        ),
        "one-sided": WrongAnswer(
            _gp(cost=lambda norms: (norms - 1).clamp(min=0).square().mean()),
            "It behaves like max(0, ‖∇‖ − 1)²: slopes below 1 are free. That variant exists and bounds as well; the paper's is two-sided.",
        ),
        "squared norm": WrongAnswer(
            _gp(cost=lambda norms: (norms.square() - 1).square().mean()),
            "It behaves like (‖∇‖² − 1)²: 64 instead of 4 for ‖w‖ = 3. The norm itself, minus 1, squared.",
        ),
        "not squared": WrongAnswer(_gp(cost=lambda norms: (norms - 1).abs().mean()), "It behaves like |‖∇‖ − 1|. The difference is squared."),
        "square of the mean": WrongAnswer(
            _gp(cost=lambda norms: (norms.mean() - 1).square()),
            "It compares the *mean* norm with 1: a slope of 2 here and of 0 there would cost nothing. Square for each image, then take the mean.",
        ),
        "zero-centred": WrongAnswer(
            _gp(cost=lambda norms: norms.square().mean()),
            "It behaves like E‖∇‖², which asks for the slope 0. That is R1's kind of penalty, which comes next; here 1 is asked for.",
        ),
        "at the real images": WrongAnswer(
            _gp(at=lambda real, fake: 1 * real), "It is taken at the real images. What has to be bounded is the slope on the way from the fakes to them: x̂ between the two."
        ),
        "at the fakes": WrongAnswer(_gp(at=lambda real, fake: 1 * fake), "It is taken at the fakes. x̂ lies anywhere between a fake and a real image."),
        "half-way": WrongAnswer(
            _gp(at=lambda real, fake: (real + fake) / 2), "It is taken half-way between the two, always. The weight is drawn anew for each image, uniform in [0, 1]."
        ),
        "with its weight": WrongAnswer(
            _gp(cost=lambda norms: 10 * (norms - 1).square().mean()), "λ = 10 is inside. The function returns the penalty alone; whoever adds it to a loss multiplies."
        ),
        "sum over the batch": WrongAnswer(
            _gp(cost=lambda norms: (norms - 1).square().sum()), "It is the sum over the batch: the penalty would grow with the batch size. The mean."
        ),
        "norm of images only": WrongAnswer(
            _gp(norms=lambda slopes: slopes.norm(dim=(1, 2, 3))),
            "Right for images. The norm is taken over the dimensions 1, 2 and 3, though, and points, (N, 2), have one. `flatten(1).norm(dim=1)` does for both.",
        ),
        "images only": WrongAnswer(
            _gp(mix=lambda real: torch.rand(len(real), 1, 1, 1)),
            "Right for images. The weights are (N, 1, 1, 1), though, and with points (N, 2) that broadcasts to something else: as many 1s as `real` has further dimensions.",
        ),
    },
    hints=[
        "x̂ = u·real + (1 − u)·fake, u drawn for each image: `torch.rand(len(real), *[1] * (real.ndim - 1))`. Then `x_hat.requires_grad_(True)`.",
        "`torch.autograd.grad(critic(x_hat).sum(), x_hat, create_graph=True)` returns a tuple with the slope at every pixel.",
        "`.flatten(1).norm(dim=1)` is one norm for each image; its difference from 1, squared, averaged.",
    ],
)  # fmt: skip
