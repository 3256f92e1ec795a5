"""Penalties against closed forms, against loops that take one image at a time, and by finite differences."""

import pytest
import torch
from torch import nn

from course_lib import penalties
from course_lib.penalties import (
    PENALTIES,
    clip_weights_,
    diversity,
    gradient_penalty,
    gradients,
    has_batch_norm,
    r1,
    r2,
)

DOUBLE = {"dtype": torch.float64}


def linear(norm=3.0, shape=(2,)):
    """A critic w·x with ‖w‖ = norm."""
    w = torch.randn(shape, generator=torch.Generator().manual_seed(1), **DOUBLE).flatten()
    w = (norm * w / w.norm()).requires_grad_()
    return lambda x: x.flatten(1) @ w, w


def smooth(dim=12):
    """A critic with a curved surface, so that second derivatives are not 0."""
    return nn.Sequential(nn.Flatten(), nn.Linear(dim, 7), nn.Tanh(), nn.Linear(7, 1), nn.Flatten(0)).double()


def images(count=5, shape=(3, 2, 2)):
    return torch.randn(count, *shape, **DOUBLE)


@pytest.mark.parametrize("count", [1, 16, 64])
@pytest.mark.parametrize("shape", [(2,), (1, 4, 4), (3, 8, 8)])
def test_a_linear_critic_of_slope_3_pays_4_at_any_batch_size(count, shape):
    critic, _ = linear(3.0, shape)
    real, fake = images(count, shape), images(count, shape)
    assert gradient_penalty(critic, real, fake).item() == pytest.approx(4)
    assert r1(critic, real).item() == pytest.approx(4.5) and r2(critic, fake).item() == pytest.approx(4.5)
    assert gradient_penalty(critic, real, fake, target=0.0).item() == pytest.approx(9)


def test_the_slip_of_one_norm_for_the_whole_batch_gives_other_numbers():
    """4, 121, 529: what makes the closed form above a test of the norm for each image."""
    critic, _ = linear(3.0)
    wrong = [(gradients(critic, images(n, (2,))).norm().item() - 1) ** 2 for n in (1, 16, 64)]
    assert wrong == pytest.approx([4, 121, 529])


def by_hand(critic, real, fake, mix):
    """WGAN-GP one image at a time."""
    total = 0.0
    for x, y, m in zip(real, fake, mix):
        x_hat = (m * x + (1 - m) * y).requires_grad_()
        (slope,) = torch.autograd.grad(critic(x_hat[None])[0], x_hat, create_graph=True)
        total = total + (slope.square().sum().sqrt() - 1) ** 2
    return total / len(real)


def test_value_and_gradient_against_one_image_at_a_time():
    critic, real, fake, mix = smooth(), images(), images(), torch.rand(5, **DOUBLE)
    found, want = gradient_penalty(critic, real, fake, mix=mix), by_hand(critic, real, fake, mix)
    torch.testing.assert_close(found, want)
    weights = [p for p in critic.parameters() if p.ndim == 2]
    torch.testing.assert_close(*(torch.autograd.grad(value, weights) for value in (found, want)))


def test_against_torch_func():
    critic, real = smooth(), images()
    weights = dict(critic.named_parameters())

    def score(x, weights):
        return torch.func.functional_call(critic, weights, (x[None],))[0]

    def penalty(weights):
        slopes = torch.func.vmap(torch.func.grad(score), (0, None))(real, weights)
        return 0.5 * slopes.flatten(1).square().sum(1).mean()

    want_gradient, want = torch.func.grad_and_value(penalty)(weights)
    found = r1(critic, real)
    torch.testing.assert_close(found, want)
    for (name, parameter), slope in zip(
        weights.items(), torch.autograd.grad(found, weights.values(), allow_unused=True, materialize_grads=True)
    ):
        torch.testing.assert_close(slope, want_gradient[name], msg=name)
        assert name.endswith("3.bias") or (slope != 0).any() or parameter.numel() == 0


@pytest.mark.parametrize("name", PENALTIES)
def test_inside_a_compiled_graph_as_outside(name):
    """Traced and differentiated as `torch.compile` does it, without the minutes in which it writes machine code."""
    critic, real, fake = smooth(), images(), images()
    weights = [p for p in critic.parameters() if p.ndim == 2]
    mix = torch.rand(5, **DOUBLE)  # passed in: a graph draws no randomness from a generator

    def penalty(real, fake, mix):
        if name == "gradient_penalty":
            return gradient_penalty(critic, real, fake, mix=mix)
        return PENALTIES[name](critic, real, fake, None)

    values = penalty(real, fake, mix), torch.compile(penalty, backend="aot_eager", fullgraph=True)(real, fake, mix)
    torch.testing.assert_close(*values)
    torch.testing.assert_close(*(torch.autograd.grad(value, weights) for value in values))


