# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 10 · Interpolation and perceptual path length: is the way between two images a smooth one?
#
# Take two latents and walk from one to the other. If a generator had learned its training images by heart, the way would be a jump from one to the next; where it has
# learned what lies between, the images change little by little. Here you write the two ways that everybody uses, find out what is true of the one that is
# said to be better, and then measure smoothness itself: in which distance, over how short a step, in which space.
#
# **You will** write [lerp](../docs/glossary.md#linear-interpolation), [slerp](../docs/glossary.md#spherical-interpolation), the normalisation of
# [LPIPS](../docs/glossary.md#lpips) and [perceptual path length](../docs/glossary.md#perceptual-path-length) · **you will know** what slerp keeps and what it does not, what a path
# length is a mean of, when its ε is too long or too short, and what W has over Z · **you need** chapters 02 and 04; 09 for the second half · **time**: an hour
# and a quarter, of which your machine computes under a minute.

# %% id="imports"
import math
from dataclasses import replace

import torch
from course_lib import data, metrics, plots, runtime, ways, widgets, zoo
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
from course_lib.metrics.path_length import PATHS, PathProtocol, seen, trim
from course_lib.models import lpips
from course_lib.zoo import smoothness
from course_lib.zoo.judging import classify

# %% id="knobs"
# Knobs: pairs of latents that are judged in the middle, pairs that are walked in ten images, paths of a path length, and so on.
pairs = runtime.by_profile(ci=80, laptop=1000, gpu=5000)
walks = runtime.by_profile(ci=30, laptop=100, gpu=500)
paths = runtime.by_profile(ci=60, laptop=400, gpu=5000)
points = runtime.by_profile(ci=1000, laptop=6000, gpu=20000)
STYLE = "style-avatars-32"

# %% [markdown]
# ## Two questions on what you know already

# %%
quiz("10.recall")

# %% [markdown]
# ## Ten images from one to the other
#
# An exercise of the lesson that this course grew from: two latents, ten steps, an image at each. The plain way is straight. At the share $t$ of the way,
#
# $$\text{lerp}(a, b, t) = (1 - t)\,a + t\,b$$


# %%
@exercise("10.lerp")
def lerp(a, b, t):
    """The point at the share t of the straight way from a to b.

    a, b: (..., d);  t: a number, or (..., 1) with a place of its own for each path.  Returns (..., d)."""
    ...  # your code


# %% id="ten-images"
generator, card = zoo.load("dcgan-fashion")
device = next(generator.parameters()).device


def latents(seed, count=1, dim=generator.latent_dim):
    """`count` latents from N(0, I), the same for every run."""
    draw = runtime.keyed_generator("cpu", seed, "explorer")
    return torch.randn(count, dim, generator=draw).to(device)


@torch.inference_mode()
def images_at(network, z, batch=250):
    return torch.cat([network(rows).clamp(-1, 1).float().cpu() for rows in z.split(batch)])


places = torch.linspace(0, 1, 10, device=device)[:, None]
boot, trouser = latents(0), latents(1)
straight = images_at(generator, lerp(boot.expand(10, -1), trouser.expand(10, -1), places))
step = ways.lpips_between(straight[:-1], straight[1:])
plots.image_grids(
    {
        f"ten images on the straight way; the largest of the nine steps is {step.max() / step.mean():.1f} times their mean": straight
    },
    columns=10,
    panel=8.0,
    alt=f"Ten images from one sample of the DCGAN to another on a straight line. The step from image {int(step.argmax()) + 1} to image {int(step.argmax()) + 2} is the largest, "
    f"{step.max() / step.mean():.1f} times the mean.",
)

# %% [markdown]
# Two kinds of clothes, and something between them that is neither. Now look at the latents instead of the images.
#
# ## How long is the middle?
#
# A latent $z \sim \mathcal N(0, I)$ has $d = 100$ coordinates, each with mean square 1, so $\mathbb E\|z\|^2 = 100$, and nearly every latent is close to that: the generator has seen a
# thin shell of radius 10, and nothing outside or inside it.
#
# **Predict.** $z_1$ and $z_2$ are two such latents. $\mathbb E\,\|(z_1 + z_2)/2\|^2$ is …

# %%
predict("10.middle", ["100, like the ends", "71", "50", "0"])

# %% id="middle"
many, others = latents("norms", 5_000), latents("more norms", 5_000)
dim = many.shape[1]
ts = [k / 20 for k in range(21)]
squares = [lerp(many, others, t).square().sum(1).mean().item() for t in ts]
exact = [dim * ((1 - t) ** 2 + t**2) for t in ts]
assert max(abs(found / want - 1) for found, want in zip(squares, exact)) < 0.02
shell = many.norm(dim=1).quantile(torch.tensor([0.001, 0.999], device=device)).tolist()
shortest = min(square**0.5 for square in squares)
# the squared norm of a latent has a χ² distribution with d degrees of freedom: the share below a norm is known exactly
as_short = torch.special.gammainc(
    torch.tensor(dim / 2).double(), torch.tensor(shortest**2 / 2).double()
).item()
assert shortest < shell[0] and as_short < 1e-4
plots.curves(
    ts,
    {
        "straight way, measured": [square**0.5 for square in squares],
        "√(d·((1−t)² + t²))": [value**0.5 for value in exact],
        "999 of 1,000 latents are longer": [shell[0]] * len(ts),
        "999 of 1,000 latents are shorter": [shell[1]] * len(ts),
    },
    title=f"Half-way the norm is {shortest:.1f}; one latent in {1 / as_short:,.0f} is as short",
    xlabel="t",
    ylabel="root of the mean square norm",
    legend_beside=True,
)

