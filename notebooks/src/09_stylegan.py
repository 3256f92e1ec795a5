# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 09 · StyleGAN, architecture: what is gained by mapping the noise first?
#
# The generators so far take $z$ at the bottom and push it upwards. [StyleGAN](../docs/glossary.md#stylegan) (Karras, Laine, Aila 2018) feeds nothing of $z$ into the
# bottom: there lies a constant. $z$ is first turned into another vector $w$, and $w$ sets, layer by layer, how the maps are scaled and shifted. Here you build each part, check it
# against the library, and measure what it is good for. The data are cartoon avatars whose attributes are known exactly.
#
# **You will** write the [equalised learning rate](../docs/glossary.md#equalised-learning-rate), [pixel norm](../docs/glossary.md#pixel-normalisation), the
# [mapping network](../docs/glossary.md#mapping-network), [AdaIN](../docs/glossary.md#adain) and the [fade-in](../docs/glossary.md#fade-in) of a new layer · **you will know** why a normal
# $z$ has to tangle things up, what eight default layers make of $w$, whose statistics AdaIN replaces and by what · **you need** chapters 02 and 03b; chapter 07 helps ·
# **time**: an hour, of which your machine computes about a minute.

# %% id="imports"
import copy

import torch
import torch.nn.functional as F
from course_lib import data, metrics, plots, runtime, training, widgets, zoo
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
from course_lib.models import style
from course_lib.zoo import judging
from matplotlib import colormaps

# %% id="knobs"
# Knobs: steps of the two little trainings, seeds, samples of a measurement.
steps_at_8 = runtime.by_profile(ci=60, laptop=200, gpu=200)
steps_at_16 = runtime.by_profile(ci=40, laptop=160, gpu=160)
look_every = runtime.by_profile(ci=10, laptop=20, gpu=20)
growth_seeds = runtime.by_profile(ci=1, laptop=3, gpu=5)
probed = runtime.by_profile(ci=1000, laptop=3000, gpu=5000)

# %% [markdown]
# ## Two questions on what you know already

# %%
quiz("09.recall")

# %% [markdown]
# ## The avatars
#
# Nine attributes, drawn independently of each other, and one picture that follows from them.

# %% id="avatars"
avatars = data.load("avatars-small")  # 2,000 of them, (2000, 3, 64, 64) uint8
names = data.avatars.named(avatars.attributes[0])
assert avatars.pixels.shape == (2000, 3, 64, 64) and len(names) == 9
plots.image_grids(
    {f"the first: {names['hair']}, {names['skin']}, mouth {names['mouth']}": avatars.pixels[:32]},
    alt=f"32 cartoon avatars with different skin, hair, eyes, mouths, beards, glasses and clothes; the first has {names}.",
    panel=5.0,
)

# %% [markdown]
# ## What had improved by then
#
# Between DCGAN (2015) and StyleGAN (2018) three complaints were worked on: training breaks (stability), images stay small and coarse (capacity), and few of the data's
# variations come out (diversity). Control came last, with StyleGAN.
#
# | what | since | for | in this course |
# |---|---|---|---|
# | gradient penalties, spectral norm, averaged weights | 2017–18 | stability | chapters 03 and 03b |
# | [progressive growing](../docs/glossary.md#progressive-growing), equalised learning rate | 2017 | stability, capacity, time | below |
# | minibatch standard deviation | 2017 | diversity | chapter 03b |
# | mapping network, [styles](../docs/glossary.md#style), noise in every layer | 2018 | control, and better numbers | below and chapter 09b |
#
# ## Why a normal z has to tangle things up
#
# Let a world have two attributes, $x$ and $y$, both from 0 to 1, and let one combination be missing: no pair with both above a half lies in the data (in Karras et al. the example is
# long hair on men). A generator has to reach all the rest from $z \sim \mathcal N(0, I)$, and nothing else.
#
# Suppose it were [disentangled](../docs/glossary.md#disentanglement): $x$ depends on one direction of $z$ only and $y$ on another, at a right angle to it. Coordinates of a normal vector along such
# directions are *independent*. Then $x$ and $y$ would be independent. But where a corner is missing they are not. So no generator of this world reads its attributes off two
# such directions of $z$, however well it is trained. Here is one exact way to fill both worlds, and what a step along $z_1$ does there:


# %% id="corner"
def from_z(z, missing):
    """z (N, 2) → (x, y): exact samples of the square, or of the square without its upper right quarter."""
    u = torch.special.ndtr(z)  # uniform on [0, 1]²
    if not missing:
        return u
    x = torch.where(  # the left half holds two thirds
        u[:, 0] < 2 / 3, 0.75 * u[:, 0], 0.5 + 1.5 * (u[:, 0] - 2 / 3)
    )
    return torch.stack([x, torch.where(x < 0.5, u[:, 1], 0.5 * u[:, 1])], 1)


z = torch.randn(4000, 2, generator=runtime.keyed_generator("cpu", 9, "corner"))
step = torch.tensor([0.8, 0.0])
moved, dependence = {}, {}
for name, missing in (("full square", False), ("a corner missing", True)):
    here, there = from_z(z, missing), from_z(z + step, missing)
    moved[name] = (there - here).abs().mean(0)
    dependence[name] = torch.corrcoef(here.T)[0, 1].item()
