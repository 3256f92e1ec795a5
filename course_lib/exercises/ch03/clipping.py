"""03.clip_weights: every weight back into its bounds."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from course_lib import penalties
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require


def clip_weights_to(critic: nn.Module, bound: float) -> None:
    """Every parameter of the critic into [−bound, bound], in place."""
    penalties.clip_weights_(critic, bound)


class _Critic(nn.Module):
    """A layer, a normalisation with running statistics, a layer; some weights beyond 0.1, some within."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))
        with torch.no_grad():
            for shift, parameter in enumerate(self.parameters()):
                values = torch.linspace(-0.3, 0.4, parameter.numel() + shift)[shift:]
                parameter.copy_(values.reshape(parameter.shape))
            self.layers[1].running_mean.fill_(2.0)
            self.layers[1].running_var.fill_(7.0)

    def forward(self, x):
        return self.layers(x).flatten()


def _clipped(answer, bound=0.1):
    """A critic after the answer has had it, and what its parameters were before."""
    critic = _Critic()
    before = {name: parameter.detach().clone() for name, parameter in critic.named_parameters()}
    for parameter in critic.parameters():  # as after a step
        parameter.grad = torch.ones_like(parameter)
    answer(critic, bound)
    return critic, before


def _within(answer):
    critic, _ = _clipped(answer)
    for name, parameter in critic.named_parameters():
        low, high = parameter.min().item(), parameter.max().item()
        require(
            max(-low, high) <= 0.1 + 1e-7,
            f"After clipping to 0.1, `{name}` still reaches from {low:.2f} to {high:.2f}. Every parameter of the critic, biases too, lies within [−0.1, 0.1] afterwards.",
        )


def _the_same_parameters(answer):
    critic = _Critic()
    optimizer = torch.optim.SGD(critic.parameters(), lr=1.0)
    held = list(critic.parameters())
    answer(critic, 0.1)
    now = list(critic.parameters())
    require(
        len(now) == len(held) and all(a is b for a, b in zip(held, now)),
        "The critic holds *new* tensors now, and the optimizer goes on updating the old ones. Change the values in place: `clamp_`.",
    )
    require(
        all(p.requires_grad and p.is_leaf for p in now),
        "The weights no longer want gradients, so the next step has nothing to do. Only the change of values is to be kept from autograd: `with torch.no_grad():`.",
    )
    require(optimizer.param_groups[0]["params"][0] is now[0], "The optimizer has lost its parameters.")


def _inside_stay(answer):
    critic, before = _clipped(answer)
    for name, parameter in critic.named_parameters():
        want = before[name].clamp(-0.1, 0.1)
        off = (parameter.detach() - want).abs().max().item()
        require(
            off < 1e-6,
            f"`{name}` was {_listed(before[name])} and becomes {_listed(parameter)}; clipped to [−0.1, 0.1] it is {_listed(want)}. What lies inside stays as it is, "
            "what lies outside goes to the nearer end.",
        )


def _listed(values: Tensor) -> str:
    shown = [f"{v:.2f}".replace("-", "−") for v in values.detach().flatten()[:6].tolist()]
    return "(" + ", ".join(shown) + (", …)" if values.numel() > 6 else ")")


def _statistics_stay(answer):
    critic, _ = _clipped(answer)
    norm = critic.layers[1]
    require(
        (norm.running_mean == 2).all() and (norm.running_var == 7).all(),
        f"BatchNorm's running variance was 7 and is {norm.running_var[0]:.2f} now. Running statistics are measured, not learned: they are buffers, and `parameters()` leaves them out.",
    )


def _gradients_stay(answer):
    critic = _Critic()
    for parameter in critic.parameters():
        parameter.grad = torch.full_like(parameter, 5.0)
    answer(critic, 0.1)
    require(
        all(p.grad is not None and (p.grad == 5).all() for p in critic.parameters()),
        "The *gradients* were changed. Clipping a WGAN's critic bounds its weights, after the optimizer's step; the step itself is as long as it is.",
    )


def _any_bound(answer):
    critic, before = _clipped(answer, 0.25)
    largest = max(p.abs().max().item() for p in critic.parameters())
    require(
        abs(largest - 0.25) < 1e-6,
        f"With a bound of 0.25 the largest weight is 0.25; yours is {largest:.3f}. Is the paper's 0.01 written into the function?",
    )


def _clip_behaviour(answer) -> list:
    critic = _Critic()
    held = list(critic.parameters())
    for parameter in critic.parameters():
        parameter.grad = torch.full_like(parameter, 5.0)
    answer(critic, 0.1)
    now = list(critic.parameters())
    return [
        *(p.detach().clone() for p in now),
        *(p.grad if p.grad is not None else "no gradient" for p in now),
        critic.layers[1].running_var.clone(),
        str([a is b for a, b in zip(held, now)]),
        str([p.requires_grad for p in now]),
    ]