# %% id="reveal-middle"
middle = squares[10]
reveal(
    "10.middle",
    min(
        {"100, like the ends": 100, "71": 71, "50": 50, "0": 0}.items(),
        key=lambda option: abs(option[1] - middle),
    )[0],
    f"{middle:.1f} over {len(many):,} pairs. ‖(z₁ + z₂)/2‖² = ¼‖z₁‖² + ¼‖z₂‖² + ½ z₁·z₂, and two independent latents are orthogonal on average: ¼·100 + ¼·100 = 50 = d/2. "
    f"(71 would be ten times the norm: that is √50 = 7.1, and its square is 50.) Among latents from N(0, I), one in {1 / as_short:,.0f} is as short as that.",
)

# %% [markdown]
# ## Along the sphere
#
# So turn instead of cutting through. With $u_a$ and $u_b$ the directions of $a$ and $b$, and $\omega$ the angle between them, $\cos\omega = u_a \cdot u_b$:
#
# $$\text{slerp}(a, b, t) = \bigl((1-t)\|a\| + t\|b\|\bigr)\,\frac{\sin((1-t)\,\omega)\,u_a + \sin(t\,\omega)\,u_b}{\sin\omega}$$
#
# The fraction is a unit vector that turns at an even rate; the factor in front lets the norm go evenly from one to the other. Where $a$ and $b$ point the same way, or opposite ways,
# or one of them is 0, there is no arc (or there are many): take the straight line there.


# %%
@exercise("10.slerp")
def slerp(a, b, t):
    """The point at the share t of the way that turns from a's direction to b's, the norm going evenly from ‖a‖ to ‖b‖.

    a, b: (..., d), each row with its own angle;  t: a number, or (..., 1).  Returns (..., d), a straight line where
    there is no arc, and never NaN, also in float32."""
    ...  # your code


# %% id="two-ways"
turned = images_at(generator, slerp(boot.expand(10, -1), trouser.expand(10, -1), places))
around = slerp(many, others, 0.5).norm(dim=1)
want = (many.norm(dim=1) + others.norm(dim=1)) / 2
torch.testing.assert_close(around, want, rtol=1e-3, atol=0)
turned_step = ways.lpips_between(turned[:-1], turned[1:])
plots.image_grids(
    {
        f"above lerp, below slerp: norms {lerp(boot, trouser, 0.5).norm():.1f} and {slerp(boot, trouser, 0.5).norm():.1f} half-way": torch.cat(
            [straight, turned]
        )
    },
    columns=10,
    panel=8.0,
    alt=f"Two rows of ten images between the same two samples. Norm half-way: lerp {lerp(boot, trouser, 0.5).norm():.1f}, slerp {slerp(boot, trouser, 0.5).norm():.1f}. Largest "
    f"step over mean: lerp {step.max() / step.mean():.1f}, slerp {turned_step.max() / turned_step.mean():.1f}.",
)

# %% [markdown]
# "Spherical interpolation is smoother", says the lesson, and asks why. First: is it? Two things can be measured. How good are the images half-way, and how even are the
# steps? The distance between neighbouring images is a perceptual one, which you build below.
#
# **Predict.** Ten images on each way between many pairs of latents. For every pair, the largest of the nine steps over their mean: 1 would be perfectly even. On average over
# the pairs it is …

# %%
predict(
    "10.smoother",
    [
        "clearly smaller for slerp, by 10 % or more",
        "about the same for both",
        "clearly smaller for lerp, by 10 % or more",
    ],
)

# %% id="measured-ways"
starts, ends = latents("starts", pairs), latents("ends", pairs)
names = {"lerp": lerp, "slerp": slerp}
photographs = classify(data.load("fashion-mnist", "test").pixels[:pairs])[0]
near_radii = metrics.neighbour_radii(photographs, 3)
shown = {"fresh latents": starts} | {name: between(starts, ends, 0.5) for name, between in names.items()}
sure, precise = {}, {}
for name, z in shown.items():
    features, probabilities = classify(images_at(generator, z))
    sure[name] = (probabilities.amax(1) > 0.9).double().mean().item()
    precise[name] = metrics.precision_recall(
        real=photographs, fake=features, k=3, real_radii=near_radii
    ).precision
steps_of, at_border, largest = {}, {}, {}
for name, between in names.items():
    film = torch.stack(
        [images_at(generator, between(starts[:walks], ends[:walks], t)) for t in places[:, 0].tolist()]
    )
    steps_of[name] = ways.lpips_between(film[:-1].flatten(0, 1), film[1:].flatten(0, 1)).view(9, -1)
    largest[name] = steps_of[name].argmax(0).cpu()
    kinds = classify(film.flatten(0, 1))[1].argmax(1).view(10, -1)
    changes = (kinds[1:] != kinds[:-1]).double()
    at_border[name] = changes.gather(0, largest[name][None]).mean().item()
    at_border["any step"] = changes.mean().item()
beside = ((largest["lerp"] - largest["slerp"]).abs() <= 1).double().mean().item()
uneven = {name: (each.amax(0) / each.mean(0)).mean().item() for name, each in steps_of.items()}
pace = {name: (each.mean(1) / each.mean()).tolist() for name, each in steps_of.items()}
print(
    f"sure in the middle (classifier above 0.9, N = {pairs:,}): "
    + ", ".join(f"{k} {v:.3f}" for k, v in sure.items())
)
print(
    f"precision in the middle (k = 3, N = {pairs:,}): "
    + ", ".join(f"{k} {v:.3f}" for k, v in precise.items())
)
for share in (precise, sure):
    assert abs(share["lerp"] - share["fresh latents"]) < 0.05 + 3 * math.sqrt(0.5 / pairs)