assert not ((from_z(z, True) > 0.5).all(1)).any()
assert moved["full square"][1] == 0 and moved["a corner missing"][1] > 0.01
assert abs(dependence["full square"]) < 0.05 < -dependence["a corner missing"]
plots.clouds(
    {
        f"{name}: x moves by {moved[name][0]:.2f}, y by {moved[name][1]:.2f}": (
            from_z(z[:60], missing),
            from_z(z[:60] + step, missing),
        )
        for name, missing in (("full square", False), ("a corner missing", True))
    },
    alt="60 points (x, y) and where a step along z₁ carries them. "
    + "; ".join(
        f"{name}: x moves by {moved[name][0]:.3f} and y by {moved[name][1]:.3f} on average, correlation of x and y {dependence[name]:.2f}"
        for name in moved
    ),
    title="A step along z₁ moves x alone in the full square, and y as well where a corner is missing",
    ellipses=False,
)

# %% [markdown]
# The distribution of $w$ is not fixed: whatever comes out of the mapping is a draw from it. [W](../docs/glossary.md#w-space) may have a missing corner too, and then each attribute may have a direction
# of its own. It *may*. The mapping is trained for one end only, to please the critic, and whether a given W is less tangled than its Z is a question for measurements (below, and in chapter 10).
#
# ## A mapping that arrives
#
# Eight fully connected layers with leaky ReLUs, as many lessons write them: `nn.Linear(d, d)` and `nn.LeakyReLU(0.2)`, eight times.
#
# **Predict.** Nothing is trained yet. Draw 2,000 latents $z$ with deviation 1. How much does an entry of $w$ differ from one latent to another: its deviation is …

# %%
predict("09.default_mapping", ["about 1", "about 0.1", "about 0.01", "below 0.001"])

# %% [markdown]
# What goes wrong is the scale of the weights, and the cure is a habit of StyleGAN in all its layers. Weights are *stored* as $\mathcal N(0, 1)$ and multiplied, at every call, by a constant:
#
# $$y = x \, (c\,W)^\top + \lambda\, b, \qquad c = \frac{\lambda}{\sqrt{\text{number of inputs}}}$$
#
# λ, the `lr_multiplier`, is 1 nearly everywhere and 0.01 in the mapping network, where weight and bias are *stored* 1/λ times as large. At the start that changes nothing. It changes how fast they learn.


# %%
@exercise("09.equalised_linear")
def equalised_linear(x, weight, bias, lr_multiplier=1.0):
    """A linear layer whose stored weights are scaled at every call.

    x: (N, in);  weight: (out, in), bias: (out,), as they are stored, both to be left alone.  Returns (N, out),
    differentiable in weight and bias."""
    ...  # your code


# %% [markdown]
# Why not once, at the start? Because of Adam. Its step is about the learning rate, whatever the size of the gradient. A layer with 400 inputs whose weights are *drawn* with deviation
# $1/\sqrt{400}$ is then changed by a larger share of its weights than a layer with 4. Stored as $\mathcal N(0, 1)$ they are all changed by the same share.

# %% id="one-adam-step"
lr = 0.01
share = {"drawn small": [], "scaled at each call": []}
wide = [4, 16, 64, 400]
draw = runtime.keyed_generator("cpu", 9, "adam")
for inputs in wide:
    x = torch.randn(64, inputs, generator=draw)
    for name in share:
        weight = torch.randn(32, inputs, generator=draw)
        weight = (weight / inputs**0.5 if name == "drawn small" else weight).requires_grad_()
        y = F.linear(x, weight) if name == "drawn small" else equalised_linear(x, weight, torch.zeros(32))
        before = weight.detach().clone()
        y.square().mean().backward()
        torch.optim.Adam([weight], lr=lr).step()
        share[name].append(((weight.detach() - before).norm() / before.norm()).item())
assert share["drawn small"][-1] > 5 * share["drawn small"][0]
assert max(share["scaled at each call"]) < 1.5 * min(share["scaled at each call"])
plots.curves(
    wide,
    share,
    title=f"One step of Adam (rate {lr}) changes a layer of 400 inputs by {share['drawn small'][-1]:.0%} if drawn small, "
    f"by {share['scaled at each call'][-1]:.1%} if scaled",
    xlabel="inputs of the layer",
    ylabel="change relative to the weights",
    log_x=True,
    log_y=True,
)

# %% [markdown]
# The mapping network is to learn a hundred times as slowly as the rest: all layers hang on it. Storing its weights 100 times as large does just that.
# (StyleGAN saw 25 million images. The network below saw 320 thousand, and its mapping learns at a fiftieth of the rate.)
#
# The second part is what $z$ is divided by. In many dimensions the length of $z$ hardly varies, and what is left of it carries nothing. Pixel norm takes it away. (Its name comes from ProGAN, where it was applied
# to the vector of channels at each pixel after every layer of the generator. In StyleGAN this place of it is all that is left: AdaIN has taken the others.)
#
# $$\hat x_c = \frac{x_c}{\sqrt{\frac1C \sum_{c'} x_{c'}^2 + 10^{-8}}}$$


# %%
@exercise("09.pixel_norm")
def pixel_norm(x):
    """Each vector along dimension 1 divided by the root of its mean square.

    x: (N, C) or (N, C, H, W); vectors of zeros stay zeros.  Returns the same shape."""
    ...  # your code


# %% [markdown]
# Now the network. Every layer, the last one too, ends with a leaky ReLU of slope 0.2, times √2: that keeps the mean square of what passes it (½·(1 + 0.2²)·2 = 1.04).


# %%
@exercise("09.mapping")
def mapping(z, weights, biases, lr_multiplier=0.01):
    """z → w: pixel norm once, then for each weight an equalised linear layer and √2 times a leaky ReLU of slope 0.2.

    z: (N, d);  weights: list of (out, in), biases: list of (out,), as they are stored.  Returns (N, w_dim)."""
    ...  # your code