def _each(change):
    """An answer that puts change(parameter, bound) in the place of every parameter's values."""

    @torch.no_grad()
    def answer(critic, bound):
        for parameter in critic.parameters():
            parameter.copy_(change(parameter, bound))

    return answer


def _not_in_place(critic, bound):
    for parameter in critic.parameters():
        parameter.clamp(-bound, bound)


def _new_parameters(critic, bound):
    for module in critic.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            setattr(module, name, nn.Parameter(parameter.detach().clamp(-bound, bound)))


def _recorded_by_autograd(critic, bound):
    for parameter in critic.parameters():
        parameter.clamp_(-bound, bound)


@torch.no_grad()
def _without_biases(critic, bound):
    for name, parameter in critic.named_parameters():
        if "bias" not in name:
            parameter.clamp_(-bound, bound)


@torch.no_grad()
def _buffers_too(critic, bound):
    for tensor in critic.state_dict().values():
        if tensor.is_floating_point():
            tensor.clamp_(-bound, bound)


def _gradients(critic, bound):
    torch.nn.utils.clip_grad_value_(critic.parameters(), bound)


def _by_norm(parameter, bound):
    return parameter * (bound / parameter.norm()).clamp(max=1.0)


def _by_data(critic, bound):
    for parameter in critic.parameters():
        parameter.data.clamp_(-bound, bound)


def _by_hand(critic, bound):
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter[parameter > bound] = bound
            parameter[parameter < -bound] = -bound


clip_weights = Exercise(
    id="03.clip_weights",
    reference=clip_weights_to,
    solution_also=[penalties.clip_weights_],
    difficulty=1,
    minutes=5,
    properties=[
        Property("every parameter within the bound, biases included", _within),
        Property("what lies inside stays, what lies outside goes to the nearer end", _inside_stay),
        Property("the parameters are the same objects: the optimizer goes on with them", _the_same_parameters),
        Property("gradients are left alone", _gradients_stay),
        Property("running statistics are left alone", _statistics_stay),
        Property("the bound that was asked for", _any_bound),
    ],
    behaviour=_clip_behaviour,
    other_forms=[_by_data, _by_hand, _each(lambda parameter, bound: parameter.clamp(-bound, bound))],
    wrong_answers={
        "not in place": WrongAnswer(
            _not_in_place, "It behaves like `p.clamp(…)` without the underscore: that returns a clipped copy, and the critic keeps its weights."
        ),
        "new parameters": WrongAnswer(
            _new_parameters,
            "The weights are right, but they are new `nn.Parameter`s: the optimizer holds the old ones, and from the next step on trains weights that nobody uses.",
        ),
        "recorded by autograd": WrongAnswer(
            _recorded_by_autograd,
            "A weight that wants a gradient may not be changed in place while autograd records. Clipping is no part of the loss: put it under `torch.no_grad()`.",
        ),
        "the gradients": WrongAnswer(
            _gradients, "It behaves like `clip_grad_value_`: that bounds the *gradients*, a different remedy for a different trouble. Here the weights are bounded."
        ),
        "without biases": WrongAnswer(_without_biases, "Biases keep their size. The paper clips every parameter."),
        "buffers too": WrongAnswer(
            _buffers_too, "It behaves like a clip of the whole `state_dict()`: that holds BatchNorm's running statistics too, and a running variance of at most 0.1 is a wrong one."
        ),
        "by the norm": WrongAnswer(
            _each(_by_norm), "It rescales each tensor to a norm of at most the bound. Clipping looks at every number by itself."
        ),
        "by the largest": WrongAnswer(
            _each(lambda parameter, bound: parameter * (bound / parameter.abs().max()).clamp(max=1.0)),
            "It shrinks each tensor until its largest number fits: numbers that lay inside move too.",
        ),
        "from above only": WrongAnswer(
            _each(lambda parameter, bound: parameter.clamp(max=bound)), "Only the upper end is clipped; weights of −0.3 are still there."
        ),
        "from below only": WrongAnswer(
            _each(lambda parameter, bound: parameter.clamp(min=-bound)), "Only the lower end is clipped; weights of +0.4 are still there."
        ),
        "all to the ends": WrongAnswer(
            _each(lambda parameter, bound: bound * parameter.sign()), "Every weight goes to +bound or −bound, also those that lay inside."
        ),
        "squashed": WrongAnswer(
            _each(lambda parameter, bound: bound * (parameter / bound).tanh()), "It behaves like bound·tanh(w/bound): smooth, and so it moves the weights inside too."
        ),
        "always 0.01": WrongAnswer(
            _each(lambda parameter, bound: parameter.clamp(-0.01, 0.01)), "It clips to the paper's 0.01, whatever bound was asked for."
        ),
    },
    hints=[
        "`for p in critic.parameters():` … and a method of tensors whose name ends in an underscore.",
        "`p.clamp_(-bound, bound)` inside `with torch.no_grad():`.",
    ],
)  # fmt: skip