def test_the_slope_in_the_weights_of_a_linear_critic_in_closed_form():
    critic, w = linear(3.0)
    (of_r1,) = torch.autograd.grad(r1(critic, images(8, (2,))), w)
    torch.testing.assert_close(of_r1, w.detach())  # of ½‖w‖²
    (of_gp,) = torch.autograd.grad(gradient_penalty(critic, images(8, (2,)), images(8, (2,))), w)
    torch.testing.assert_close(of_gp, 2 * (3 - 1) * w.detach() / 3)  # of (‖w‖ − 1)²


def test_a_quadratic_critic_in_closed_form():
    """½‖x‖² has the gradient x: R1 is half the mean squared length."""
    real = images(6, (2,))
    assert r1(lambda x: 0.5 * x.square().sum(1), real).item() == pytest.approx(0.5 * real.square().sum(1).mean().item())


@pytest.mark.parametrize("name", PENALTIES)
def test_first_and_second_derivatives_by_finite_differences(name):
    critic, real, fake = smooth(4), images(3, (4,)), images(3, (4,))
    shapes = dict(critic.named_parameters())

    def value(*weights):
        def call(x):
            return torch.func.functional_call(critic, dict(zip(shapes, weights)), (x,))

        return PENALTIES[name](call, real, fake, torch.Generator().manual_seed(2))

    weights = [p.detach().clone().requires_grad_() for p in shapes.values()][:3]  # the last bias has no part in it
    last = next(reversed(shapes.values())).detach()
    assert torch.autograd.gradcheck(lambda *w: value(*w, last), weights)
    assert torch.autograd.gradgradcheck(lambda *w: value(*w, last), weights)


def test_one_mix_for_each_image():
    """With mix 1 and 0 the critic sees a real and a fake image, whole, and never a blend of pixels."""
    real, fake, seen = images(4), images(4), []
    gradient_penalty(
        lambda x: seen.append(x) or x.flatten(1).sum(1), real, fake, mix=torch.tensor([1.0, 0, 1, 0], **DOUBLE)
    )
    assert torch.equal(seen[0], torch.stack([real[0], fake[1], real[2], fake[3]]))

    gradient_penalty(lambda x: seen.append(x) or x.flatten(1).sum(1), real, fake)
    share = ((seen[1] - fake) / (real - fake)).flatten(1)
    torch.testing.assert_close(share, share[:, :1].expand_as(share))
    assert len(share[:, 0].unique()) == 4 and share.min() >= 0 and share.max() <= 1


def test_the_mix_follows_its_generator():
    critic, real, fake = smooth(), images(), images()
    one, two, other = (
        gradient_penalty(critic, real, fake, generator=torch.Generator().manual_seed(seed)) for seed in (4, 4, 5)
    )
    assert one == two and one != other
    assert PENALTIES["gradient_penalty"](critic, real, fake, torch.Generator().manual_seed(4)) == one


def test_the_table_is_made_of_the_functions():
    critic, real, fake = smooth(), images(), images()
    assert PENALTIES["r1"](critic, real, fake, None) == r1(critic, real)
    assert PENALTIES["r1_r2"](critic, real, fake, None) == r1(critic, real) + r1(critic, fake)


def test_images_are_held_fixed_and_left_as_they_are():
    real, fake = images(), images().requires_grad_()
    before = real.clone(), fake.detach().clone()
    critic = smooth()
    for penalty in PENALTIES.values():
        penalty(critic, real, fake, None).backward()
    assert fake.grad is None and not real.requires_grad
    assert torch.equal(real, before[0]) and torch.equal(fake.detach(), before[1])


def test_a_flat_critic_has_finite_slopes():
    """The norm has no derivative at 0: there 0 is taken and not NaN."""
    w = torch.zeros(2, requires_grad=True)
    value = gradient_penalty(lambda x: x @ w, torch.randn(4, 2), torch.randn(4, 2))
    value.backward()
    assert value.item() == 1 and torch.isfinite(w.grad).all()


def test_bfloat16_images_are_summed_in_float32():
    w = torch.full((3, 32, 32), 3.0 / 3072**0.5)
    found = r1(lambda x: (x.float() * w).flatten(1).sum(1), torch.randn(4, 3, 32, 32).bfloat16())
    assert found.dtype == torch.float32 and found.item() == pytest.approx(4.5, rel=5e-3)