# %% id="mapping-by-depth"
d = 128
torch.manual_seed(9)
z = torch.randn(2000, d)
ours = style.Mapping(d, d)
weights, biases = (
    [each.weight.detach() for each in ours.layers],
    [each.bias.detach() for each in ours.layers],
)
plain = [torch.nn.Linear(d, d) for _ in range(8)]  # PyTorch's default: uniform, deviation 1/√(3·inputs)
with torch.no_grad():
    torch.testing.assert_close(mapping(z, weights, biases), ours(z))
    depth = range(1, 9)
    spread = {
        "default layers": [],
        "equalised": [mapping(z, weights[:k], biases[:k]).std(0).mean().item() for k in depth],
    }
    x = z
    for layer in plain:
        x = F.leaky_relu(layer(x), 0.2)
        spread["default layers"].append(x.std(0).mean().item())
    w_default = x
by_theory = (1 / 3 * 0.52) ** 0.5  # √(variance of a weight × inputs × what the leaky ReLU lets pass)
assert spread["default layers"][-1] < 1e-3 and 0.5 < spread["equalised"][-1] < 0.7
# behind the first layer: of the 0.52 a part, (0.8²)/(2π), is the square of a mean, and varies with no latent
assert abs(spread["default layers"][0] - ((0.52 - 0.64 / (2 * torch.pi)) / 3) ** 0.5) < 0.02
plots.curves(
    list(depth),
    {**spread, "(√0.173)ᵏ": [by_theory**k for k in depth]},
    title=f"From one latent to another an entry of w varies by {spread['default layers'][-1]:.4f} after eight default layers, by {spread['equalised'][-1]:.2f} in StyleGAN's mapping",
    xlabel="layers passed",
    ylabel="deviation over latents",
    log_y=True,
)

# %% id="reveal-default-mapping"
final = spread["default layers"][-1]
reveal(
    "09.default_mapping",
    "below 0.001"
    if final < 1e-3
    else "about 0.01"
    if final < 0.03
    else "about 0.1"
    if final < 0.3
    else "about 1",
    f"{final:.5f}. A default layer's weights have variance 1/(3·inputs), and the leaky ReLU lets half of the square pass, so each layer keeps about a sixth of the variance between latents. "
    f"(The estimate ends at {by_theory**8:.5f}: it counts mean squares, and behind a leaky ReLU a part of them is a mean that all latents share.) The biases stay: w has a length of {w_default.norm(dim=1).mean():.2f}, nearly the same for every z. Whatever comes after it sees one and the same vector.",
)

# %% [markdown]
# ## Whose statistics? Five normalisations
#
# A batch of maps is a box (N, C, H, W). To normalise is to subtract a mean and divide by a deviation (pixel norm only divides), and the only question is: over which part of the box are they taken? One square below is one map. What has one colour is
# normalised together.


