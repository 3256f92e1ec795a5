"""Interpolation and directions: closed forms and the places where formulas break."""

import pytest
import torch

from course_lib import latent
from course_lib.models import dcgan, mlp


def test_ends_and_middle():
    a, b = torch.randn(2, 3, 50, dtype=torch.float64)
    for between in (latent.lerp, latent.slerp):
        torch.testing.assert_close(between(a, b, 0.0), a)
        torch.testing.assert_close(between(a, b, 1.0), b)
    torch.testing.assert_close(latent.lerp(a, b, 0.5), (a + b) / 2)


def test_slerp_keeps_norms_that_lerp_shortens():
    a, b = torch.randn(2, 2000, 100)
    assert latent.lerp(a, b, 0.5).square().sum(1).mean().item() == pytest.approx(50, rel=0.03)  # d/2
    want = (a.norm(dim=1) + b.norm(dim=1)) / 2
    torch.testing.assert_close(latent.slerp(a, b, 0.5).norm(dim=1), want, rtol=1e-4, atol=0)


def test_slerp_turns_at_a_constant_rate():
    a, b = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    path = torch.cat([latent.slerp(a, b, t / 6) for t in range(7)])
    angles = torch.atan2(path[:, 1], path[:, 0])
    torch.testing.assert_close(angles.diff(), torch.full((6,), torch.pi / 12))


@pytest.mark.parametrize("b", [torch.ones(1, 4), -torch.ones(1, 4), torch.zeros(1, 4), 3 * torch.ones(1, 4)])
def test_slerp_where_the_arc_is_not_defined(b):
    a = torch.ones(1, 4)
    torch.testing.assert_close(latent.slerp(a, b, 0.25), latent.lerp(a, b, 0.25))


def test_slerp_treats_rows_one_by_one():
    a, b = torch.randn(2, 5, 8)
    together = latent.slerp(a, b, 0.3)
    torch.testing.assert_close(together, torch.cat([latent.slerp(a[i : i + 1], b[i : i + 1], 0.3) for i in range(5)]))


@pytest.mark.parametrize(
    "generator", [mlp.Generator(latent_dim=12, width=16), dcgan.Generator(12, 4, 1, 16)], ids=["mlp", "dcgan"]
)
def test_directions_are_orthonormal_and_the_first_is_stretched_most(generator):
    axes = latent.principal_directions(generator, 12)
    torch.testing.assert_close(axes @ axes.T, torch.eye(12), atol=1e-5, rtol=0)
    weight = next(generator.parameters())
    matrix = weight if weight.ndim == 2 else weight.flatten(1).T
    stretch = (matrix @ axes.T).norm(dim=0)
    assert (stretch.diff() <= 1e-5).all()
    with pytest.raises(ValueError, match="count: expected 1 to 12, got 13"):
        latent.principal_directions(generator, 13)


@pytest.mark.parametrize(("threshold", "std"), [(0.5, 0.284), (1.0, 0.540), (2.0, 0.880)])
def test_truncated_normals_stay_inside_and_have_the_known_deviation(threshold, std):
    values = latent.truncated_normal((200, 500), threshold, torch.Generator().manual_seed(0))
    assert values.abs().max() <= threshold and values.std().item() == pytest.approx(std, abs=0.003)
    ends = (values.abs() > 0.98 * threshold).double().mean()  # clipping would heap 5 to 62 % here
    assert ends < 0.03


def test_truncation_refuses_what_would_never_end():
    for threshold in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="threshold: expected at least 0.01"):
            latent.truncated_normal((3,), threshold)


def test_the_truncated_quantile_turns_uniform_numbers_into_truncated_normals():
    u = torch.rand(200_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for threshold, std in ((0.5, 0.284), (1.0, 0.540), (2.0, 0.880), (float("inf"), 1.0)):
        z = latent.truncated_quantile(u, threshold)
        assert z.abs().max() <= threshold and z.std().item() == pytest.approx(std, abs=0.003)
    ends = latent.truncated_quantile(torch.tensor([0.0, 0.5, 1.0]), 1.5)
    torch.testing.assert_close(ends, torch.tensor([-1.5, 0.0, 1.5]))
    whole = latent.truncated_quantile(torch.tensor([0.1, 0.8], dtype=torch.float64), float("inf"))
    torch.testing.assert_close(whole, torch.special.ndtri(torch.tensor([0.1, 0.8], dtype=torch.float64)))


def test_a_latent_moves_smoothly_with_the_threshold():
    u = torch.rand(500, generator=torch.Generator().manual_seed(1))
    path = torch.stack([latent.truncated_quantile(u, 0.5 + 0.05 * step) for step in range(50)])
    assert (path.abs().diff(dim=0) >= -1e-5).all() and path.diff(dim=0).abs().max() < 0.06


def test_a_quantile_of_nothing_is_refused():
    with pytest.raises(ValueError, match="u: expected numbers from 0 to 1, got -0.5 to 0.5"):
        latent.truncated_quantile(torch.tensor([-0.5, 0.5]), 1.0)
    for threshold in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="threshold: expected at least 0.01"):
            latent.truncated_quantile(torch.tensor([0.5]), threshold)


def test_a_truncated_latent_is_shorter_and_clipping_is_something_else():
    draw = torch.Generator().manual_seed(0)
    for threshold, std, clipped in ((0.5, 0.284, 0.430), (1.0, 0.540, 0.718), (2.0, 0.880, 0.959)):
        z = latent.truncated_normal((2000, 100), threshold, draw)
        assert z.norm(dim=1).mean().item() == pytest.approx(10 * std, rel=0.01)  # √100 times the deviation
        cut = torch.randn(2000, 100, generator=draw).clamp(-threshold, threshold)
        assert cut.std().item() == pytest.approx(clipped, abs=0.004)
        heaped = (cut.abs() == threshold).double().mean().item()
        assert heaped == pytest.approx(2 * (1 - torch.special.ndtr(torch.tensor(threshold)).item()), abs=0.005)
