# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 02 · DCGAN: how does noise learn to become a shoe?
#
# A vector of 100 random numbers goes in, a photograph of a shoe that nobody ever made comes out. In this chapter you write the
# game that gets it there, train it on 60,000 real photographs, and then walk through a network that has finished learning.
#
# **You will** write both players' steps, a block of the generator, and its
# [initialisation](../docs/glossary.md#initialisation), and train with them · **you will know** why
# [DCGAN](../docs/glossary.md#dcgan) looks as it does, what its [loss curves](../docs/glossary.md#loss-curve) say and what they
# cannot · **you need** chapter 01's losses, PyTorch's `nn.Module`, no GPU · **time**: an hour, of
# which your machine computes about two minutes (two cores with AMX).
#
# Everything you answer is kept. A cell you leave empty is filled by the library, so *Run All* always works.

# %% id="imports"
import copy
import math

import torch
import torch.nn.functional as F
from course_lib import data, plots, runtime, training, widgets, zoo
from course_lib.exercises import (
    add_to_report,
    exercise,
    explain,
    predict,
    progress,
    quiz,
    reveal,
    running_on,
)
from course_lib.losses import LOSSES
from course_lib.models import dcgan, mlp
from course_lib.zoo.judging import judge
from torch import nn

# %% id="knobs"
# Knobs: how long this machine trains. What a short run cannot show comes from recorded runs, and the text says so.
mlp_steps = runtime.by_profile(ci=40, laptop=1500, gpu=6000)
dcgan_steps = runtime.by_profile(ci=30, laptop=1800, gpu=9000)
samples = runtime.by_profile(ci=400, laptop=2000, gpu=10000)

# %% [markdown]
# ## Two questions on what you know already

# %%
quiz("02.recall")

# %% [markdown]
# ## The data: one tensor
#
# Fashion-MNIST is 60,000 photographs of clothes. It fits in 47 MB, so it lives in memory as one tensor of bytes, and a batch is
# 64 rows picked out and turned into floats: no loader, no worker processes.

# %% id="data"
images = data.load("fashion-mnist", "train")
print(tuple(images.pixels.shape), images.pixels.dtype, images.class_names)

# %% id="data-figure"
one_of_each = torch.stack([images.pixels[images.labels == label][:6] for label in range(10)]).flatten(0, 1)
plots.image_grids(
    {"Ten classes, six photographs of each, 28×28 grey": one_of_each},
    columns=12,
    panel=5.6,
    alt="A sheet of 60 grey photographs: T-shirts, trousers, pullovers, dresses, coats, sandals, shirts, sneakers, "
    "bags and ankle boots on black.",
)

# %% [markdown]
# A generator that ends in a [Tanh](../docs/glossary.md#tanh) speaks numbers in $[-1, 1]$; pixels are bytes. The way there is
#
# $$x = \frac{p}{127.5} - 1 \qquad \text{(the library's \texttt{data.to\_float})}$$
#
# and you write the way back. It looks too easy to get wrong, and yet a much-used metrics package loses half a grey level here.


# %%
@exercise("02.to_uint8")
def to_uint8(images):
    """Images from [-1, 1] to pixels: the exact inverse of x = p / 127.5 - 1.

    images: (N, C, H, W) float in [-1, 1].  Returns (N, C, H, W) uint8 in [0, 255]; `images` is left as it was."""
    ...  # your code


# %% id="round-trip"
levels = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
assert torch.equal(to_uint8(data.to_float(levels)), levels)  # all 256 of them

# %% [markdown]
# ## Two players, two steps
#
# Take the plainest pair of networks first: [fully connected layers](../docs/glossary.md#fully-connected-layer) and nothing else. The
# generator turns $z \sim \mathcal N(0, I_{100})$ into 784 pixels; the discriminator turns 784 pixels into one
# **[logit](../docs/glossary.md#logit)**, $D(x) = \sigma(\text{logit})$. It returns no probability,
# because the loss can then be computed without ever taking the logarithm of a rounded 0.
#
# One turn of the game is two steps. First the **discriminator's**, with the generator held still:
#
# $$\min_D\; -\mathbb E_x \log D(x) \;-\; \mathbb E_z \log\bigl(1 - D(G(z))\bigr)$$
#
# Chapter 01 computed these two terms; here they are `loss.discriminator(real_logits, fake_logits)`. What is new is the
# bookkeeping around them, where most GANs on the internet go wrong.


