"""Many games at once: each is the game it would be alone, and what chapter 03b says of them is so."""

import pytest
import torch

from course_lib import losses, penalties, runtime
from course_lib.data import mixtures
from course_lib.training.game2d import Points, Scores
from course_lib.training.many_games import ManyGames

RING = mixtures.ring(8, std=0.1)
FAST_G = {"lr_g": 1e-2, "lr_d": 1e-3}


def alone(seed, steps, loss="non_saturating", lr_g=2e-3, lr_d=6e-3, beta1=0.5, penalty_weight=0.0):
    """The same game without vmap: torch.optim.Adam, two networks, a plain loop."""
    torch.manual_seed(seed)
    generator, critic = Points(), Scores()
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=lr_g, betas=(beta1, 0.999))
    d_optimizer = torch.optim.Adam(critic.parameters(), lr=lr_d, betas=(beta1, 0.999))
    draw = runtime.keyed_generator("cpu", seed, "many games")
    fixed_z = torch.randn(1000, 2, generator=draw)
    for _ in range(steps):
        real = RING.sample(64, draw)
        fake = generator(torch.randn(64, 2, generator=draw)).detach()
        d_loss = losses.LOSSES[loss].discriminator(critic(real), critic(fake))
        if penalty_weight:
            d_loss = d_loss + penalty_weight * penalties.r1(critic, real)
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()
        g_loss = losses.LOSSES[loss].generator(critic(generator(torch.randn(64, 2, generator=draw))))
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
    return generator(fixed_z).detach()


@pytest.mark.parametrize("settings", [{}, {"loss": "hinge"}, {"beta1": 0.9}])
def test_a_game_is_what_a_plain_loop_with_pytorchs_adam_plays(settings):
    games = ManyGames(RING, seeds=[3, 8], lr_g=2e-3, lr_d=6e-3, **settings).play(12)
    for row, seed in enumerate((3, 8)):
        torch.testing.assert_close(games.samples()[row], alone(seed, 12, **settings), atol=2e-4, rtol=1e-3)


def test_penalties_of_all_games_add_up_to_each_games_own():
    games = ManyGames(RING, seeds=[3, 8], lr_g=2e-3, lr_d=6e-3, penalty="r1", penalty_weight=2.0).play(12)
    wanted = alone(8, 12, penalty_weight=2.0)
    torch.testing.assert_close(games.samples()[1], wanted, atol=2e-4, rtol=1e-3)
    assert not torch.allclose(wanted, alone(8, 12), atol=1e-2)


def test_rmsprop_is_pytorchs():
    game = ManyGames(RING, seeds=[3], lr_g=2e-3, lr_d=6e-3, optimizer="rmsprop")
    start = game.g.weights.detach().clone()
    torch_s = torch.nn.Parameter(start.clone())
    optimizer = torch.optim.RMSprop([torch_s], lr=2e-3)
    for step in range(3):
        slope = torch.randn(start.shape, generator=runtime.keyed_generator("cpu", step))
        torch_s.grad = slope
        optimizer.step()
        game.g.update((game.g.weights * slope).sum())
    torch.testing.assert_close(game.g.weights, torch_s)
    assert torch.isfinite(game.play(3).samples()).all()


def test_a_spectrally_normalised_critic_has_layers_of_norm_1_and_starts_as_pytorchs():
    games = ManyGames(RING, seeds=[3, 8], loss="hinge", spectral=True)
    points = RING.sample(50, runtime.keyed_generator("cpu", 1))
    torch.manual_seed(8)
    Points()
    theirs = Scores(spectral=True)
    for _ in range(10):
        theirs(points)  # in training each call iterates
    ours = games.d.run({name: rows[1] for name, rows in games.d.rows().items()}, points)
    torch.testing.assert_close(ours, theirs(points), rtol=0.02, atol=0.01)
    games.play(60)
    games.d.iterate()
    for name, rows in games.d.rows().items():
        if rows.ndim == 3:
            norms = torch.linalg.matrix_norm(rows, 2)
            assert (norms > 0.99).all() and (norms < 1.1).all(), name


