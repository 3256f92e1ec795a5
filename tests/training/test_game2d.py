"""The game of the playground: learns, repeats itself, and fails in the ways chapter 01 says it does."""

import pytest
import torch

from course_lib.data import mixtures
from course_lib.losses import LOSSES
from course_lib.training import TrainingDiverged
from course_lib.training.game2d import EXTENT, SHAPES, Game2D


def played(steps, shape="ring of 8", **settings):
    game = Game2D(SHAPES[shape](), **settings)
    for _ in range(steps):
        game.step()
    return game


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_fits_the_picture(shape):
    assert SHAPES[shape]().sample(2000).abs().max() < EXTENT


def test_within_1500_steps_the_ring_is_shared_out():
    game = played(1500)
    assert game.modes_found() == (8, 8)
    near = torch.cdist(game.samples().double(), game.data.means).amin(1) < 3 * game.data.stds[0]
    assert near.double().mean() > 0.6


def test_a_sure_discriminator_starves_the_saturating_loss():
    """Chapter 01's second thing to try: rate of D 0.01, of G 0.0001, five steps of D for each of G. Whatever the seed,
    the arrows are gone, G stands still, and the same D moves the same samples by the other loss."""
    for seed in range(3):
        game = played(100, loss="saturating", lr_d=1e-2, lr_g=1e-4, d_steps=5, seed=seed)
        assert game.discriminator(game.samples()).median() < -6
        assert game.pull(256)[1].norm(dim=1).median() < 0.01
        stood = game.samples()
        for _ in range(50):
            game.step()
        assert (game.samples() - stood).norm(dim=1).median() < 0.2 and game.modes_found()[0] <= 1
        game.loss = "non_saturating"
        assert game.pull(256)[1].norm(dim=1).median() > 1


def test_a_fast_generator_against_a_slow_discriminator_collapses():
    """Chapter 01's third thing to try."""
    game = played(800, lr_g=1e-2, lr_d=1e-4)
    assert game.modes_found()[0] <= 2 and game.samples().std(0).mean() < 0.5 < played(800).samples().std(0).mean()


def test_a_game_repeats_itself_whatever_else_draws_random_numbers():
    one = played(20)
    torch.manual_seed(99)
    game = Game2D(SHAPES["ring of 8"]())
    for _ in range(20):
        torch.randn(3)
        game.step()
    assert torch.equal(one.samples(), game.samples()) and one.d_loss == game.d_loss


def test_it_leaves_the_notebooks_randomness_alone():
    torch.manual_seed(5)
    wanted = torch.randn(3)
    torch.manual_seed(5)
    played(3)
    assert torch.equal(torch.randn(3), wanted)


@pytest.mark.parametrize("loss", LOSSES)
def test_arrows_lead_downhill_for_every_loss(loss):
    game = played(50, loss=loss)
    points, arrows = game.pull(40)
    with torch.no_grad():
        real = game.discriminator(game.real[:40])
        here, there = (
            LOSSES[loss].generator_loss(game.discriminator(points + step * arrows), real) for step in (0.0, 1e-2)
        )
    assert there < here


def test_looking_changes_nothing():
    game = played(10)
    before = [p.clone() for p in (*game.generator.parameters(), *game.discriminator.parameters())]
    state = game.draw.get_state()
    game.surface(), game.samples(), game.pull(), game.modes_found()
    after = (*game.generator.parameters(), *game.discriminator.parameters())
    assert all(torch.equal(a, b) for a, b in zip(before, after)) and torch.equal(state, game.draw.get_state())


def test_the_surface_lies_as_the_picture_does():
    game = played(5)
    surface = game.surface(5)
    with torch.no_grad():
        corner = game.discriminator(torch.tensor([[-EXTENT, EXTENT]])).sigmoid()  # top left
    assert surface.shape == (5, 5) and surface[0, 0] == pytest.approx(corner.item(), abs=1e-6)


def test_a_game_that_blows_up_says_so():
    game = Game2D(SHAPES["moons"]())
    with torch.no_grad():
        next(game.generator.parameters()).fill_(float("nan"))
    with pytest.raises(TrainingDiverged, match="diverged at step 1"):
        game.step()


def test_bad_input_says_so():
    with pytest.raises(ValueError, match="data: expected a mixture in 2 dimensions, got 1"):
        Game2D(mixtures.mixture([0.0]))
    with pytest.raises(ValueError, match="did you mean 'saturating'"):
        Game2D(SHAPES["moons"](), loss="saturatin")