def test_batch_norm_couples_images():
    """One image's logit moves another's gradient: the penalty of a batch is then not the mean of single images'."""
    torch.manual_seed(3)
    plain, coupled = (
        smooth(),
        nn.Sequential(
            nn.Flatten(), nn.Linear(12, 7), nn.BatchNorm1d(7), nn.Tanh(), nn.Linear(7, 1), nn.Flatten(0)
        ).double(),
    )
    x = images(6)
    other = torch.cat([x[:3], 5 * x[3:]])
    for critic, same in ((plain, True), (coupled, False)):
        assert torch.allclose(gradients(critic, x)[:3], gradients(critic, other)[:3]) is same
        assert has_batch_norm(critic) is not same


def test_clipping_bounds_every_parameter_in_place():
    critic = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Linear(5, 1))
    nn.init.constant_(critic[0].weight, 0.004), nn.init.constant_(critic[2].weight, -0.3)
    parameters = list(critic.parameters())
    assert clip_weights_(critic, 0.01) is None
    assert all(p.abs().max() <= 0.01 and p.requires_grad for p in parameters)
    assert (critic[0].weight == 0.004).all() and (critic[1].weight == 0.01).all()
    assert (critic[2].weight == -0.01).all()
    assert all(a is b for a, b in zip(parameters, critic.parameters()))


def test_diversity_of_two_in_closed_form():
    z, pictures = torch.tensor([[0.0, 0.0], [1.0, 3.0]]), torch.tensor([[0.0], [0.5]])
    assert diversity(pictures, z, floor=0.0).item() == pytest.approx(2 / 0.5)
    assert diversity(pictures, z, floor=0.5).item() == pytest.approx(2)


def test_diversity_against_a_plain_loop():
    z, pictures = torch.randn(5, 3), torch.randn(5, 1, 4, 4)
    ratios = [
        (z[i] - z[i - 1]).abs().mean() / ((pictures[i] - pictures[i - 1]).abs().mean() + 1 / 127.5) for i in range(5)
    ]
    torch.testing.assert_close(diversity(pictures, z), torch.stack(ratios).mean())


def test_diversity_falls_as_images_part_and_stays_finite_where_they_are_equal():
    z = torch.randn(16, 4)
    same = torch.zeros(16, 1, 4, 4, requires_grad=True)
    value = diversity(same, z)
    (slope,) = torch.autograd.grad(value, same)
    assert torch.isfinite(value) and torch.isfinite(slope).all()
    spread = torch.randn(16, 1, 4, 4)
    assert diversity(spread, z) < diversity(0.1 * spread, z) < value
    leaf = (1e-3 * spread).requires_grad_()
    (slope,) = torch.autograd.grad(diversity(leaf, z), leaf)
    assert diversity(leaf - 1e-4 * slope / slope.norm(), z) < diversity(leaf, z)


def test_wrong_input_is_named():
    critic, _ = linear()
    pair = images(4, (2,))
    for call, message in (
        (lambda: gradient_penalty(critic, pair, images(3, (2,))), r"fake: expected \(4, 2\) like real, got \(3, 2\)"),
        (
            lambda: gradient_penalty(critic, pair, pair, mix=torch.rand(4, 2)),
            r"mix: expected \(4,\), one for each image, got \(4, 2\)",
        ),
        (
            lambda: gradient_penalty(critic, pair.byte(), pair.byte()),
            "images: expected floating point, got torch.uint8; data.to_float converts",
        ),
        (lambda: r1(critic, torch.randn(4)), r"images: expected \(N, \.\.\.\) floating point, got \(4,\)"),
        (lambda: r2(critic, torch.zeros(4, 2, dtype=torch.uint8)), r"images: expected .* got \(4, 2\) torch.uint8"),
        (lambda: r1(lambda x: x[:, :1], pair), r"critic: expected logits \(4,\), got \(4, 1\)"),
        (lambda: clip_weights_(nn.Linear(2, 1), 0.0), "bound: expected a positive number, got 0.0"),
        (lambda: diversity(pair[:1], pair[:1]), "images, z: expected N >= 2 of each, got 1 and 1"),
        (lambda: diversity(pair, pair[:3]), "images, z: expected N >= 2 of each, got 4 and 3"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_inside_no_grad_too():
    """A chapter may look at a penalty without training on it."""
    critic, _ = linear()
    with torch.no_grad():
        assert penalties.r1(critic, images(4, (2,))).item() == pytest.approx(4.5)
