"""Ways between latents: ends, sameness where a mapping normalises, and speeds whose limit is known."""

import pytest
import torch
from torch import nn

from course_lib import ways
from course_lib.models import dcgan, style


@pytest.fixture
def generator():
    torch.manual_seed(0)
    generator = dcgan.Generator(latent_dim=16, width=8, channels=1, size=32).eval()
    for weight in generator.parameters():
        if weight.ndim == 4:
            nn.init.normal_(weight, 0, 1.5 / weight[:, 0].numel() ** 0.5)
    return generator


@pytest.fixture
def styled():
    torch.manual_seed(0)
    return style.Generator(latent_dim=16, width=4, most=16, channels=3, size=32).eval()


def ends(dim=16, seed=0):
    return torch.randn(2, 1, dim, generator=torch.Generator().manual_seed(seed))


def test_a_film_runs_from_one_image_to_the_other(generator):
    a, b = ends()
    with torch.no_grad():
        first, last = generator(a).clamp(-1, 1), generator(b).clamp(-1, 1)
    for way in ways.ways(generator):
        film = ways.film(way, a, b, 7)
        assert film.images.shape == (7, 1, 32, 32) and film.norms.shape == (7,) and film.steps.shape == (6,)
        torch.testing.assert_close(film.images[[0, -1]], torch.cat([first, last]), rtol=1e-4, atol=1e-4)
        assert (film.steps > 0).all()
    assert [way.name for way in ways.ways(generator)] == ["lerp", "slerp"]


def test_norms_sag_on_the_straight_way_and_not_on_the_arc(generator):
    straight, arc = (ways.film(way, *ends(), 11) for way in ways.ways(generator))
    assert straight.norms[5] < 0.9 * straight.norms[[0, -1]].min()
    torch.testing.assert_close(arc.norms, torch.linspace(*arc.norms[[0, -1]].tolist(), 11), rtol=1e-4, atol=0)


def test_where_z_is_normalised_both_ways_show_the_same_images_at_another_pace(styled):
    straight, arc, in_w = ways.ways(styled)
    a, b = ends()
    on_line, image = straight.at(a, b, 0.3)
    angle = [torch.acos(torch.cosine_similarity(a, each)).item() for each in (b, on_line)]
    torch.testing.assert_close(arc.at(a, b, angle[1] / angle[0])[1], image, rtol=1e-3, atol=1e-4)
    assert abs(angle[1] / angle[0] - 0.3) > 0.005
    mapped, image = in_w.at(a, b, 1.0)
    torch.testing.assert_close(mapped, styled.mapping(b))
    torch.testing.assert_close(image, styled(b), rtol=1e-4, atol=1e-5)


def test_speeds_have_a_limit_and_grey_levels_have_none(generator):
    speeds = ways.Speeds(generator, paths=6)
    exact = [speeds.at(epsilon, "float64").speeds.mean() for epsilon in (1e-3, 1e-4, 1e-5)]
    assert max(exact) / min(exact) < 1.1
    assert speeds.at(1e-4, "float32").speeds.mean() == pytest.approx(exact[1].item(), rel=0.05)
    grey = [speeds.at(epsilon, "grey levels").speeds.mean() for epsilon in (1e-2, 1e-3)]
    assert grey[1] > 2 * grey[0] and grey[1] > 2 * exact[0]
    assert speeds.at(1e-4, "float64") is speeds.at(1e-4, "float64")
    with pytest.raises(ValueError, match="kind: expected one of float32, float64, grey levels"):
        speeds.at(1e-3, "float16")


def test_what_the_library_refuses_is_told_beside_the_number(generator):
    speeds = ways.Speeds(generator, paths=4)
    assert speeds.at(1e-2, "float32").refused == ""
    assert speeds.at(1e-7, "float32").refused.startswith("epsilon: expected steps that torch.float32 can hold")
    assert speeds.at(1e-7, "float64").refused == ""


def test_frames_have_one_size_and_change_with_the_place(generator):
    films = [ways.film(way, *ends(), 5) for way in ways.ways(generator)]
    first, second = (ways.film_frame(films, [film.images[:1] for film in films], t) for t in (0.0, 0.7))
    assert first.size == second.size and first.tobytes() != second.tobytes()
    speeds = ways.Speeds(generator, paths=2)
    frames = {kind: ways.step_frame(speeds, 1e-3, kind) for kind in ways.KINDS}
    assert len({frame.size for frame in frames.values()}) == 1
    assert frames["grey levels"].tobytes() != frames["float32"].tobytes()