# %%
@exercise("02.discriminator_step")
def discriminator_step(generator, discriminator, optimizer, real, z, loss):
    """One update of the discriminator; the generator is not touched.

    real: (N, ...) images;  z: (N, latent_dim);  loss.discriminator(real_logits, fake_logits) is a scalar to minimise.
    optimizer holds the discriminator's weights. Real and fake images go through D as two batches.
    Returns the loss, the real logits and the fake logits, all detached."""
    ...  # your code


# %% [markdown]
# Then the **generator's**. It never sees a photograph; all it learns comes through the discriminator's gradient:
# $\min_G\, -\mathbb E_z \log D(G(z))$, which is `loss.generator(fake_logits)`.


# %%
@exercise("02.generator_step")
def generator_step(generator, discriminator, optimizer, z, loss):
    """One update of the generator through a discriminator whose weights stay where they are.

    z: (N, latent_dim);  loss.generator(fake_logits) is a scalar to minimise;  optimizer holds the generator's weights.
    Both networks are in train mode, and stay in it. Returns the loss and the fake logits, both detached."""
    ...  # your code


# %% [markdown]
# `training.fit` calls these two in turn and does nothing else that matters: it draws a batch, calls your discriminator step,
# calls your generator step, and writes down losses, logits and [gradient norms](../docs/glossary.md#gradient-norm). It also
# keeps a [running average](../docs/glossary.md#exponential-moving-average) of the generator's weights, and that
# average is what we draw from.

# %% id="mlp-train"
torch.manual_seed(0)
mlp_generator, mlp_discriminator = mlp.Generator(latent_dim=100), mlp.Discriminator()
mlp_history = training.fit(
    mlp_generator,
    mlp_discriminator,
    images,
    training.TrainConfig(steps=mlp_steps, log_every_steps=10),
    d_step=discriminator_step,
    g_step=generator_step,
)

# %% id="mlp-figure"
mlp_fakes = zoo.sample(mlp_history.averaged, samples)
mlp_live = judge(mlp_fakes)
recorded_mlp, mlp_card = zoo.load("mlp-fashion")
plots.image_grids(
    {
        f"Yours, {mlp_steps:,} steps: distance {mlp_live['fid']:.1f}": mlp_fakes[:64],
        f"Recorded, {mlp_card['config']['steps']:,} steps: distance {mlp_card['metrics']['fid']:.2f}": zoo.sample(
            recorded_mlp, 64
        ),
    },
    alt=f"Two sheets of 64 generated images. After {mlp_steps} steps: Fréchet distance {mlp_live['fid']:.1f} at N = {samples}. After "
    f"{mlp_card['config']['steps']} steps (recorded run): {mlp_card['metrics']['fid']:.2f} at N = {mlp_card['metrics']['n']}; clothes "
    "with speckled surfaces.",
)

# %% [markdown]
# The *distance* in the titles is a Fréchet distance between features of the generated images and of the 10,000 test images, seen by
# this course's own small classifier. Chapter 04 builds it; until then: smaller is closer, and it is not the FID of papers.
# The recorded run is the recipe of the lesson this chapter grew from (latent 100, batch 64,
# 50 [epochs](../docs/glossary.md#epoch), 2e-4), and its card keeps everything about it. On
# handwritten digits, as the lesson has it, the same recipe is `zoo.load("mlp-mnist")`.

# %% [markdown]
# ## What a fully connected layer does not know
#
# To that generator, two neighbouring pixels are as unrelated as two corners. Shuffle all pixels of all images in the same way,
# and it would learn just as well. A **[convolution](../docs/glossary.md#convolution)** builds the opposite in: what is near
# belongs together, and what was learned in one place holds in another.
#
# DCGAN (Radford, Metz, Chintala 2015) is the recipe that made this train: [strided convolutions](../docs/glossary.md#strided-convolution) instead
# of pooling in $D$, strided [*transposed* convolutions](../docs/glossary.md#transposed-convolution) in $G$;
# [BatchNorm](../docs/glossary.md#batch-normalisation) everywhere but at $G$'s output and $D$'s input; [ReLU](../docs/glossary.md#relu) and a
# final Tanh in $G$, [LeakyReLU](../docs/glossary.md#leakyrelu)(0.2) in $D$.
#
# **Predict before you run on.** Both recorded generators had the same photographs, batch size and learning rate to begin with (the DCGAN's falls to 0 in the second half of its run).