# %% id="five-normalisations"
n, c, side = 3, 4, 4
every = torch.arange(n)[:, None], torch.arange(c)[None, :]
together = {
    "batch": (0 * every[0] + every[1]),
    "layer": (every[0] + 0 * every[1]),
    "group (2 groups)": (2 * every[0] + every[1] // 2),
    "instance": (c * every[0] + every[1]),
}
palette = torch.tensor(
    [
        [0, 114, 178],
        [230, 159, 0],
        [0, 158, 115],
        [204, 121, 167],
        [86, 180, 233],
        [213, 94, 0],
        [240, 228, 66],
        [150, 150, 150],
        [0, 60, 110],
        [160, 100, 0],
        [0, 90, 60],
        [120, 60, 100],
    ],
    dtype=torch.uint8,
)
sheets = {
    name: palette[index.flatten()][:, :, None, None].expand(-1, -1, 4, 4)
    for name, index in together.items()
}
hues = (torch.from_numpy(colormaps["turbo"](range(0, 256, 5))[:48, :3]) * 255).to(torch.uint8)
places = (19 * torch.arange(48) % 48).reshape(n, 4, 4)  # a colour of its own for each place of each image
sheets["pixel (each place alone)"] = hues[places].permute(0, 3, 1, 2).repeat_interleave(c, 0)
plots.image_grids(
    sheets,
    columns=c,
    panel=2.2,
    apart=0.08,
    title=f"{n} images (rows) of {c} channels: one colour, normalised together",
    alt="Which maps are normalised together: batch normalisation one column, layer normalisation one row, group normalisation half a row, instance normalisation one map, "
    "pixel norm the channels of one place.",
)

# %% [markdown]
# [Layer](../docs/glossary.md#layer-normalisation) and [instance normalisation](../docs/glossary.md#instance-normalisation) are the two ends of [group normalisation](../docs/glossary.md#group-normalisation), and only BatchNorm lets images of a batch see each other:

# %% id="normalisations-compared"
x = torch.randn(3, 4, 5, 5, generator=runtime.keyed_generator("cpu", 9, "box")) * 2 + 1
over = {"batch": (0, 2, 3), "layer": (1, 2, 3), "instance": (2, 3)}
by_hand = {
    name: (x - x.mean(dims, keepdim=True)) / (x.var(dims, correction=0, keepdim=True) + 1e-5).sqrt()
    for name, dims in over.items()
}
torch.testing.assert_close(by_hand["batch"], F.batch_norm(x, None, None, training=True))
torch.testing.assert_close(by_hand["layer"], F.layer_norm(x, x.shape[1:]))
torch.testing.assert_close(by_hand["instance"], F.instance_norm(x))
torch.testing.assert_close(F.group_norm(x, 1), by_hand["layer"])
torch.testing.assert_close(F.group_norm(x, 4), by_hand["instance"])
louder = torch.cat([x[:1], 10 * x[1:]])  # the neighbours change, the first image does not
changed = {
    "batch": (F.batch_norm(louder, None, None, training=True)[0] - by_hand["batch"][0]).abs().max().item(),
    "layer": (F.layer_norm(louder, x.shape[1:])[0] - by_hand["layer"][0]).abs().max().item(),
    "instance": (F.instance_norm(louder)[0] - by_hand["instance"][0]).abs().max().item(),
}
for name, value in changed.items():
    print(
        f"the neighbours ten times as loud: the first image changes by up to {value:.3f} under {name} norm"
    )
assert changed["batch"] > 0.5 and max(changed["layer"], changed["instance"]) < 1e-5

# %% [markdown]
# ## AdaIN: a style is a scale and a shift
#
# Adaptive instance normalisation takes from each map its mean μ and deviation σ, and gives it others:
#
# $$\text{AdaIN}(x_i, y) = y_{s,i}\, \frac{x_i - \mu(x_i)}{\sigma(x_i)} + y_{b,i}$$
#
# $i$ numbers the maps of one image. $y = (y_s, y_b)$ is the *style* of this layer: a learned linear function of $w$, two numbers for each channel.


# %%
@exercise("09.adain")
def adain(x, scale, shift):
    """Each map of each image normalised by its own statistics, then scaled and shifted by its style.

    x: (N, C, H, W);  scale, shift: (N, C).  Variance over all places, plus 1e-8.  Returns (N, C, H, W)."""
    ...  # your code


# %% [markdown]
# **Predict.** Multiply everything that enters AdaIN by 7 and subtract 2. What comes out is …

# %%
predict("09.adain_input", ["7 times as large", "shifted by −2", "the same"])

# %% id="adain-input"
layer = style.AdaIN(4, d)
w = torch.randn(3, d, generator=runtime.keyed_generator("cpu", 9, "w"))
with torch.no_grad():
    scale, shift = layer.style(w).chunk(2, 1)
    out, after = adain(x, scale, shift), adain(7 * x - 2, scale, shift)
    torch.testing.assert_close(out, layer(x, w))
torch.testing.assert_close(out.mean((2, 3)), shift, atol=1e-5, rtol=0)
torch.testing.assert_close(out.std((2, 3), correction=0), scale.abs(), atol=1e-4, rtol=0)
difference = (out - after).abs().max().item()
reveal(
    "09.adain_input",
    "the same" if difference < 1e-3 else "7 times as large",
    f"The largest difference is {difference:.1e}. Mean and deviation of what came in are gone; those that go out are the style's shift and the size of its scale, to rounding. So a style rules until the "
    "next AdaIN and no further: each layer's overwrites the one before. That is why styles can be mixed layer by layer (chapter 09b).",
)

# %% [markdown]
# ## The maps before and after
#
# Sixteen maps of one layer, left as they leave the convolution and its activation, right as AdaIN hands them on; grey is 0, and both sides have one range. Move through the layers. `style × ` stretches the style's
# difference from the mean one.

# %% id="adain-widget"
generator, card = zoo.load("style-avatars-32")  # trained on avatars; what it reaches comes below
generator = generator.cpu()
assert card["kimg"] == 320 and generator.mapping.layers[0].lr_multiplier == 1 / 50
maps = widgets.adain_maps(generator)
maps

# %% [markdown]
# ## The whole generator in a dozen lines
#
# A learned [constant](../docs/glossary.md#constant-input) of 4×4 at the bottom; two layers at each resolution: convolution, noise, bias, leaky ReLU, AdaIN; the first of them doubles height and width after its convolution, and blurs. The last maps
# are turned into colours by a 1×1 convolution. This is the [synthesis network](../docs/glossary.md#synthesis-network), run with your `adain`:


# %% id="synthesis"
def synthesise(synthesis, w, noise):
    """What synthesis(w, noise) computes at full resolution, in the open. w: (N, w_dim) → (N, 3, size, size)"""
    x = synthesis.constant.expand(len(w), -1, -1, -1)
    for layer, each in zip(synthesis.layers, noise):
        if layer.conv is not None:
            x = F.conv2d(x, layer.conv.weight * layer.conv.scale, padding=1)  # equalised here too
        if layer.up:
            x = style.upsample_blurred(x)
        x = x + layer.noise.amount[:, None, None] * each + layer.bias[:, None, None]
        x = adain(F.leaky_relu(x, 0.2), *layer.adain.style(w).chunk(2, 1))
    return synthesis.to_rgb[-1](x)


z = torch.randn(8, generator.latent_dim, generator=runtime.keyed_generator("cpu", 9, "z"))
w = generator.mapping(z)
noise = generator.synthesis.noise(8, runtime.keyed_generator("cpu", 9, "noise"))
torch.testing.assert_close(
    synthesise(generator.synthesis, w, noise), generator.synthesis(w, noise), atol=1e-4, rtol=1e-4
)
same_w = synthesise(generator.synthesis, w[:1].expand(8, -1), [each[:1] for each in noise])
assert (same_w - same_w[0]).abs().max() < 1e-4  # z has no other way in than through w
parameters = {
    part: sum(each.numel() for each in getattr(generator, part).parameters())
    for part in ("mapping", "synthesis")
}
print(
    f"32×32: {parameters['mapping']:,} parameters in the mapping, {parameters['synthesis']:,} in the synthesis"
)

# %% [markdown]
# ## Growing
#
# Progressive growing trains at 4×4 first, where there is little to get wrong and a step costs little, then adds a layer for 8×8, and so on; all layers stay trainable. But a new layer is untrained, and the critic would see
# nothing of what was learned. So it is faded in, with α rising from 0 to 1:
#
# $$\text{image} = (1 - \alpha)\cdot \text{enlarged}(\text{image before}) + \alpha \cdot \text{new image}$$


# %%
@exercise("09.fade_in")
def fade_in(before, image, alpha):
    """The old image, every pixel drawn four times, fading into the new one.

    before: (N, C, H, W);  image: (N, C, 2H, 2W);  alpha: 0 to 1.  Returns (N, C, 2H, 2W)."""
    ...  # your code


# %% [markdown]
# The critic is faded too: beside its new block it also sees the image averaged down, as before. With both, α = 0 *is* the stage before, to the last bit:

# %% id="nothing-changes"
critic = style.Discriminator(width=24, size=32, most=64).eval().requires_grad_(False)
with torch.no_grad():
    generator.grow(16), critic.grow(16)
    old = generator.synthesis(w)
    old_logits = critic(old)
    generator.grow(32, alpha=1.0)
    new = generator.synthesis(w)
    faded = {}
    for alpha in (0.0, 0.25, 0.5, 1.0):
        generator.grow(32, alpha), critic.grow(32, alpha)
        faded[alpha] = generator.synthesis(w)
        torch.testing.assert_close(fade_in(old, new, alpha), faded[alpha])
        if alpha == 0:
            assert torch.equal(faded[alpha], style.upsample(old))
            torch.testing.assert_close(critic(faded[alpha]), old_logits)
print("α = 0: the enlarged 16×16 image and the logits of before; α = 1: the new layer alone")

# %% [markdown]
# What is it worth? Train a small pair at 8×8 on the avatars, then add 16×16 twice from the same state: at once (α = 1), and faded in over the first half of the steps. Real images are faded as well, since the
# critic must not be able to tell them by their sharpness. The distance is a Fréchet distance of the images averaged to 8×8, 192 numbers each, 500 against 500.
#
# **Predict.** Right after 16×16 has been added *at once*, before any training step, the distance is …

# %%
predict("09.jump", ["as before", "up to twice as large", "more than twice as large"])

# %% id="growth-runs"
scaled = {side: F.avg_pool2d(data.to_float(avatars.pixels), 64 // side) for side in (8, 16)}


def distance(generator, side):
    """Fréchet distance of 500 samples to 500 avatars, both averaged to 8×8."""
    generator.eval()
    with torch.no_grad():
        fake = generator(torch.randn(500, 32, generator=runtime.keyed_generator("cpu", "look")))
    generator.train()
    pairs = [F.interpolate(each, 8, mode="area").flatten(1) for each in (scaled[side][:500], fake)]
    return metrics.fid(*pairs)


def train(generator, critic, side, steps, alpha, seed):
    """[(step, distance)] of a run at one resolution; alpha(step) is the share of the newest layer."""
    optimizers = [
        torch.optim.Adam(each.parameters(), lr=2e-3, betas=(0.0, 0.99)) for each in (critic, generator)
    ]
    told = []
    for step in range(steps + 1):
        share = alpha(step)
        generator.grow(side, share), critic.grow(side, share)
        if step % look_every == 0:
            told.append((step, distance(generator, side)))
        draw = runtime.keyed_generator("cpu", seed, side, step)
        real = scaled[side][torch.randint(len(avatars), (16,), generator=draw)]
        if share < 1:
            real = fade_in(F.avg_pool2d(real, 2), real, share)
        z = torch.randn(2, 16, 32, generator=draw)
        training.discriminator_step(generator, critic, optimizers[0], real, z[0])
        training.generator_step(generator, critic, optimizers[1], z[1])
    return told


grown = {"at once": [], "faded in": []}
before_growth = []
for seed in range(growth_seeds):
    torch.manual_seed(seed)
    small = style.Generator(latent_dim=32, width=8, size=16, most=32)
    judge = style.Discriminator(width=8, size=16, most=32)
    before_growth.append(train(small, judge, 8, steps_at_8, lambda step: 1.0, seed)[-1][1])
    for name, alpha in (
        ("at once", lambda step: 1.0),
        ("faded in", lambda step: min(1.0, 2 * step / steps_at_16)),
    ):
        torch.manual_seed(seed)
        pair = copy.deepcopy(small), copy.deepcopy(judge)
        grown[name].append(train(*pair, 16, steps_at_16, alpha, seed))
looked_at = [step for step, _ in grown["at once"][0]]
mean_of = {
    name: torch.tensor([[value for _, value in run] for run in runs]).mean(0).tolist()
    for name, runs in grown.items()
}
before_jump = sum(before_growth) / growth_seeds
assert mean_of["faded in"][0] < 1.2 * before_jump < mean_of["at once"][0]
plots.curves(
    looked_at,
    mean_of,
    title=f"Before growing {before_jump:.0f}. Added at once: {mean_of['at once'][0]:.0f}, then {mean_of['at once'][-1]:.0f}; "
    f"faded in: at most {max(mean_of['faded in']):.0f}, then {mean_of['faded in'][-1]:.0f}",
    xlabel=f"steps at 16×16 (means of {growth_seeds} {'run' if growth_seeds == 1 else 'runs'})",
    ylabel="Fréchet distance at 8×8 pixels",
)

# %% id="reveal-jump"
factor = mean_of["at once"][0] / before_jump
better = min(mean_of, key=lambda name: mean_of[name][-1])
reveal(
    "09.jump",
    "as before" if factor < 1.1 else "up to twice as large" if factor <= 2 else "more than twice as large",
    f"{factor:.1f} times as large: {before_jump:.1f} before, {mean_of['at once'][0]:.1f} with the untrained layer; at α = 0 it is {mean_of['faded in'][0]:.1f}. Fading does not abolish the cost, it spreads it: the highest "
    f"value on the way is {max(mean_of['faded in']):.1f}. After {steps_at_16} steps the run that was grown {better} ends at the lower distance ({mean_of['at once'][-1]:.1f} at once, {mean_of['faded in'][-1]:.1f} faded in). "
    "These are small networks and short runs. StyleGAN2 gave growing up altogether.",
)

# %% [markdown]
# ## The zoo's network, growing
#
# The same 24 latents at every recorded moment of the training of `style-avatars-32`, from 4×4 on. Look at what is settled at 8×8 already, and at what the next stage does to it.

# %% id="growth-widget"
scrubber = widgets.growth_scrubber("style-avatars-32")
assert [each.resolution for each in scrubber.moments] == sorted(
    each.resolution for each in scrubber.moments
)
scrubber

# %% [markdown]
# ## What came of it
#
# Networks of the zoo that were trained on avatars, each judged by 10,000 samples in the features (128) and attributes of the course's classifier. The distance is not a published FID; the entropy is summed over the nine attributes,
# in nats.

# %% id="what-came-of-it"
trained = [
    each for each in ("dcgan-avatars", "style-avatars-32", "style-avatars-64") if each in zoo.names()
]
cards = {each: zoo.card(each) for each in trained}
assert all(facts["config"]["steps"] * facts["config"]["batch_size"] == 320_000 for facts in cards.values())
shown = {"distance": "fid", "KID": "kid", "precision": "precision", "recall": "recall"}
print(f"{'':18}" + "".join(f"{column:>11}" for column in (*shown, "entropy")) + f"{'weights of G':>14}")
for each, facts in cards.items():
    block = facts["measured"]["classifier-avatars"]
    assert block["n"] == 10_000 and block["network"] == facts["sha256"]["network.safetensors"]
    print(
        f"{each:18}"
        + "".join(f"{block['metrics'][metric]['samples']['value']:11.3g}" for metric in shown.values())
        + f"{facts['metrics']['attribute_entropy']:11.2f}{facts['parameters']['generator']:14,}"
    )
real = {metric: block["metrics"][metric]["floor"]["value"] for metric in shown.values()}  # training avatars
print(
    f"{'avatars':18}"
    + "".join(f"{value:11.3g}" for value in real.values())
    + f"{facts['metrics']['real_attribute_entropy']:11.2f}"
)
by = {each: facts["measured"]["classifier-avatars"]["metrics"] for each, facts in cards.items()}
for each in ("style-avatars-32", "style-avatars-64"):
    for metric, sign in (("fid", -1), ("kid", -1), ("precision", 1), ("recall", -1)):
        ours, dcgans = by[each][metric]["samples"], by["dcgan-avatars"][metric]["samples"]
        assert sign * (ours["value"] - dcgans["value"]) > 2 * (ours["error"] + dcgans["error"])
assert generator.synthesis.layers[3].conv.lr_multiplier == 3  # times the rate of the rest
drawn = zoo.sample(generator, probed, seed=9)
plots.image_grids(
    {
        "style-avatars-32, uncurated": drawn[:40],
        "avatars, averaged to 32×32": data.load("avatars-small-32").pixels[:40],
    },
    alt="40 uncurated samples of the StyleGAN beside 40 avatars.",
    title=f"Distance {by['style-avatars-32']['fid']['samples']['value']:.1f} after {card['kimg']:,.0f} thousand images at ψ = 1",
)

# %% id="at-64"
assert cards["style-avatars-64"]["hardware"]["threads"] == "1"
plots.image_grids(
    {
        "style-avatars-64, uncurated": zoo.sample(zoo.load("style-avatars-64")[0], 24, seed=9),
        "avatars, 64×64": data.load("avatars-small").pixels[:24],
    },
    columns=6,
    panel=4.2,
    alt="24 uncurated samples of the StyleGAN at 64×64 beside 24 avatars.",
    title=f"One doubling more: distance {by['style-avatars-64']['fid']['samples']['value']:.1f} after as many images, in {cards['style-avatars-64']['minutes']:.0f} minutes on one thread",
)

# %% [markdown]
# All three saw as many avatars, 320 thousand. The style-based generator is nearer to them, by the distance and by KID, and its samples lie among them more often than the DCGAN's (precision); they also reach fewer of them (recall). One number
# would have told half of this.
#
# What you see is StyleGAN's generator; its critic is chapter 03b's. Against the critic of the paper, with the non-saturating loss and lazy R1, a style-based generator of 262 thousand weights had come to a distance of 72 after as many images.
# Most of the way from there came with the critic: residual, told real from fake in pairs, with R1 and R2, and growing too. The rest came with smaller batches and faster rates, three times as fast again for the convolutions: under Adam a weight of deviation 1 (equalised)
# moves slowly for its size, so a rate that suits weights of deviation 0.05 is twenty times too small for it. ([The trials](../docs/decisions.md).)
#
# And the question of this chapter. Read each attribute off $z$, and off $w$, with a straight cut: a least-squares reading, fitted on half of the samples and scored on the other half. If $w$ is less tangled, it is read better.
#
# **Predict.** Averaged over the nine attributes, the straight reading of $w$ is right …

# %%
predict("09.z_or_w", ["more often than that of z", "about as often", "less often"])


# %% id="z-or-w"
def read_straight(codes, labels, ridge=1.0):
    """Share of the second half whose label a least-squares reading of the codes, fitted on the first half, gets right."""
    codes = (codes - codes.mean(0)) / codes.std(0)  # both codes on one scale
    codes = torch.cat([codes, torch.ones(len(codes), 1)], 1).double()
    half = len(codes) // 2
    targets = F.one_hot(labels, int(labels.max()) + 1).double()
    fitted, told = codes[:half], targets[:half]
    solved = torch.linalg.solve(
        fitted.T @ fitted + ridge * torch.eye(codes.shape[1]).double(), fitted.T @ told
    )
    return ((codes[half:] @ solved).argmax(1) == labels[half:]).double().mean().item()


z = torch.randn(probed, generator.latent_dim, generator=runtime.keyed_generator("cpu", 9, "sample"))
seen = judging.attributes_of(drawn)
with torch.no_grad():
    w = generator.mapping(z)
reading = {
    name: (read_straight(z, labels), read_straight(w, labels), labels.bincount().max().item() / probed)
    for name, labels in zip(data.avatars.ATTRIBUTES, seen.T)
}
print(f"{'':14} {'from z':>7} {'from w':>7} {'commonest value':>16}   (N = {probed // 2:,} held out)")
for name, row in reading.items():
    print(f"{name:14} {row[0]:7.0%} {row[1]:7.0%} {row[2]:16.0%}")
from_z, from_w = (sum(row[i] for row in reading.values()) / 9 for i in (0, 1))

# %% id="reveal-z-or-w"
gain = from_w - from_z
reveal(
    "09.z_or_w",
    "more often than that of z" if gain > 0.02 else "less often" if gain < -0.02 else "about as often",
    f"{from_w:.1%} from w, {from_z:.1%} from z, {sum(row[2] for row in reading.values()) / 9:.1%} by always naming the commonest value. Our avatars' attributes are drawn independently of each other, so no corner is missing and nothing forces z to tangle them; "
    "what is gained with w in this data set is what you see here, on this network. Chapter 10 asks again, with path lengths.",
)

# %% [markdown]
# ## What StyleGAN2 changed, and why
#
# | StyleGAN | trouble | [StyleGAN2](../docs/glossary.md#stylegan2) |
# |---|---|---|
# | AdaIN normalises each map by what it holds | how strong maps are relative to each other is lost; the network carried it on in one bright spot of a map (droplets) | the *kernel* is scaled by the style and divided by the deviation that its output would have |
# | progressive growing | details stuck to places of the grid; a schedule to tune | all resolutions at once, skip connections in G, residual ones in D |
# | R1 at every step | one more pass backwards in each | lazy: every 16th step, 16 times as strong |
# | path length measured afterwards | | path length as a regulariser (chapter 10 measures it) |
#
# The first of these in a few lines: two output maps, the kernel of one twenty times as large as the other's.

# %% id="demodulation"
draw = runtime.keyed_generator("cpu", 9, "demodulation")
x = torch.randn(64, 2, 16, 16, generator=draw)
kernel = torch.randn(2, 2, 3, 3, generator=draw)
kernel[0] *= 20  # the first output map is strong
ones, zeros = torch.ones(64, 2), torch.zeros(64, 2)
quiet = x.clone()
quiet[:32] *= 0.1  # half of the images are faint
answers = {
    "AdaIN": adain(F.conv2d(quiet, kernel), ones, zeros),
    "demodulated": F.conv2d(quiet, kernel / (kernel.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()),
}
deviation = {name: each.std((2, 3)).unflatten(0, (2, 32)).mean((1, 2)) for name, each in answers.items()}
for name, (faint, strong) in deviation.items():
    print(f"{name:12} deviation of a map: {faint:.2f} for faint images, {strong:.2f} for the others")
assert abs(deviation["AdaIN"][0] - deviation["AdaIN"][1]) < 0.02
assert abs(deviation["demodulated"][1] - 1) < 0.1 and deviation["demodulated"][0] < 0.2

# %% [markdown]
# Both take the factor 20 of the kernel out. AdaIN also takes out what the *image* had to say; demodulation assumes inputs of deviation 1 and lets a faint map stay faint.
#
# ## What people get wrong
#
# ### "The initialisation does not matter, training will sort it out"
#
# Put the eight default layers, and an untrained mapping network, in front of an untrained synthesis. How different are the images of 64 latents, and how much gradient reaches the first layer of the mapping?


# %% id="squeezed-images"
class Default(torch.nn.Sequential):
    """Eight default layers in place of the mapping network."""

    def __init__(self, d):
        super().__init__(
            *(layer for _ in range(8) for layer in (torch.nn.Linear(d, d), torch.nn.LeakyReLU(0.2)))
        )


torch.manual_seed(0)
untrained = style.Generator(latent_dim=64, width=12, size=32, most=64).synthesis
variety, slope = {}, {}
latents = torch.randn(64, 64, generator=runtime.keyed_generator("cpu", 9, "latents"))
for name, front in (("default layers", Default(64)), ("StyleGAN's mapping", style.Mapping(64, 64))):
    images = untrained(front(latents))
    variety[name] = images.std(0).mean().item()
    first = next(front.parameters())
    images.std(0).mean().backward()  # how fast variety itself can be learned
    slope[name] = (first.grad.norm() * first.detach().norm()).item()  # per relative change of the weights
for name in variety:
    print(
        f"{name:20} deviation between images {variety[name]:.5f}, slope of it in the first layer {slope[name]:.1e}"
    )
assert variety["default layers"] < 0.02 * variety["StyleGAN's mapping"]

# %% [markdown]
# Sixty-four latents, one image. It is a collapse before the first step, and the gradient that could undo it passes the same eight layers on its way back.
#
# ### "Equalised learning rate is an initialisation"
#
# At the start the two layers above compute the same distribution. After one step of Adam they do not (the figure with 400 inputs). A cell that draws small weights and multiplies nothing has the initialisation and not the learning rate.
#
# ### "AdaIN's scale and shift are the statistics of the style image"
#
# In style transfer (Huang, Belongie 2017), where the name comes from, they are: mean and deviation of a second image's maps. StyleGAN has no second image. If its scale were a deviation it could not be negative:

# %% id="negative-scales"
with torch.no_grad():
    w = generator.mapping(
        torch.randn(64, generator.latent_dim, generator=runtime.keyed_generator("cpu", 9, "signs"))
    )
    scales = torch.cat(
        [layer.adain.style(w).chunk(2, 1)[0].flatten() for layer in generator.synthesis.layers]
    )
    negative = (scales < 0).double().mean().item()
print(f"{negative:.0%} of {len(scales):,} scales of the trained network are negative")
assert negative > 0

# %% [markdown]
# ### "StyleGAN's generator has pixel norm in its layers"
#
# ProGAN's has. Here AdaIN has replaced it: the mean square over the channels of a place is free.

# %% id="no-pixel-norm"
with torch.no_grad():
    x = generator.synthesis.through(
        generator.synthesis.constant.expand(64, -1, -1, -1),
        w[:, None].expand(-1, 8, -1),
        generator.synthesis.noise(64),
        0,
        8,
    )
    squares = x.square().mean(1)
    normed = pixel_norm(x).square().mean(1)
print(
    f"mean square over channels: {squares.quantile(0.05):.2f} to {squares.quantile(0.95):.2f} (5 % to 95 % of places); after pixel norm {normed.min():.2f} to {normed.max():.2f}"
)
assert squares.std() > 0.1 and (normed - 1).abs().max() < 1e-3

# %% [markdown]
# ### "When the network grows, what it knows is frozen"
#
# Nothing is frozen. At α = ½ a gradient reaches every layer, old and new:

# %% id="nothing-frozen"
trainable = style.Generator(latent_dim=32, width=8, size=16, most=32)
trainable.grow(16, 0.5)
trainable(torch.randn(4, 32)).square().mean().backward()
reached = [each.adain.style.weight.grad.norm().item() > 0 for each in trainable.synthesis.layers]
print(f"layers reached by a gradient at α = ½: {sum(reached)} of {len(reached)}")
assert all(reached)

# %% [markdown]
# ## In your own words

# %%
explain("09.words")

# %%
quiz("09.check")

# %% [markdown]
# ## What to keep
#
# - Attributes read off two directions of a normal z at a right angle are independent. Where data lack a combination, z must tangle; W need not, whether it does is measured.
# - Eight default layers shrink what z has to say to a thousandth. z normalised, weights of effective deviation 1/√inputs, √2 behind the leaky ReLU: it arrives with more than half of its deviation.
# - Equalised learning rate: stored N(0, 1), scaled at every call, so that Adam changes all layers by one share. It is no initialisation.
# - AdaIN replaces each map's mean and deviation by the style's. The style is computed from w. Each layer's overwrites the one before.
# - Growing: α = 0 is the stage before, exactly, in both networks. Fading spreads the cost of a new layer.
# - Normalisations differ in whose statistics they take. Only BatchNorm lets images see each other.
#
# Further reading: Karras, Laine, Aila 2018 ([arXiv:1812.04948](https://arxiv.org/abs/1812.04948)) for the architecture, section 2, and entanglement, section 4; Karras et al. 2017
# ([arXiv:1710.10196](https://arxiv.org/abs/1710.10196)) for growing, section 2, and the equalised learning rate, section 4.1; Karras et al. 2019 ([arXiv:1912.04958](https://arxiv.org/abs/1912.04958)) for what was wrong with it,
# sections 2 and 4; Huang, Belongie 2017 ([arXiv:1703.06868](https://arxiv.org/abs/1703.06868)) for AdaIN with a style image; Wu, He 2018 ([arXiv:1803.08494](https://arxiv.org/abs/1803.08494)) for the picture of the normalisations, figure 2.

# %% id="running-on"
running_on("09")


# %% id="report"
dcgan = zoo.load("dcgan-fashion")[0]
z = torch.randn(probed, dcgan.latent_dim, generator=runtime.keyed_generator("cpu", 9, "report"))
with torch.inference_mode():
    drawn = torch.cat([dcgan(rows.to(runtime.device())).float().cpu() for rows in z.split(250)])
labels = judging.classify(drawn)[1].argmax(1)
straight, largest = read_straight(z, labels), labels.bincount().max().item() / probed
add_to_report(
    "09",
    f"The recorded DCGAN of chapter 02: a straight reading of z tells the class of {straight:.0%} of {probed // 2:,} samples (always naming the commonest: {largest:.0%}); "
    "it has one way in for z, at the bottom, and no style.",
)

# %% id="progress"
progress("09")