print(
    f"largest step over mean step ({walks} pairs): " + ", ".join(f"{k} {v:.2f}" for k, v in uneven.items())
)
print(
    f"in the largest step the classifier's answer changes for {at_border['lerp']:.0%} of the pairs with lerp and {at_border['slerp']:.0%} with slerp, in any step for "
    f"{at_border['any step']:.0%}; for {beside:.0%} of the pairs both ways have it at the same place or the next"
)
assert min(at_border["lerp"], at_border["slerp"]) > 1.5 * at_border["any step"] and beside > 0.5
assert sum(pace["lerp"][3:6]) / 3 > sum(pace["lerp"][i] for i in (0, 8)) / 2
plots.curves(
    [(k + 0.5) / 9 for k in range(9)],
    pace,
    title=f"On average lerp's middle step is {pace['lerp'][4]:.2f} times its mean, slerp's {pace['slerp'][4]:.2f}",
    xlabel="t in the middle of the step",
    ylabel="LPIPS of the step over the mean step",
)

# %% id="reveal-smoother"
gain = uneven["lerp"] / uneven["slerp"] - 1
reveal(
    "10.smoother",
    "clearly smaller for slerp, by 10 % or more"
    if gain > 0.1
    else "clearly smaller for lerp, by 10 % or more"
    if gain < -0.1
    else "about the same for both",
    f"lerp {uneven['lerp']:.2f}, slerp {uneven['slerp']:.2f}. Averaged over pairs first, slerp's steps are even, because it turns at an even rate, while lerp hurries through the middle. But for one "
    f"pair the largest step often stands where the generator has a border between two kinds of clothes (the classifier's answer changes in it for {at_border['slerp']:.0%}, in any step for {at_border['any step']:.0%}), "
    f"and both ways come to it at nearly the same place (for {beside:.0%}). Sure in the middle: "
    f"{sure['lerp']:.1%} with lerp, {sure['slerp']:.1%} with slerp, {sure['fresh latents']:.1%} of fresh samples.",
)

# %% [markdown]
# Slerp keeps norms typical and the pace even *on average*. That a single walk is smoother is not promised by anything.
#
# ## The lesson's slerp
#
# Its formula is right for one pair of vectors of equal length. Here it is given a batch, and a pair of equal vectors:


# %% id="lessons-slerp"
def lessons_slerp(a, b, t):
    omega = torch.acos((a * b).sum() / (a.norm() * b.norm()))
    return torch.sin((1 - t) * omega) / torch.sin(omega) * a + torch.sin(t * omega) / torch.sin(omega) * b


batch, partners = latents("batch", 64), latents("partners", 64)
together = lessons_slerp(batch, partners, 0.5)
one_by_one = torch.cat([lessons_slerp(a[None], b[None], 0.5) for a, b in zip(batch, partners)])
moved = ((together - one_by_one).norm(dim=1) / one_by_one.norm(dim=1)).max().item()
to_itself = torch.stack([lessons_slerp(a, a, 0.5) for a in latents("itself", 1000)])
broken = (~to_itself.isfinite()).any(1).double().mean().item()
ours = slerp(batch, partners, 0.5)
alone = torch.cat([slerp(a[None], b[None], 0.5) for a, b in zip(batch, partners)])
torch.testing.assert_close(ours, alone, rtol=1e-4, atol=1e-4)
assert moved > 0.02 and broken > 0.3 and slerp(batch, batch, 0.5).isfinite().all()
print(f"a latent's half-way point moves by up to {moved:.1%} when 63 others stand in the same batch")
print(f"from a latent to itself: NaN for {broken:.0%} of 1,000")

# %% [markdown]
# `.sum()` and `.norm()` without a dimension run over the whole batch, so that all rows share one angle. And rounding can push a cosine above 1, where acos is NaN; at exactly 1
# sin ω is 0, and the formula 0/0. A batch of one and two different vectors, which is how code is tried out, shows neither.
#
# ## Both under your hand
#
# Drag $t$; take two new latents until you find a pair on which slerp is *less* even than lerp. Watch where the steps are long, and whether it is the same place on both ways.

# %% id="slider"
slider = widgets.interpolation_slider(generator)
slider

# %% [markdown]
# ## How far apart do two images look?
#
# Squared differences compare two images pixel by pixel, each with the one at its own place. **LPIPS** (Zhang et al. 2018) compares what five layers
# of an image classifier make of the two images. At each layer $l$ and place $(h, w)$ the vector of channels is brought to length 1, so that only its direction counts, and the
# squared differences are weighed channel by channel with $\omega_l$, fitted to what people answered when asked which of two images is nearer to a third:
#
# $$d(x, y) = \sum_l \frac{1}{H_l W_l} \sum_{h,w} \sum_c \omega_{lc}\, \Bigl(\frac{f_l(x)_{chw}}{\|f_l(x)_{hw}\|} - \frac{f_l(y)_{chw}}{\|f_l(y)_{hw}\|}\Bigr)^2$$
#
# (The paper writes the weights inside the square; what its program learns stands where it stands here.) Write one layer of it. Where all channels are 0 the distance must be finite,
# and so must its *gradient*, or one dead place ruins every optimisation that uses it.


# %%
@exercise("10.layer_distance")
def layer_distance(a, b, head):
    """One layer's share of LPIPS: channels brought to length 1 at each place, weighted squared differences, mean over places.

    a, b: features of the two images (N, C, h, w);  head: weights (C,).  Returns (N,)."""
    ...  # your code


# %% id="lpips-is-the-sum"
test = data.load("fashion-mnist", "test")
photographs = data.to_float(test.pixels[:400])
x, y = seen(photographs[:32], ways.PROTOCOL), seen(photographs[32:64], ways.PROTOCOL)
eyes = lpips.load()
with torch.inference_mode():
    summed = sum(
        layer_distance(a, b, head) for a, b, head in zip(eyes.features(x), eyes.features(y), eyes.heads)
    )
    library = metrics.lpips(x, y)
torch.testing.assert_close(summed, library, rtol=1e-5, atol=1e-7)
print(f"five layers of yours against metrics.lpips: {(summed - library).abs().max():.1e} at most")