# %% id="sizes"
recorded_dcgan, dcgan_card = zoo.load("dcgan-fashion")
for name, card in (("fully connected", mlp_card), ("DCGAN", dcgan_card)):
    print(
        f"{name}: {card['parameters']['generator']:,} parameters in G, {card['parameters']['discriminator']:,} in D, "
        f"{card['config']['steps'] * card['config']['batch_size'] / 60_000:.0f} epochs"
    )

# %%
predict(
    "02.whose_samples",
    ["the fully connected generator's, it is larger", "the DCGAN's", "there is nothing between them"],
)

# %% [markdown]
# A transposed convolution is the convolution run backwards: each input pixel paints a whole kernel into the output, `stride` pixels
# apart. From $H$ pixels it makes
#
# $$H' = (H - 1)\cdot\text{stride} - 2\cdot\text{padding} + \text{kernel}$$


# %% id="size-formula"
def transposed_size(size, kernel, stride, padding):
    return (size - 1) * stride - 2 * padding + kernel


for size, kernel, stride, padding in [(1, 4, 1, 0), (4, 4, 2, 1), (7, 3, 2, 1), (5, 5, 3, 2)]:
    layer = nn.ConvTranspose2d(1, 1, kernel, stride, padding)
    assert layer(torch.zeros(1, 1, size, size)).shape[-1] == transposed_size(size, kernel, stride, padding)


# %%
@exercise("02.upsample")
def upsample(before, after):
    """DCGAN's upsampling block: transposed convolution with a 4×4 kernel and no bias, BatchNorm, ReLU.

    before, after: numbers of channels.  Returns an nn.Module from (N, before, H, W) to (N, after, 2H, 2W)."""
    ...  # your code


# %% [markdown]
# How large is the whole thing? Count before you trust a summary printed by a tool: whoever can count a network can read one.
# The generator goes from $z$ to a 4×4 map with the most channels; each block halves the channels and doubles the size; the last
# layer makes the image. The discriminator is its mirror image.


# %%
@exercise("02.parameter_count")
def parameter_count(latent_dim, width, channels, size):
    """Learned numbers in DCGAN's generator and discriminator, by arithmetic alone.

    The map at size/2 has `width` channels, the one at size/4 twice as many, and so on down to 4×4. All kernels are 4×4
    without bias; BatchNorm follows every convolution but G's last, D's first and D's last.
    Returns (generator, discriminator), two integers."""
    ...  # your code


# %% id="count-check"
assert parameter_count(latent_dim=100, width=64, channels=3, size=64) == (3_576_704, 2_765_568)
assert parameter_count(latent_dim=100, width=64, channels=1, size=32) == tuple(
    dcgan_card["parameters"].values()
)

# %% [markdown]
# Last, the beginning: DCGAN draws its weights from $\mathcal N(0, 0.02^2)$. Many texts add "BatchNorm's too". Do that, and look at
# what arrives at the generator's output:


# %% id="init-shown"
def output_spread(scale_mean):
    torch.manual_seed(0)
    network = dcgan.Generator(latent_dim=100, width=32, channels=1, size=32)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, scale_mean, 0.02)
    with torch.no_grad():
        return network(torch.randn(256, 100)).std().item()


spread = {"N(1, 0.02²)": output_spread(1.0), "N(0, 0.02²)": output_spread(0.0)}
assert spread["N(0, 0.02²)"] < spread["N(1, 0.02²)"] / 20  # nearly the same grey, whatever z says
spread


# %%
@exercise("02.initialise")
def initialise(network):
    """DCGAN's initial weights, drawn in place for every layer at any depth of `network`.

    Convolutions and transposed convolutions: weights from N(0, 0.02²).
    BatchNorm: scales (`weight`) from N(1, 0.02²), shifts (`bias`) 0.  Returns nothing."""
    ...  # your code


