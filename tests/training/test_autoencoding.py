"""Training of autoencoders: it learns, goes on exactly where it stopped, and says what does not fit."""

from dataclasses import replace

import pytest
import torch

from course_lib import bounds, data
from course_lib.models import dcgan
from course_lib.models.vae import VAE, AutoEncoder
from course_lib.training import TrainingDiverged, checkpoint
from course_lib.training.autoencoding import COLUMNS, AutoencodingConfig, fit_vae

CONFIG = AutoencodingConfig(steps=12, batch_size=16, log_every_steps=2, checkpoint_every_steps=5)


def network(kind=VAE, **options):
    torch.manual_seed(0)
    return kind(3, 4, size=8, **options)


class Stop(Exception):
    pass


def test_stopped_and_resumed_ends_bit_for_bit_like_the_unbroken_run(few, tmp_path):
    def stop(state):
        if state.step == 8:  # three steps behind the last checkpoint
            raise Stop

    broken, whole = (replace(CONFIG, checkpoint_dir=str(tmp_path / name)) for name in ("broken", "whole"))
    with pytest.raises(Stop):
        fit_vae(network(), few, broken, [stop], verbose=False)
    assert checkpoint.load(tmp_path / "broken" / "last.safetensors")[0]["step"] == 5
    resumed, unbroken = network(), network()
    histories = [fit_vae(resumed, few, broken, verbose=False), fit_vae(unbroken, few, whole, verbose=False)]
    (one_header, one), (other_header, other) = (
        checkpoint.load(tmp_path / name / "last.safetensors") for name in ("broken", "whole")
    )
    assert one_header["step"] == other_header["step"] == 12 and one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    for column in COLUMNS[:-1]:
        assert histories[0][column] == histories[1][column], column


def test_moments_come_back_in_the_parameters_own_layout(few, tmp_path):
    config = replace(CONFIG, checkpoint_dir=str(tmp_path))
    fit_vae(network(), few, replace(config, steps=12), verbose=False)
    states = []
    again = network()
    fit_vae(again, few, config, [states.append], verbose=False)  # nothing left to do, everything restored
    assert states == []
    fit_vae(network(), few, replace(config, checkpoint_dir=str(tmp_path / "b"), decay_from=1.0), verbose=False)
    fit_vae(
        network(),
        few,
        replace(config, steps=13, checkpoint_dir=str(tmp_path / "b"), decay_from=1.0),
        [states.append],
        verbose=False,
    )
    optimizer = states[-1].optimizer
    for parameter in states[-1].network.parameters():
        for name in ("exp_avg", "exp_avg_sq"):
            assert optimizer.state[parameter][name].stride() == parameter.stride()


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_a_short_run_raises_the_bound_on_images_it_has_not_seen(few, likelihood):
    train, held_out = few.subset(slice(0, 192)), data.to_float(few.pixels[192:])
    vae = network(likelihood=likelihood)
    before = bounds.of_images(vae, held_out, draws=5, ks=()).elbo.mean()
    history = fit_vae(vae, train, AutoencodingConfig(steps=150, batch_size=32), verbose=False)
    after = bounds.of_images(vae, held_out, draws=5, ks=()).elbo.mean()
    assert after > before + 5 and history["step"] == [50, 100, 150]


def test_the_larger_beta_the_less_is_said_about_the_latent(few):
    paid = []
    for beta in (0.1, 1.0, 10.0):
        vae = network()
        fit_vae(vae, few, AutoencodingConfig(steps=150, batch_size=32, beta=beta), verbose=False)
        paid.append(bounds.gaussian_kl(*vae.encode(data.to_float(few.pixels))).sum(1).mean().item())
    assert paid[0] > paid[1] > paid[2]


def test_an_autoencoder_goes_through_the_same_trainer_and_pays_no_kl(few):
    history = fit_vae(network(AutoEncoder), few, CONFIG, verbose=False)
    assert history["kl"] == [0.0] * 6 and history["elbo"] == history["log_likelihood"]


def test_another_step_can_be_passed(few):
    seen = []

    def step(network, optimizer, real, noise, beta):
        seen.append((real.shape, noise.shape, beta))
        with torch.no_grad():
            return network.terms(real, noise)

    vae = network()
    before = [weights.clone() for weights in vae.parameters()]
    fit_vae(vae, few, CONFIG, step=step, verbose=False)
    assert seen == [((16, 1, 8, 8), (16, 3), 1.0)] * 12
    assert all(torch.equal(one, other) for one, other in zip(before, vae.parameters()))


def test_binarised_pixels_are_drawn_anew_at_every_look_and_are_the_same_after_a_restart(few):
    seen = []

    def step(network, optimizer, real, noise, beta):
        seen.append(real.clone())
        with torch.no_grad():
            return network.terms(real, noise)

    one = few.subset(slice(0, 16))  # every batch is the whole data set
    for _ in range(2):
        fit_vae(network(), one, replace(CONFIG, steps=3, binarise=True), step=step, verbose=False)
    assert all(each.abs().eq(1).all() for each in seen)
    assert all(torch.equal(first, again) for first, again in zip(seen[:3], seen[3:]))
    brightness = [each.sum() for each in seen[:3]]
    assert len({each.item() for each in brightness}) == 3, "the same 16 images, drawn three times"
    grey = data.to_float(one.pixels).mean()
    assert abs(torch.stack(seen[:3]).mean() - grey) < 0.05


def test_a_term_that_is_no_number_stops_the_run(few):
    def broken(network, optimizer, real, noise, beta):
        likelihood, kl = network.terms(real, noise)
        return likelihood.detach() * float("nan"), kl.detach()

    with pytest.raises(TrainingDiverged, match="diverged at step 1: a term of the ELBO was NaN or infinite"):
        fit_vae(network(), few, CONFIG, step=broken, verbose=False)


def test_what_does_not_fit_is_said_before_the_first_step(few, tmp_path):
    for changed, said in (
        ({"beta": -1.0}, "beta: expected 0 or more, got -1.0"),
        ({"steps": 0}, "steps: expected at least 1, got 0"),
        ({"batch_size": 300}, r"batch_size: expected at most 256 \(the number of images\), got 300"),
    ):
        with pytest.raises(ValueError, match=said):
            fit_vae(network(), few, replace(CONFIG, **changed), verbose=False)
    with pytest.raises(ValueError, match=r"images: expected \(1, 28, 28\) like the network's, got \(1, 8, 8\)"):
        fit_vae(VAE(3, 4), few, CONFIG, verbose=False)
    with pytest.raises(ValueError, match="network: expected a models.vae.AutoEncoder or VAE, got Generator"):
        fit_vae(dcgan.Generator(3, 4, 1, 8), few, CONFIG, verbose=False)
    kept = replace(CONFIG, checkpoint_dir=str(tmp_path))
    fit_vae(network(), few, kept, verbose=False)
    with pytest.raises(ValueError, match=r"beta: expected 1.0 like the run in .*, got 4.0"):
        fit_vae(network(), few, replace(kept, beta=4.0), verbose=False)
    with pytest.raises(ValueError, match="expected the tensors of these networks|of shape"):
        fit_vae(network(AutoEncoder), few, kept, verbose=False)