# %% [markdown]
# (28 pixels are few for a network that was made for 224: images are enlarged to 64 before they are compared, wherever this chapter names no other size.)
#
# **Predict.** Every photograph against itself moved by two pixels, and against another photograph of its class. How often is the moved one *further*? More often …

# %%
predict("10.moved", ["by squared differences of pixels", "by LPIPS", "equally often, within 3 %"])

# %% id="moved"
judged = photographs[: 2 * walks]
labels = test.labels[:400]
shifted = judged.roll(2, dims=3)
another = torch.stack(
    [
        photographs[
            (labels == labels[i]).nonzero().flatten().roll(-1)[(labels[: i + 1] == labels[i]).sum() - 1]
        ]
        for i in range(len(judged))
    ]
)


def pixels_apart(x, y):
    return (x - y).square().mean((1, 2, 3))


further = {
    name: (distance(judged, shifted) > distance(judged, another)).double().mean().item()
    for name, distance in (("pixels", pixels_apart), ("LPIPS", ways.lpips_between))
}
print(
    f"moved by two pixels is further than another of its class: {further['pixels']:.0%} by pixels, {further['LPIPS']:.0%} by LPIPS (N = {len(judged)})"
)

# %% id="reveal-moved"
reveal(
    "10.moved",
    "equally often, within 3 %"
    if abs(further["pixels"] - further["LPIPS"]) < 0.03
    else "by squared differences of pixels"
    if further["pixels"] > further["LPIPS"]
    else "by LPIPS",
    f"{further['pixels']:.0%} of the photographs by pixels, {further['LPIPS']:.0%} by LPIPS (N = {len(judged)}). Features answer to edges and textures wherever they stand, within the reach of a filter. It "
    "remains the distance of one network, not of the eye.",
)

# %% [markdown]
# ## How fast do the images move?
#
# Now the measure (Karras et al. 2018). Draw two latents and a place $t$; take one short step along the path, from $t$ to $t + \varepsilon$; draw both images; compare them:
#
# $$\text{PPL} = \mathbb E\left[\frac{1}{\varepsilon^2}\, d\bigl(G(u(t)),\; G(u(t + \varepsilon))\bigr)\right]$$
#
# $u$ is the path: here the straight one, $u(t) = \text{lerp}(z_1, z_2, t)$; the paper turns in Z, by slerp, and goes straight in W. $d$ is a *squared* distance: for a short step it grows like $\varepsilon^2$, and the division makes it a squared speed. One number for each path first, the mean comes later:


# %%
@exercise("10.squared_speeds")
def squared_speeds(generator, distance, a, b, t, epsilon):
    """The squared speed of the images at t on each straight path from a to b: distance / ε².

    generator: latents (M, d) → images (M, ...), to be called once, for both ends of all steps;
    distance: two batches of images → (N,);  a, b: (N, d);  t: (N, 1).  Returns (N,)."""
    ...  # your code


# %% [markdown]
# The first test of any measure is a case whose answer is known. Let the generator be a matrix, $G(z) = Az$, and $d$ the squared difference. The image of a step is
# $\varepsilon A(z_2 - z_1)$ wherever it begins, and $z_2 - z_1 \sim \mathcal N(0, 2I)$, so
#
# $$\text{PPL} = \mathbb E\,\|A(z_2 - z_1)\|^2 = 2\operatorname{tr} A^\top A = 2\,\|A\|_F^2$$


# %% id="closed-form"
class Linear(torch.nn.Module):
    def __init__(self, scale=1.0, latent_dim=20, side=8):
        super().__init__()
        draw = runtime.keyed_generator("cpu", "matrix")
        matrix = scale * torch.randn(side * side, latent_dim, generator=draw, dtype=torch.float64) / side
        self.latent_dim, self.side, self.matrix = (
            latent_dim,
            side,
            torch.nn.Parameter(matrix, requires_grad=False),
        )

    def forward(self, z):
        return (z @ self.matrix.T).view(-1, 1, self.side, self.side)


def squared(x, y):
    return (x[:, :1] - y[:, :1]).square().sum((1, 2, 3))


plain, doubled = Linear(), Linear(scale=2.0)
draw = runtime.keyed_generator("cpu", "linear paths")
a, b = torch.randn(2, 4000, 20, generator=draw, dtype=torch.float64)
t = torch.rand(4000, 1, generator=draw, dtype=torch.float64)
closed = 2 * plain.matrix.square().sum().item()
by_epsilon = {
    epsilon: squared_speeds(plain, squared, a, b, t, epsilon).mean().item() for epsilon in (1.0, 1e-2, 1e-4)
}
library = metrics.perceptual_path_length(
    plain, protocol=PathProtocol(kept=None), distance=squared, paths=4000, batch_size=1000
)
trimmed = trim(library.lengths, (1, 99)).mean().item()
assert library.low < closed < library.high and all(
    abs(found / closed - 1) < 0.05 for found in by_epsilon.values()
)
print(f"closed form 2‖A‖² = {closed:.2f}")
print("yours: " + ", ".join(f"{found:.2f} at ε = {epsilon:g}" for epsilon, found in by_epsilon.items()))
print(
    f"the library, other paths: {library.mean:.2f}, 95 % interval {library.low:.2f} to {library.high:.2f}"
)
print(
    f"without the shortest and the longest per cent, as StyleGAN does it: {trimmed:.2f}, {trimmed / library.mean - 1:.1%}"
)

# %% [markdown]
# **Predict.** Every entry of $A$ is doubled: the images change twice as much along every path. The path length …

# %%
predict("10.doubled", ["stays: it is divided by the step", "doubles", "is four times as large"])

# %% id="reveal-doubled"
twice = squared_speeds(doubled, squared, a, b, t, 1e-2).mean().item() / by_epsilon[1e-2]
reveal(
    "10.doubled",
    {1: "stays: it is divided by the step", 2: "doubles", 4: "is four times as large"}[round(twice)],
    f"{twice:.3f} times. It is a mean of *squared* speeds. So two generators with path lengths of 400 and 100 differ by a factor of 2 in how fast their images move, and a distance with another unit, or at another size of the images, gives numbers that compare with nothing.",
)