# %% [markdown]
# ## Your DCGAN, trained by your code
#
# Your block, your initialisation, your two steps. The images get a black border of two pixels, because 32 can be halved five
# times and 28 only twice.

# %% id="build-dcgan"
generator = dcgan.Generator(latent_dim=100, width=32, channels=1, size=32, block=upsample)
discriminator = dcgan.Discriminator(width=32, channels=1, size=32)
torch.manual_seed(1)
initialise(generator)
initialise(discriminator)
running_on("02")

# %% id="dcgan-train"
sheets = {}  # what the averaged generator draws from the same latents, at a few moments
moments = {max(1, round(dcgan_steps * share)) for share in (0.05, 0.3, 1.0)}


def keep_sheet(state):
    if state.step in moments:
        sheets[f"step {state.step:,}"] = zoo.sample(state.average.network, 36)


history = training.fit(
    generator,
    discriminator,
    images.padded(32),
    training.TrainConfig(steps=dcgan_steps, log_every_steps=10),
    callbacks=[keep_sheet],
    d_step=discriminator_step,
    g_step=generator_step,
)

# %% id="dcgan-figure"
live = judge(zoo.sample(history.averaged, samples))
plots.image_grids(
    sheets,
    columns=6,
    title=f"Your DCGAN after {dcgan_steps:,} steps: Fréchet distance {live['fid']:.1f} at N = {samples:,}",
    alt=f"Sheets of 36 generated images at {', '.join(sheets)}. At the end the Fréchet distance is {live['fid']:.1f} at "
    f"N = {samples}, and the classifier is sure of {live['sure']:.0%} of the samples.",
)