def test_rates_and_momentum_belong_to_their_row():
    games = ManyGames(RING, seeds=[1, 1, 2], lr_g=[1e-3, 2e-3, 3e-3], lr_d=[5e-3, 4e-3, 3e-3], beta1=[0.0, 0.5, 0.9])
    games.play(10)
    assert torch.equal(games.fixed_z[0], games.fixed_z[1]) and not torch.equal(games.fixed_z[0], games.fixed_z[2])
    for row, (seed, lr_g, lr_d, beta1) in enumerate([(1, 1e-3, 5e-3, 0.0), (1, 2e-3, 4e-3, 0.5), (2, 3e-3, 3e-3, 0.9)]):
        wanted = alone(seed, 10, lr_g=lr_g, lr_d=lr_d, beta1=beta1)
        torch.testing.assert_close(games.samples()[row], wanted, atol=2e-4, rtol=1e-3)


def test_it_leaves_the_notebooks_randomness_alone():
    torch.manual_seed(5)
    wanted = torch.randn(3)
    torch.manual_seed(5)
    ManyGames(RING, seeds=[0]).play(2)
    assert torch.equal(torch.randn(3), wanted)


def test_every_loss_and_every_penalty_plays():
    for loss in losses.LOSSES:
        d_loss, g_loss = ManyGames(RING, seeds=[0, 1], loss=loss).play(2).last_losses()
        assert torch.isfinite(d_loss).all() and g_loss.shape == (2,)
    for penalty in penalties.PENALTIES:
        assert torch.isfinite(ManyGames(RING, seeds=[0, 1], penalty=penalty).play(2).d.weights).all()
    clipped = ManyGames(RING, seeds=[0], loss="wasserstein", clip=0.02, d_steps=3).play(2)
    assert clipped.d.weights.abs().max() <= 0.02


def test_a_discriminator_three_times_as_fast_finds_the_ring_and_the_same_rates_swapped_do_not():
    good, swapped = counted([(2e-3, 6e-3, 0.5), (6e-3, 2e-3, 0.5)])
    assert sum(good) >= 34 and sum(swapped) <= 10  # of 40


def test_momentum_of_0_9_loses_the_ring():
    low, high = counted([(2e-3, 6e-3, 0.0), (2e-3, 6e-3, 0.9)])
    assert sum(low) >= 28 and sum(high) <= 14  # of 40


def test_the_gradient_penalty_does_not_prevent_collapse_and_diversity_undoes_it():
    wgan = ManyGames(RING, loss="wasserstein", penalty="gradient_penalty", penalty_weight=10.0, **FAST_G).play(200)
    assert sum(each.found for each in wgan.modes()) <= 5 and wgan.samples().std(1).mean() < 0.3
    varied = ManyGames(RING, diversity=0.1, **FAST_G).play(300)
    assert varied.samples().std(1).mean() > 1 and sum(each.found for each in varied.modes()) >= 10


def counted(settings, steps=300, seeds=5):
    """[(lr_g, lr_d, β₁)] → for each the modes that five seeds find."""
    rows = [setting for setting in settings for _ in range(seeds)]
    lr_g, lr_d, beta1 = zip(*rows)
    games = ManyGames(RING, seeds=[*range(seeds)] * len(settings), lr_g=lr_g, lr_d=lr_d, beta1=beta1).play(steps)
    found = [each.found for each in games.modes()]
    return [found[start : start + seeds] for start in range(0, len(found), seeds)]


def test_bad_input_says_so():
    with pytest.raises(ValueError, match="data: expected a mixture in 2 dimensions, got 1"):
        ManyGames(mixtures.mixture([0.0]))
    with pytest.raises(
        ValueError, match="real_target: expected 1.0 with the loss 'hinge', which has no labels, got 0.9"
    ):
        ManyGames(RING, loss="hinge", real_target=0.9)
    with pytest.raises(ValueError, match="did you mean 'r1'"):
        ManyGames(RING, penalty="r_1")