# %% [markdown]
# ### "The path length is the total change"
#
# It is not, and three ways between the *same* two photographs show it: an even blend; one that stays, jumps half-way and stays; and one by way of a third photograph.


# %% id="total-change"
first, last, third = photographs[0].double(), photographs[1].double(), photographs[2].double()


def even(u):
    return first + u[:, :, None, None] * (last - first)


def jumping(u):
    pace = torch.sigmoid(40 * (u - 0.5))
    pace = (pace - torch.sigmoid(torch.tensor(-20.0).double())) / (
        1 - 2 * torch.sigmoid(torch.tensor(-20.0).double())
    )
    return first + pace[:, :, None, None] * (last - first)


def by_way_of(u):
    u = u[:, :, None, None]
    return torch.where(u < 0.5, first + 2 * u * (third - first), third + (2 * u - 1) * (last - third))


grid = (torch.arange(2000, dtype=torch.float64)[:, None] + 0.5) / 2000
zeros = torch.zeros_like(grid)
total = squared(first[None], last[None]).item()
speeds = {
    name: squared_speeds(way, squared, zeros, zeros + 1, grid, 1e-5).mean().item()
    for name, way in (("even", even), ("jumping", jumping), ("by way of a third", by_way_of))
}
assert (
    abs(speeds["even"] / total - 1) < 1e-3
    and min(speeds["jumping"], speeds["by way of a third"]) > 1.5 * total
)
print(f"squared distance of the two photographs: {total:.0f}")
for name, speed in speeds.items():
    print(f"{name:18} mean squared speed {speed:8.0f}, {speed / total:5.1f} times as much")

# %% [markdown]
# A mean of squares is at least the square of the mean (equal only at an even pace), and the mean speed times 1 is the length of the way, which is at least the straight distance between its
# ends. So a path length punishes detours *and* jumps. The total change is only the least it can be.
#
# ## How short is short?
#
# The definition has $\varepsilon \to 0$, float32 has 24 bits for its digits. The same paths of the DCGAN for steps from the whole path down: in float32, in float64, and with the
# images rounded to 256 grey levels before they are compared, as one widely used tool does because it takes uint8.
#
# **Predict.** At the customary $\varepsilon = 10^{-4}$, the path length on grey levels is …

# %%
predict(
    "10.grey",
    [
        "the same: half a grey level is invisible",
        "near 0: nothing moves by a whole level",
        "several times as large",
    ],
)

# %% id="epsilon"
measured = ways.Speeds(generator, paths=runtime.by_profile(ci=3, laptop=8, gpu=50))
exponents = runtime.by_profile(
    ci=(-5, -4, -2, -1, 0), laptop=(-6, -5, -4, -3, -2, -1, 0), gpu=tuple(range(-6, 1))
)
by_kind = {
    kind: [measured.at(10.0**k, kind).speeds.mean().item() for k in exponents] for kind in ways.KINDS
}
at = exponents.index(-4)
blown_up = by_kind["grey levels"][at] / by_kind["float64"][at]
too_long = by_kind["float64"][-1] / by_kind["float64"][at]
assert blown_up > 2 and too_long < 0.5 and abs(by_kind["float32"][at] / by_kind["float64"][at] - 1) < 0.02
plots.curves(
    exponents,
    by_kind,
    title=f"A step of the whole path gives {too_long:.2f} of the limit, grey levels at ε = 10⁻⁴ {blown_up:.0f} times as much",
    xlabel="ε as a power of ten",
    ylabel=f"mean of d/ε² over {len(measured.t)} paths",
    log_y=True,
    legend_beside=True,
)

# %% id="reveal-grey"
reveal(
    "10.grey",
    "several times as large"
    if blown_up > 2
    else "near 0: nothing moves by a whole level"
    if blown_up < 0.5
    else "the same: half a grey level is invisible",
    f"{by_kind['grey levels'][at]:.3g} against {by_kind['float64'][at]:.3g}: {blown_up:.1f} times. Most pixels do not move, true. But one whose value passes a rounding border jumps by a whole level, however short the step. A move by δ levels "
    "becomes 1 with probability δ, so its mean square is δ where δ² was asked for, and the quotient grows like 1/ε as the step gets shorter.",
)

# %% [markdown]
# Move ε yourself. Long steps cut corners: the way there and back again is not seen. In the middle lies a plateau, the number that is meant. Then rounding takes over: on grey levels at
# once, in float32 late, where the library refuses to answer.

# %% id="explorer"
explorer = widgets.epsilon_explorer(generator)
explorer

# %% [markdown]
# What is refused, and why: a step that float32 cannot hold, latents of a length that the generator never met (its images hardly change, and what changes is rounding), and a
# generator that draws new noise at every call, which over $\varepsilon^2$ would be all that one sees.


# %% id="refused"
class Noisy(torch.nn.Module):
    latent_dim, parameters = generator.latent_dim, generator.parameters

    def forward(self, z):
        return (generator(z) + 0.01 * torch.randn(len(z), 1, 32, 32, device=z.device)).clamp(-1, 1)


attempts = {
    "ε = 10⁻⁷": (generator, replace(PATHS["course-64"], epsilon=1e-7)),
    "latents of norm 1": (generator, replace(PATHS["course-64"], between="slerp_unit")),
    "noise drawn anew": (Noisy(), PATHS["course-64"]),
}
for name, (network, protocol) in attempts.items():
    try:
        metrics.perceptual_path_length(network, protocol=protocol, paths=20)
        raise AssertionError(f"{name} was measured")
    except ValueError as error:
        print(f"{name}: {error}")