# %% id="live-curves"
plots.training_curves(
    history,
    f"Your run: at the end D gives real images {history['real_logit'][-1]:+.1f} and fakes "
    f"{history['fake_logit'][-1]:+.1f}",
    smooth=max(1, len(history) // 60),
)

# %% [markdown]
# The dotted lines are where nothing could be told apart: $\log 4$ for $D$'s sum of two terms, $\log 2$ for $G$. Most texts that
# say "0.69 is balanced" plot the *mean* of $D$'s two terms. Read the axis before the curve.

# %% [markdown]
# ## The whole run, recorded
#
# A few minutes are not enough. What the same code does with a network twice as wide, forty epochs, and learning rates that fall to 0 from half-way on, is in the zoo. **Predict first**: from the first quarter of that
# run to the last, while the images get better and better, the two losses …

# %%
predict("02.losses", ["both fall", "D's falls, G's rises", "D's rises, G's falls", "both rise"])

# %% id="recorded-curves"
rows = dcgan_card["history"]
quarter = len(rows) // 4
early, late = (
    {name: sum(row[name] for row in part) / quarter for name in ("d_loss", "g_loss")}
    for part in (rows[:quarter], rows[-quarter:])
)
ahead = sum(row["d_loss"] < 2 * math.log(2) for row in rows) / len(rows)
assert ahead > 0.99  # D is better than a coin at nearly every logged step
recorded = training.History(rows)
plots.training_curves(
    recorded,
    f"D's loss goes from {early['d_loss']:.2f} to {late['d_loss']:.2f}, G's from {early['g_loss']:.2f} to "
    f"{late['g_loss']:.2f} (means of the first and last quarter)",
    smooth=max(1, len(rows) // 80),
)

# %% id="distance-curve"
measured = [row for row in dcgan_card["snapshots"] if row["step"] > 0]
assert all(later["fid"] < before["fid"] for before, later in zip(measured, measured[1:]))
plots.curves(
    [row["step"] for row in measured],
    {"DCGAN": [row["fid"] for row in measured]},
    log_x=True,
    log_y=True,
    title=f"The distance falls from {measured[0]['fid']:.0f} to {measured[-1]['fid']:.2f} all the while",
    xlabel="training step",
    ylabel=f"Fréchet distance, N = {measured[0]['n']:,}",
)

# %% id="reveal-losses"
d_falls, g_falls = late["d_loss"] < early["d_loss"], late["g_loss"] < early["g_loss"]
outcome = {
    (True, True): "both fall",
    (True, False): "D's falls, G's rises",
    (False, True): "D's rises, G's falls",
    (False, False): "both rise",
}
reveal(
    "02.losses",
    outcome[d_falls, g_falls],
    f"D is ahead (its loss below 1.386) at {ahead:.1%} of the logged steps. "
    f"Its mean loss went from {early['d_loss']:.2f} to {late['d_loss']:.2f} and G's from {early['g_loss']:.2f} to {late['g_loss']:.2f}, "
    f"while the distance fell from {measured[0]['fid']:.0f} to {measured[-1]['fid']:.2f}. Each loss is a score against an opponent who "
    "learns too: it says who is ahead, not how good the images are.",
)

# %% [markdown]
# Now hold the run in your hand. The same 64 latents, at every recorded moment (the fully connected generator has one too,
# on clothes and on digits: `widgets.training_scrubber("mlp-fashion")`, `widgets.training_scrubber("mlp-mnist")`):

# %% id="scrubber"
scrubber = widgets.training_scrubber("dcgan-fashion")
scrubber

# %% [markdown]
# And the two finished generators beside the real thing:

# %% id="whose-figure"
test_images = data.load("fashion-mnist", "test")
mlp_m, dcgan_m = mlp_card["metrics"], dcgan_card["metrics"]
plots.image_grids(
    {
        "Real test images": test_images.pixels[:64],
        f"Fully connected: distance {mlp_m['fid']:.2f}": zoo.sample(recorded_mlp, 64),
        f"DCGAN: distance {dcgan_m['fid']:.2f}": zoo.sample(recorded_dcgan, 64),
    },
    alt=f"Three sheets of 64 images: real ones, the fully connected generator's (Fréchet distance {mlp_m['fid']:.2f}) and the DCGAN's "
    f"({dcgan_m['fid']:.2f}), both at N = {dcgan_m['n']}.",
)

# %% id="reveal-whose"
ratio = mlp_m["fid"] / dcgan_m["fid"]
names = ["the fully connected generator's, it is larger", "the DCGAN's", "there is nothing between them"]
winner = names[2] if 0.9 < ratio < 1.1 else names[1] if ratio > 1 else names[0]
reveal(
    "02.whose_samples",
    winner,
    f"Distance {mlp_m['fid']:.2f} against {dcgan_m['fid']:.2f} at N = {dcgan_m['n']:,}, and the classifier is sure of {mlp_m['sure']:.0%} of the "
    f"one's samples and {dcgan_m['sure']:.0%} of the other's (real images: {dcgan_m['real_sure']:.0%}).",
)

# %% id="classes-figure"
plots.bars(
    dict(zip(images.class_names, [100 * share for share in dcgan_m["class_shares"]])),
    ylabel="share in %",
    title=f"No class is missing: the rarest gets {100 * min(dcgan_m['class_shares']):.1f} % of {dcgan_m['n']:,} samples",
    reference=("share in the data", 10.0),
)

# %% [markdown]
# ## Walk through the latent space
#
# One latent, one image. *A → B* goes along the arc between two latents; the directions are those that the generator's first layer
# stretches most. Nobody told it what they should mean: find out.

# %% id="explorer"
explorer = widgets.latent_explorer(recorded_dcgan)
explorer

# %% [markdown]
# ## What people get wrong
#
# ### "Without `detach`, D's step trains the generator backwards"
#
# You read it everywhere. **Predict**: two runs, the same in everything, but one discriminator step leaves the graph into the generator
# intact. After ten turns, the generators' weights are …

# %%
predict(
    "02.no_detach",
    ["far apart: the generator was trained backwards", "slightly different", "equal, bit for bit"],
)


# %% id="no-detach"
def step_without_detach(generator, discriminator, optimizer, real, z, loss):
    real_logits, fake_logits = discriminator(real), discriminator(generator(z))
    value = loss.discriminator(real_logits, fake_logits)
    optimizer.zero_grad()
    value.backward()
    optimizer.step()
    return value.detach(), real_logits.detach(), fake_logits.detach()


def ten_turns(d_step, forget_to_clear=False):
    torch.manual_seed(0)
    g, d = mlp.Generator(latent_dim=16, width=16), mlp.Discriminator(width=32)
    adam_g, adam_d = torch.optim.Adam(g.parameters(), 2e-4), torch.optim.Adam(d.parameters(), 2e-4)
    if forget_to_clear:
        adam_g.zero_grad = lambda *_, **__: None
    for turn in range(10):
        real, z = data.to_float(images.pixels[64 * turn : 64 * (turn + 1)]), torch.randn(2, 64, 16)
        d_step(g, d, adam_d, real, z[0], LOSSES["non_saturating"])
        training.generator_step(g, d, adam_g, z[1])
    return torch.cat([p.detach().flatten() for p in g.parameters()])


apart = (ten_turns(training.discriminator_step) - ten_turns(step_without_detach)).abs().max().item()
apart_uncleared = (
    (ten_turns(training.discriminator_step, True) - ten_turns(step_without_detach, True)).abs().max().item()
)

# %% id="reveal-no-detach"
reveal(
    "02.no_detach",
    "equal, bit for bit"
    if apart == 0
    else "slightly different"
    if apart < 1e-3
    else "far apart: the generator was trained backwards",
    f"Largest difference: {apart:g}. D's optimizer holds D's weights only, and G's step clears the stray gradients before it adds its own. "
    f"You pay with a backward pass through G for nothing. It does harm where nobody clears: then the difference is {apart_uncleared:.2g}.",
)

# %% [markdown]
# And reusing one batch of fakes for both steps without `detach` does not train anything backwards either. It stops:

# %% id="reuse-crashes"
g, d = mlp.Generator(latent_dim=16, width=16), mlp.Discriminator(width=32)
fake = g(torch.randn(8, 16))
F.softplus(d(fake)).mean().backward()
try:
    F.softplus(-d(fake)).mean().backward()
except RuntimeError as error:
    crashed = str(error).split(".")[0]
assert "backward through the graph a second time" in crashed
crashed

# %% [markdown]
# ### "A sigmoid at the end, then the logarithm"
#
# In exact arithmetic the same thing. In float32, $\sigma(20)$ is 1, and whoever takes $\log(1 - 1)$ gets −∞ and a slope that is no number, which one step spreads over all weights. PyTorch's own cross-entropy cuts the logarithm off, and
# then there is no slope at all:

# %% id="sigmoid-then-log"
# D is sure that a fake is real: the moment it needs a gradient most
logit = torch.tensor([20.0], requires_grad=True)
two_stages = F.binary_cross_entropy(torch.sigmoid(logit), torch.zeros(1))
(slope_two_stages,) = torch.autograd.grad(two_stages, logit)
(slope_logits,) = torch.autograd.grad(F.softplus(logit).mean(), logit)
plain = -torch.log(1 - torch.sigmoid(logit)).sum()
(slope_plain,) = torch.autograd.grad(plain, logit)
assert slope_two_stages == 0 and slope_logits > 0.99 and slope_plain.isnan() and plain.isinf()
print(f"sigmoid, then a plain log: loss {plain.item()}, slope {slope_plain.item()}")
print(
    f"sigmoid, then log: loss {two_stages:.1f} (PyTorch clamps it at 100), slope {slope_two_stages.item():.3f};  "
    f"on the logit: loss {F.softplus(logit).item():.1f}, slope {slope_logits.item():.3f}"
)

# %% [markdown]
# ### "Sampling is just calling the generator"
#
# In train mode BatchNorm normalises with the batch it is given, so an image depends on its neighbours, and every call moves the
# [running statistics](../docs/glossary.md#running-statistics). Same latent, other company:

# %% id="train-mode"
z = torch.randn(1, 100, generator=torch.Generator().manual_seed(5))
company = [
    torch.cat([z, torch.randn(63, 100, generator=torch.Generator().manual_seed(seed))]) for seed in (1, 2)
]
network = copy.deepcopy(recorded_dcgan).cpu()
with torch.no_grad():
    at_rest = [network.eval()(batch)[0] for batch in company]
    before = network.blocks[0][1].running_mean.clone()
    in_training = [network.train()(batch)[0] for batch in company]
drift = (network.blocks[0][1].running_mean - before).abs().max().item()
same, moved = ((a - b).abs().max().item() for a, b in (at_rest, in_training))
assert same < 1e-4 and moved > 0.1 and drift > 0
plots.image_grids(
    {
        "eval, among 63 others": at_rest[0][None],
        "eval, other company": at_rest[1][None],
        "train, among 63 others": in_training[0][None],
        "train, other company": in_training[1][None],
    },
    columns=1,
    panel=2.1,
    title=f"Largest change of a pixel: {same:.0e} in eval mode, {moved:.2f} of 2 in train mode",
    alt=f"The same latent drawn four times: twice alike in eval mode, largest pixel difference {same:.0e}; twice different in train "
    f"mode, largest difference {moved:.2f} on a scale from -1 to 1.",
)

# %% [markdown]
# ### "Never mix real and fake images in one BatchNorm batch" (or: "never separate them")
#
# Texts state either as a law, some state both. What is so: with BatchNorm a discriminator does not judge images one by one, so
# the choice changes what it sees. Here is one photograph's logit by the discriminator that you trained: among real images, among fakes, and in a joint batch:

# %% id="joint-batches"
d = copy.deepcopy(discriminator).cpu().train()  # a copy: looking moves running statistics
real = data.to_float(images.padded(32).pixels[:64])
fakes = zoo.sample(recorded_dcgan, 63)
with torch.no_grad():
    alone_with_real = d(real)[0].item()
    alone_with_fakes = d(torch.cat([real[:1], fakes]))[0].item()
    joint = d(torch.cat([real, fakes]))[0].item()
assert len({round(logit, 4) for logit in (alone_with_real, alone_with_fakes, joint)}) == 3
print(
    f"the same photograph: {alone_with_real:+.3f} among real ones, {alone_with_fakes:+.3f} among fakes, {joint:+.3f} in a joint batch"
)

# %% [markdown]
# Which trains better is a matter of measurement, not of law. The recorded run used separate batches, as your step does.
#
# ### "The losses should converge"
#
# You have seen the recorded run: they do not come to rest at log 4 and log 2. With rates that go to 0 one falls and one rises, and neither says how good the images are. Say it in your own words.

# %%
explain("02.why_no_convergence")

# %% [markdown]
# ## Check yourself

# %%
quiz("02.check")

# %% [markdown]
# ## What to keep
#
# - One turn is two steps. D's step sees fakes as data (cut the graph); G's step sends the gradient *through* D into G.
# - D returns logits; the loss does the rest without a rounded logarithm.
# - DCGAN = locality built in (strided, transposed convolutions) + BatchNorm where it helps + an initialisation that keeps signals alive.
# - Sample in eval mode, from averaged weights.
# - A loss curve says who is ahead. How good the images are needs another measure, and you have seen one fall where no loss did.
#
# **Words**: *logit* (log-odds of "real") · *transposed convolution* (paints a kernel per input pixel) · *BatchNorm* (normalises with the
# batch's own statistics) · *[detach](../docs/glossary.md#detach)* (same numbers, no gradient) ·
# *averaged weights, EMA* (a running mean of the generator, which is what we sample) · *Fréchet distance* (chapter 04).
#
# **Further reading**: Radford, Metz, Chintala 2015, [arXiv:1511.06434](https://arxiv.org/abs/1511.06434): section 3 is the recipe, section 6.1 a
# walk through the latent space · Odena, Dumoulin, Olah 2016, [Deconvolution and checkerboard artifacts](https://distill.pub/2016/deconv-checkerboard/):
# what kernel and stride do to each other, drawn · Goodfellow 2016, [arXiv:1701.00160](https://arxiv.org/abs/1701.00160): the tutorial, for its
# section on tips and why none of them is a law.

# %% id="report"
add_to_report(
    "02",
    f"Your DCGAN after {dcgan_steps:,} steps: Fréchet distance {live['fid']:.1f} at N = {samples:,} by the course's classifier, "
    f"sure of {live['sure']:.0%} of its samples; recorded run {dcgan_m['fid']:.2f} at N = {dcgan_m['n']:,}.",
)

# %% id="progress"
progress("02")