# %% [markdown]
# The middle one deserves a thought. StyleGAN's slerp puts latents on the *unit* sphere, which is right for StyleGAN: it normalises z itself. A DCGAN is used to norm 10. The
# protocol belongs to the generator, and every choice in it moves the number: straight or turned, anywhere ("full") or at the beginning ("end") of the path, the size of the images,
# the network behind the distance, the trimming. Here are the recorded GANs of chapter 02.

# %% id="protocols"
networks = {"DCGAN": generator, "fully connected": zoo.load("mlp-fashion")[0]}
found = {
    f"{name}, {where}": metrics.perceptual_path_length(
        network, protocol=replace(PATHS["course-64"], where=where), paths=paths
    )
    for name, network in networks.items()
    for where in ("full", "end")
}
widest = max((each.high - each.low) / each.mean for each in found.values())
plots.intervals(
    {name: (each.low, each.mean, each.high) for name, each in found.items()},
    title=f"With {paths:,} paths the widest interval is {widest:.0%} of its number",
    xlabel="path length in Z (slerp, LPIPS of AlexNet at 64 px, ε = 10⁻⁴), 95 % interval",
)

# %% id="tails"
lengths = found["DCGAN, full"].lengths
top = lengths.sort(descending=True).values[: max(1, len(lengths) // 20)].sum() / lengths.sum()
print(
    f"DCGAN, full: the median of the squared speeds is {lengths.median():.2f}, the largest {lengths.max():.1f}; the fastest 5 % of the paths make {top:.0%} of the sum"
)
assert lengths.max() > 5 * lengths.median()

# %% [markdown]
# Most paths move slowly where they were met, and a few many times as fast: the distribution has a long tail. That is why the number needs thousands of paths, why the
# longest per cent is trimmed, and why it comes with an interval.
#
# ### "A short path length means good images"
#
# Feed the same DCGAN latents that are shrunk towards 0. What becomes of its paths, and of the variety of its samples? (A generator of one image moves nowhere: 0, and the library would refuse to
# measure it, since what is left is rounding.)


# %% id="shrunk"
class Shrunk(torch.nn.Module):
    latent_dim, parameters = generator.latent_dim, generator.parameters

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, z):
        return generator(self.factor * z)


shorter = {}
for factor in (1.0, 0.4, 0.2):
    sheet = images_at(Shrunk(factor), latents("shrunk", 40))
    length = metrics.perceptual_path_length(Shrunk(factor), protocol=PATHS["course-64"], paths=paths).mean
    shorter[factor] = length, ways.lpips_between(sheet[:-1], sheet[1:]).mean().item(), sheet
assert shorter[0.2][0] < shorter[1.0][0] and shorter[0.2][1] < shorter[1.0][1]
plots.image_grids(
    {
        f"z times {factor:g}: path length {length:.2f}": sheet[:24]
        for factor, (length, _, sheet) in shorter.items()
    },
    alt="24 samples of the DCGAN from latents times "
    + "; ".join(
        f"{factor:g}: path length {length:.2f}, two samples {variety:.2f} apart"
        for factor, (length, variety, _) in shorter.items()
    )
    + ".",
    title="LPIPS of two samples: " + ", ".join(f"{variety:.2f}" for _, variety, _ in shorter.values()),
    panel=3.4,
)
assert shorter[0.4][0] < 0.8 * shorter[1.0][0] and abs(shorter[0.4][1] / shorter[1.0][1] - 1) < 0.15

# %% [markdown]
# At 0.4 paths are shorter and two samples are as far apart as before: the same variety, walked through more slowly. At 0.2 the samples grow alike as well. A short path length says neither that images are
# good nor that they differ.

# %% [markdown]
# ## W against Z
#
# Chapter 09's StyleGAN maps z to w first, and draws from w. So there are two spaces to walk in. In Z, first look at what its own normalisation does: z is divided by its length before
# anything else happens.

# %% id="same-images"
styled, styled_card = zoo.load(STYLE)
dim_w = styled.latent_dim
one, other = latents("style A", 1, dim_w), latents("style B", 1, dim_w)
on_line = lerp(one, other, 0.3)
unit = [each / each.norm() for each in (one, other, on_line)]
angles = [torch.acos((unit[0] * each).sum()).item() for each in (unit[1], unit[2])]
same_place = angles[1] / angles[0]  # how far slerp must go to point the same way
two = images_at(styled, torch.cat([on_line, slerp(one, other, same_place)]))
apart = (two[0] - two[1]).abs().max().item()
assert apart < 1e-2
print(f"lerp at t = 0.300 and slerp at t = {same_place:.3f}: the images differ by {apart:.1e} at most")

# %% [markdown]
# Divided by their lengths, the straight way and the arc are one and the same curve: lerp and slerp in Z show *the same images*, at another pace. "Lerp is bad" is a sentence about
# generators that see norms.
#
# In W nothing is normal and no norm is typical: the straight line is the standard there. StyleGAN's authors compared the lengths of paths in both, and took what they found as a sign of what the mapping does to the space: training data may have a gap (no beards with long hair), Z cannot have one,
# so a mapping from Z must be curved where W may be straight.
#
# **Predict.** The path length of this network, anywhere on the path ("full"), with 95 % intervals.

# %%
predict("10.w_or_z", ["shorter in W", "not told apart: the intervals overlap", "shorter in Z"])

# %% id="w-against-z"
live = {name: smoothness.path_length(styled, name, paths) for name in smoothness.spaces(styled)}
try:
    record = smoothness.recorded(STYLE)
    rows = {
        name: (each["low"], each["mean"], each["high"]) for name, each in record["path_lengths"].items()
    }
    source = f"recorded with {record['paths']:,} paths"
except (
    FileNotFoundError,
    ValueError,
) as error:  # no record of these weights yet: what was computed here must do
    record, rows = None, {name: (each.low, each.mean, each.high) for name, each in live.items()}
    source = f"computed here with {paths:,} paths ({error})"
print(f"{'':8} {'here, ' + format(paths, ',') + ' paths':>24} {'shown':>22}")
for name, each in live.items():
    low, mean, high = rows[name]
    print(
        f"{name:8} {each.mean:8.2f} ({each.low:6.2f} to {each.high:6.2f}) {mean:8.2f} ({low:6.2f} to {high:6.2f})"
    )
print(source)
ratio = rows["W, full"][1] / rows["Z, full"][1]
plots.intervals(
    rows,
    title=f"The full path length in W is {ratio:.2f} times that in Z, {'and' if (rows['W, full'][2] < rows['Z, full'][0]) or (rows['W, full'][0] > rows['Z, full'][2]) else 'but'} "
    f"the intervals {'are apart' if (rows['W, full'][2] < rows['Z, full'][0]) or (rows['W, full'][0] > rows['Z, full'][2]) else 'overlap'}",
    xlabel="path length (LPIPS of AlexNet at 64 px, ε = 10⁻⁴), 95 % interval",
)

# %% id="reveal-w"
reveal(
    "10.w_or_z",
    "shorter in W"
    if rows["W, full"][2] < rows["Z, full"][0]
    else "shorter in Z"
    if rows["W, full"][0] > rows["Z, full"][2]
    else "not told apart: the intervals overlap",
    f"Z {rows['Z, full'][1]:.2f} ({rows['Z, full'][0]:.2f} to {rows['Z, full'][2]:.2f}), W {rows['W, full'][1]:.2f} ({rows['W, full'][0]:.2f} to {rows['W, full'][2]:.2f}), {source.split(' (')[0]}. At the ends of the paths: Z "
    f"{rows['Z, end'][1]:.2f}, W {rows['W, end'][1]:.2f}. In W «full» asks about styles in the middle that perhaps no z is mapped to, «end» only about styles that are.",
)

# %% [markdown]
# All three ways under your hand: straight and turned in Z, straight in W.

# %% id="style-slider"
style_slider = widgets.interpolation_slider(styled, seed=3)
style_slider

# %% [markdown]
# Why may path lengths in Z and in W be compared, where most path lengths may not? The paths have the same ends, so the same first and last images; $t$ goes from 0 to 1 on both; the distance is the same. Only the
# way between differs. Of all ways between two images the least mean squared speed belongs to the shortest one, walked at an even pace: the lower number is the way with fewer detours and jumps.
#
# ## Can a plane tell?
#
# Path length looks at how space is bent along random ways. The companion measure looks at *directions*: if glasses are a direction of the space, a plane tells latents with glasses from
# those without. [Linear separability](../docs/glossary.md#linear-separability): fit a plane for each attribute, note on which side each latent lies ($X$) and what the classifier sees in its image
# ($Y$), and add up what is still unknown about $Y$ when $X$ is known:
#
# $$\exp \sum_i H(Y_i \mid X_i)$$
#
# 1 is perfect. (The sum is over attributes, $H$ in nats.) An attribute that half of the images have and that no plane tells multiplies the score by 2.

# %% id="separability-worlds"
draw = runtime.keyed_generator("cpu", "planes")
z = torch.randn(4000, 10, generator=draw)
worlds = {
    "one side of a plane": z[:, 0] + z[:, 1] > 0,
    "outside a ring": z[:, :2].norm(dim=1) > 1.18,
    "two of four quadrants": z[:, 0] * z[:, 1] > 0,
}
scores = {name: metrics.linear_separability(z, {"it": value}, kept=1.0) for name, value in worlds.items()}
for name, each in scores.items():
    print(
        f"{name:22} score {each.score:.3f} ({each.low:.3f} to {each.high:.3f}), right for {each.accuracies['it']:.0%} of the points"
    )
assert scores["one side of a plane"].score < 1.2 < 1.9 < scores["two of four quadrants"].score

# %% [markdown]
# Whether an *image* has glasses must be seen by somebody. The avatars' attributes are known exactly, so the classifier that answers can be checked: on rendered avatars that it was not
# trained on, it is right about …

# %% id="exact-attributes"
rendered = data.load("avatars-small-32", "test")
truth = smoothness.exact_answers(rendered.attributes)
said = smoothness.answers(data.to_float(rendered.pixels))
right = {name: ((said[name] > 0.5) == truth[name]).double().mean().item() for name in truth}
print(
    ", ".join(f"{name} {share:.1%}" for name, share in right.items())
    + f" (N = {len(rendered.pixels)} rendered avatars)"
)
assert min(right.values()) > 0.8

# %% [markdown]
# **Predict.** Six such attributes on the samples of the StyleGAN: in which space do planes tell more, so that the score is lower?

# %%
predict("10.planes", ["in W", "not told apart: the intervals overlap", "in Z"])

# %% id="separability"
here, chances = smoothness.separability(styled, points)
if record is not None:
    told = record["separability"]
    told = {space: (told[space]["low"], told[space]["score"], told[space]["high"]) for space in told}
    entropies = {space: record["separability"][space]["entropies"] for space in told}
    source = f"recorded with {record['count']:,} images"
else:
    told = {space: (each.low, each.score, each.high) for space, each in here.items()}
    entropies = {space: each.entropies for space, each in here.items()}
    source = f"computed here with {points:,} images"
surest = {  # the half of the images on which the score is computed, for each attribute
    name: chance[(chance - 0.5).abs().argsort(descending=True)[: len(chance) // 2]] > 0.5
    for name, chance in chances.items()
}
shares = {name: kept.double().mean().item() for name, kept in surest.items()}
nobody = torch.tensor([torch.special.entr(torch.tensor([p, 1 - p])).sum() for p in shares.values()])
print(f"still unknown of each attribute, in nats ({source}; the surest half of the images)")
print(f"{'':14} {'share':>6} " + " ".join(f"{space:>6}" for space in entropies))
for name in smoothness.QUESTIONS:
    print(
        f"{name:14} {shares[name]:6.2f} "
        + " ".join(f"{entropies[space][name]:6.3f}" for space in entropies)
    )
print(
    f"here, with {points:,} images: "
    + ", ".join(
        f"{space} {each.score:.2f} ({each.low:.2f} to {each.high:.2f})" for space, each in here.items()
    )
)
plots.intervals(
    {f"planes in {space.upper()}": row for space, row in told.items()},
    title=f"Separability {told['z'][1]:.2f} in Z and {told['w'][1]:.2f} in W; planes that tell nothing would give about {nobody.sum().exp():.0f}",
    xlabel="exp of the summed conditional entropies, 95 % interval",
)

# %% id="reveal-planes"
reveal(
    "10.planes",
    "in W"
    if told["w"][2] < told["z"][0]
    else "in Z"
    if told["w"][0] > told["z"][2]
    else "not told apart: the intervals overlap",
    f"{told['z'][1]:.2f} ({told['z'][0]:.2f} to {told['z'][2]:.2f}) in Z, {told['w'][1]:.2f} ({told['w'][0]:.2f} to {told['w'][2]:.2f}) in W, {source}. The planes were judged on latents that they were not fitted to. "
    f"On the fitted ones, as the paper has it, a coin would score {metrics.linear_separability(styled.mapping(latents('fitted', 400, dim_w)).cpu(), {'a coin': latents('coin', 400, 1)[:, 0].cpu() > 0}, kept=1.0, held_out=0).score:.2f} with "
    f"400 latents, where 2.00 is the truth.",
)

# %% [markdown]
# ## What people get wrong
#
# ### "Lerp is bad"
#
# For a DCGAN the middle of a straight way has a norm that training never had; what that costs half-way was printed above: hardly anything in precision, little in sureness. For a generator that normalises z, lerp shows the same images as slerp. And in W it is what everybody
# uses: slerp turns around 0, and there 0 is no centre. How far is the centre of W from 0, and what do both ways make of it?

# %% id="lerp-in-w"
with torch.inference_mode():
    w = styled.mapping(latents("w", 4000, dim_w))
centre = w.mean(0).norm().item()
spread = (w - w.mean(0)).norm(dim=1).mean().item()
w_one, w_other = w[: walks // 2], w[walks // 2 : 2 * (walks // 2)]
half = {name: between(w_one, w_other, 0.5) for name, between in names.items()}
far = {name: (each - w.mean(0)).norm(dim=1).mean().item() / spread for name, each in half.items()}
print(f"the mean of w has norm {centre:.2f}; a style is {spread:.2f} away from it on average")
print(
    f"half-way, distance from the mean over that of a style: lerp {far['lerp']:.2f}, slerp {far['slerp']:.2f}"
)
assert abs(far["lerp"] - 0.5**0.5) < 0.12 and far["lerp"] < far["slerp"] < 1

# %% [markdown]
# Half-way between two styles is nearer to the mean than a style is, as everywhere. Slerp bulges outwards, away from 0, and so keeps some distance from the mean by accident: how much depends on where 0 happens to lie.

# %% [markdown]
# ### "The path length of paper X is lower, so its generator is smoother"
#
# One generator, three protocols:

# %% id="three-protocols"
one_generator = {
    name: metrics.perceptual_path_length(generator, protocol=protocol, distance=distance, paths=paths).mean
    for name, protocol, distance in (
        ("LPIPS (Alex), 32 px", PATHS["course"], None),
        ("LPIPS (Alex), 64 px", PATHS["course-64"], None),
        ("squared differences of pixels", PATHS["course"], squared),
    )
}
print("; ".join(f"{name}: {value:.3g}" for name, value in one_generator.items()))
assert max(one_generator.values()) > 3 * min(one_generator.values())

# %% [markdown]
# A path length carries its protocol with it, or it is not a number.
#
# ## In your own words

# %%
explain("10.words")

# %%
quiz("10.check")

# %% [markdown]
# ## What to keep
#
# - Half-way on a straight line between two latents the squared norm is about d/2 instead of d. Slerp keeps the norm, and turns evenly.
# - Even on average is not smooth for each: the longest step often stands where the generator has a border.
# - Slerp's traps: one angle for a batch, a cosine above 1, directions without an arc.
# - LPIPS: directions of channels, place by place, squared, weighed, averaged. It has a gradient everywhere if the norm has one at 0.
# - PPL is a mean of squared speeds. Detours and jumps cost; the ends only set the least it can be; a generator that says one thing has 0.
# - ε between cutting corners and rounding. Rounding to grey levels replaces δ² by δ.
# - Z or W, full or end, distance, size, trimming: all of it beside the number, and an interval.
# - Separability: what is still unknown of an attribute when the side of a plane is known.
#
# Further reading: Karras, Laine, Aila 2018 ([arXiv:1812.04948](https://arxiv.org/abs/1812.04948)), section 4 for both measures; Zhang et al. 2018
# ([arXiv:1801.03924](https://arxiv.org/abs/1801.03924)) for how people were asked, sections 3 and 4; White 2016 ([arXiv:1609.04468](https://arxiv.org/abs/1609.04468)) for slerp in generative
# models, section 2; Shoemake 1985 for slerp itself.

# %% id="running-on"
running_on("10")

# %% id="report"
full = found["DCGAN, full"]
add_to_report(
    "10",
    f"The recorded DCGAN of chapter 02: path length in Z {full.mean:.2f}, 95 % interval {full.low:.2f} to {full.high:.2f} (slerp, anywhere on the path, LPIPS of AlexNet at 64 px, ε = 10⁻⁴, {paths:,} paths, "
    f"1st to 99th percentile); half-way between two latents the classifier is sure of {sure['slerp']:.1%} with slerp, {sure['lerp']:.1%} with lerp (N = {pairs:,}).",
)

# %% id="progress"
progress("10")
