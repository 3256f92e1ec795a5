# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 03b · Stability: which remedies lead home, and which only look as if they did?
#
# Every practitioner has a list: two learning rates, β₁ = 0.5, smoothed labels, averaged weights, a penalty, a normalised critic. Each helped somebody
# once. Here each of them is put where its effect can be computed, then where it can be counted, and at the end you stand before nine recorded runs,
# seven of them broken, and say from the curves what is wrong.
#
# **You will** write the factor by which a game leaves, [power iteration](../docs/glossary.md#power-iteration), smoothed labels, averaged weights, the
# minibatch deviation and a count of [modes](../docs/glossary.md#mode) · **you will know** which remedies bend the game inwards, what
# [spectral normalisation](../docs/glossary.md#spectral-normalisation) does not bound, and why no loss curve shows
# [mode collapse](../docs/glossary.md#mode-collapse) · **you need** chapters 01 and 03, eigenvalues (00b) · **time**: an hour and a quarter, of which
# your machine computes under a minute.

# %% id="imports"
import math
from collections import Counter

import torch
from course_lib import data, losses, oracle, penalties, plots, plots_games, runtime, widgets, zoo
from course_lib.data import mixtures
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
from course_lib.models.layers import SpectralNorm, convolution_norm
from course_lib.oracle import dirac
from course_lib.training.many_games import ManyGames
from course_lib.training.points import Scores
from course_lib.zoo import ablations, judging, museum
from torch import nn
from torch.nn.utils import parametrizations, parametrize

# %% id="knobs"
# Knobs: how long this machine plays. What is recorded was played for longer, and says so.
live_steps = runtime.by_profile(ci=60, laptop=600, gpu=600)
live_seeds = runtime.by_profile(ci=2, laptop=5, gpu=5)

# %% [markdown]
# ## Two questions on what you know already

# %%
quiz("03b.recall")

# %% [markdown]
# ## A turn is a matrix
#
# The Dirac game of chapter 01 has two numbers, θ of the generator and ψ of the critic, and home is (0, 0). One turn of it is linear, so it is a matrix:
# at once with step size $h$, and an R1 penalty of weight γ,
#
# $$\begin{pmatrix}\theta' \\ \psi'\end{pmatrix} = \begin{pmatrix}1 & h \\ -h & 1 - h\gamma\end{pmatrix} \begin{pmatrix}\theta \\ \psi\end{pmatrix}$$
#
# Two hundred turns are its two-hundredth power. What survives of it is the largest eigenvalue, and of an eigenvalue its modulus: the
# [spectral radius](../docs/glossary.md#spectral-radius). Below 1 the game comes home from everywhere; above 1 it leaves.


# %%
@exercise("03b.spectral_radius")
def spectral_radius(matrix):
    """The factor by which a repeated step grows or shrinks in the long run: the largest modulus of the eigenvalues.

    matrix: (n, n) float64, a real matrix whose eigenvalues may be complex.  Returns a number."""
    ...  # your code


# %% id="plain"
h = 0.1
plain = dirac.turn_matrix(dirac.Remedy(lr=h))
print(plain)
found = float(spectral_radius(plain))
assert abs(found - math.sqrt(1 + h**2)) < 2e-4
print(f"largest modulus {found:.5f} = √(1 + h²): after 200 turns {found**200:.2f} times as far")

# %% [markdown]
# Now the list. Two learning rates: the critic's four times the generator's. [Momentum](../docs/glossary.md#momentum), a share of the last move added
# to the next: what β₁ is in [Adam](../docs/glossary.md#adam). R1, with a γ of 1 and one of 0.05. And the order of play: both at once, or the critic
# first and the generator in answer.
#
# **Predict.** Both players move at once. Which of these brings the game home?

# %%
predict(
    "03b.remedies",
    [
        "R1 with γ = 1, and nothing else",
        "R1 with either γ",
        "R1 and two learning rates",
        "all of them",
    ],
)

# %% id="remedies"
REMEDIES = {
    "no remedy": {},
    "two rates, ×4": {"lr_d": 4 * h},
    "momentum 0.5": {"momentum": 0.5},
    "momentum −0.5": {"momentum": -0.5},
    "R1, γ = 0.05": {"gamma": 0.05},
    "R1, γ = 1": {"gamma": 1.0},
}
TURNS = {"at once": False, "in turns": True}
laboratory = {
    (name, order): dirac.Remedy(lr=h, alternating=alternating, **options)
    for order, alternating in TURNS.items()
    for name, options in REMEDIES.items()
}
modulus = {key: float(spectral_radius(dirac.turn_matrix(remedy))) for key, remedy in laboratory.items()}
for name in REMEDIES:
    print(f"{name:14}", *(f"{order}: {modulus[name, order]:.4f}  " for order in TURNS))
for key, remedy in laboratory.items():  # the matrix against the game as it is played
    assert abs(dirac.growth(dirac.play(remedy, turns=600)) - modulus[key]) < 3e-3, key

# %% id="reveal-remedies"
home = {name for name in REMEDIES if modulus[name, "at once"] < 1 - 1e-9}
answer = (
    "R1 with γ = 1, and nothing else"
    if home == {"R1, γ = 1"}
    else "R1 with either γ"
    if home == {"R1, γ = 1", "R1, γ = 0.05"}
    else "R1 and two learning rates"
    if "two rates, ×4" in home
    else "all of them"
)
reveal(
    "03b.remedies",
    answer,
    f"Two learning rates make it {modulus['two rates, ×4', 'at once']:.4f} a turn, worse than {modulus['no remedy', 'at once']:.4f} without; momentum "
    f"{modulus['momentum 0.5', 'at once']:.4f}. A γ of 0.05 is below the step size: {modulus['R1, γ = 0.05', 'at once']:.4f}. In turns the plain game neither leaves nor "
    "arrives, and two more come home: negative momentum and the weak penalty.",
)

# %% id="remedies-figure"
pictures = {
    order: [
        (name, dirac.play(laboratory[name, order], turns=150), modulus[name, order]) for name in REMEDIES
    ]
    for order in TURNS
}
came = {order: sum(modulus[name, order] < 1 - 1e-9 for name in REMEDIES) for order in TURNS}
plots_games.remedies(
    pictures,
    title=f"Of {len(REMEDIES)} games, {came['at once']} comes home if both step at once and {came['in turns']} in turns; two rates and positive momentum never do",
)

# %% [markdown]
# All of it can be had on paper. The product of two complex eigenvalues is the determinant, so the modulus is its root:

# %% id="closed"
gamma, h_d = 1.0, 4 * h
closed = {
    ("no remedy", "at once"): math.sqrt(1 + h**2),
    ("no remedy", "in turns"): 1.0,
    ("two rates, ×4", "at once"): math.sqrt(1 + h * h_d),
    ("two rates, ×4", "in turns"): 1.0,
    # below 1 if h < γ, as long as the eigenvalues are complex
    ("R1, γ = 1", "at once"): math.sqrt(1 - h * gamma + h**2),
    ("R1, γ = 1", "in turns"): math.sqrt(1 - h * gamma),
}
for key, value in closed.items():
    assert abs(modulus[key] - value) < 2e-4, key
    print(f"{key[0]:14} {key[1]:9} {value:.4f}")

# %% [markdown]
# Look at what is missing from the list of those that lead home. The
# [two time-scale update rule](../docs/glossary.md#two-time-scale-update-rule) multiplies one row of the matrix; it does not turn the arrows.
# Momentum makes them overshoot. And averaged weights are not in the table at all, because the average does not play:

# %% id="averaged-game"
for order, alternating in TURNS.items():
    game = dirac.play(dirac.Remedy(lr=h, alternating=alternating), turns=600)
    average, mean = dirac.running_average(game, 0.95), dirac.running_mean(game)
    ends = [each[-100:].norm(dim=1).max().item() for each in (game, average, mean)]
    print(
        f"{order:9} the game ends {ends[0]:7.2f} from home, its moving average {ends[1]:6.2f}, the mean of all points {ends[2]:6.3f}"
    )
    assert ends[1] < ends[0] and abs(dirac.growth(average) - dirac.growth(game)) < 1e-3

# %% [markdown]
# The average of a path around home lies nearer to home than the path. It grows by the same factor a turn, since it is the same game seen through a
# slower lens. That is still worth having (you will sample from it below); it is no cure.
#
# The laboratory has all of these under a slider, and one more, clipping. Predict both ends of each before you run it:
#
# 1. Plain, then R1: lower γ until it no longer helps. At which γ, for which $h$?
# 2. Two time scales at 8, averaged weights at 0.95, momentum at 0.5 and at −0.5.
# 3. Clipping at 0.5: neither home nor away. What does its path look like, and what would its loss curve look like?

# %% id="lab"
laboratory_widget = widgets.dirac_laboratory()
laboratory_widget

# %% [markdown]
# ## A bound for each layer
#
# A penalty asks for a small slope at some points. Spectral normalisation (Miyato et al. 2018) builds it in: every weight matrix is divided by its
# [spectral norm](../docs/glossary.md#spectral-norm) σ, its largest singular value, the most by which it lengthens any vector. A chain of such layers
# and of ReLUs, none of which lengthens anything, has a slope of at most 1, everywhere.
#
# A full decomposition at every step would be dear. Power iteration finds σ by multiplying a vector back and forth, and since weights move little in
# a step, one round a step is enough: it goes on from the vector of the step before.


# %%
@exercise("03b.power_iteration")
def power_iteration(matrix, u, steps=1):
    """σ and its two vectors, after `steps` rounds of v ← Wᵀu / ‖Wᵀu‖, u ← Wv / ‖Wv‖; then σ = uᵀWv.

    matrix: W (m, n);  u: (m,), left as it is.  u and v are held fixed, σ is differentiable in the matrix.
    Returns three tensors: σ (), u (m,), v (n,)."""
    ...  # your code


# %% id="power"
draw = runtime.keyed_generator("cpu", 1)
weight = torch.randn(64, 64, generator=draw, dtype=torch.float64) / 8
start = torch.randn(64, generator=draw, dtype=torch.float64)
true = torch.linalg.svdvals(weight)
rounds = [1, 2, 4, 8, 16, 32, 64]
below = [1 - power_iteration(weight, start, steps)[0].item() / true[0].item() for steps in rounds]
assert all(miss > -1e-9 for miss in below) and below[-1] < 1e-3  # never above, and nearer with every round
plots.curves(
    rounds,
    {"estimate / σ": [1 - miss for miss in below]},
    title=f"From a random start, one round finds {1 - below[0]:.0%} of σ, 32 rounds {1 - below[5]:.1%}",
    xlabel="rounds",
    ylabel="estimate / σ",
    log_x=True,
)

# %% [markdown]
# PyTorch has the same as `spectral_norm`, and the course's own `SpectralNorm` is to be read beside it. All three say the same of one layer:

# %% id="three"
torch.manual_seed(0)
ours, theirs = nn.Linear(20, 30).double(), nn.Linear(20, 30).double()
theirs.load_state_dict(ours.state_dict())
exact = (ours.weight / torch.linalg.matrix_norm(ours.weight, 2)).detach()
parametrize.register_parametrization(ours, "weight", SpectralNorm(ours.weight, steps=200))
parametrizations.spectral_norm(theirs, n_power_iterations=200)
raw = theirs.parametrizations.weight.original.detach()
yours = raw / power_iteration(raw, torch.ones(30, dtype=torch.float64), 400)[0]
for name, one in (("ours", ours.weight), ("PyTorch's", theirs.weight), ("with your σ", yours)):
    torch.testing.assert_close(one, exact, atol=1e-6, rtol=1e-5)
    print(f"{name:12} spectral norm {torch.linalg.matrix_norm(one, 2).item():.6f}")

# %% [markdown]
# A convolution's weight is a block (out, in, 3, 3), and it is normalised as the matrix (out, in·3·3): what one *patch* goes through. But patches
# overlap, so each pixel goes through nine of them.
#
# **Predict.** A 3×3 kernel whose reshaped matrix has the spectral norm 1. As a map of whole images, the convolution lengthens some image by a factor of …

# %%
predict("03b.kernel", ["1 at most: it has been normalised", "between 1 and 3", "more than 3, up to 9"])


# %% id="kernels"
def normalised(kernel):
    """The kernel over the spectral norm of its matrix (out, in·h·w)."""
    return kernel / torch.linalg.matrix_norm(kernel.flatten(1), 2)


torch.manual_seed(0)
kernels = {
    "16 → 16, normal": torch.randn(16, 16, 3, 3),
    "3 → 32, PyTorch's start": nn.Conv2d(3, 32, 3).weight.detach(),
    "1 → 1, all nine equal": torch.ones(1, 1, 3, 3),
}
stretch = {
    name: convolution_norm(normalised(kernel), 32, steps=300).item() for name, kernel in kernels.items()
}
hasty = (
    kernels["16 → 16, normal"] / power_iteration(kernels["16 → 16, normal"].flatten(1), torch.randn(16))[0]
)
one_round = (
    torch.linalg.matrix_norm(hasty.flatten(1), 2).item(),
    convolution_norm(hasty, 32, steps=300).item(),
)
print(
    f"after a single round from a random u: spectral norm {one_round[0]:.2f} instead of 1, the convolution {one_round[1]:.2f}"
)
assert all(1 < factor <= 3 for factor in stretch.values())
plots.bars(
    stretch,
    title=f"Kernels of spectral norm 1 lengthen a map of 32×32 by up to {max(stretch.values()):.2f}; √9 = 3 is the most",
    ylabel="norm of the convolution",
    reference=("what is normalised", 1.0),
)

# %% id="reveal-kernel"
largest = max(stretch.values())
reveal(
    "03b.kernel",
    "1 at most: it has been normalised"
    if largest <= 1
    else "between 1 and 3"
    if largest <= 3
    else "more than 3, up to 9",
    f"{', '.join(f'{factor:.2f} ({name})' for name, factor in stretch.items())}. The bound is √(h·w) = 3 for a 3×3 kernel. So the slope of a critic of convolutions is bounded, "
    "by a number that is not 1; what matters for training is that it is bounded and does not grow.",
)

# %% [markdown]
# One more thing that the bound is not: tight. Each layer's worst direction would have to be what the layer before puts out.

# %% id="slopes"
torch.manual_seed(0)
critic = Scores(dim=2, width=64, hidden=3, spectral=True).double()
points = 2 * torch.randn(1000, 2, dtype=torch.float64)
for _ in range(50):
    critic(points)  # in train mode each call is a round of power iteration
slopes = penalties.gradients(critic.eval(), points).norm(dim=1)
assert slopes.max() < 1 + 1e-3
print(
    f"four layers, each of norm 1: bound 1, slopes at 1,000 points {slopes.min():.4f} to {slopes.max():.4f}"
)

# %% [markdown]
# ## Less sure: smoothed labels
#
# A discriminator that is sure has steep logits. [Label smoothing](../docs/glossary.md#label-smoothing) (Salimans et al. 2016) tells it that real images
# are real with probability $t = 0.9$, and leaves the fakes at 0: one side only.


# %%
@exercise("03b.smoothed_loss")
def smoothed_loss(real_logits, fake_logits, target=0.9):
    """The discriminator's cross-entropy with the target t for real images and 0 for fakes, to be minimised.

    real_logits: (N,);  fake_logits: (M,);  target: a number in (0, 1], or (N,), one for each real image.
    Mean over the real ones plus mean over the fakes, from logits, finite for any.  Returns a scalar tensor."""
    ...  # your code


# %% [markdown]
# Which $D$ is best for it? At one place with data density $p$ and sample density $q$ it minimises
# $-p\,[t \log D + (1-t)\log(1-D)] - q \log(1 - D)$, and the answer is $t\,p/(p + q)$. To see it, give every bin of a line a logit of its own and let
# your loss find them:

# %% id="best-smoothed"
p, q = mixtures.mixture([-1.0], stds=0.6), mixtures.mixture([1.0], stds=0.8)
edges = torch.linspace(-3, 3, 31)
centres = (edges[1:] + edges[:-1]) / 2
real_at, fake_at = (
    torch.bucketize(
        mixture.sample(20_000, runtime.keyed_generator("cpu", seed))[:, 0].clamp(-2.99, 2.99), edges
    )
    - 1
    for mixture, seed in ((p, 2), (q, 3))
)


def best_for(target):
    """D in each bin, after gradient descent on your loss."""
    logits = torch.zeros(30, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.3)
    for _ in range(250):
        loss = smoothed_loss(logits[real_at], logits[fake_at], target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return logits.detach().sigmoid()


learned = {target: best_for(target) for target in (1.0, 0.9)}
densities = [mixture.log_prob(centres[:, None]).exp() for mixture in (p, q)]
share = oracle.optimal_discriminator(*densities)
for target, found in learned.items():
    assert (found - target * share).abs().max() < 0.1
plots.curves(
    centres.tolist(),
    {f"target {target:g}: yours": found.tolist() for target, found in learned.items()}
    | {"0.9·p/(p + q)": (0.9 * share).tolist()},
    title=f"Told 0.9, the best D stops at {learned[0.9].max():.2f}, a logit of {math.log(9):.1f}; told 1, at {learned[1.0].max():.3f}",
    xlabel="x (data around −1, samples around 1)",
    ylabel="D(x)",
)

# %% [markdown]
# Smoothing the fakes as well would give $D = (t\,p + (1-t)\,q)/(p+q)$: where there are only samples, D would still grant them $1 - t$, and the
# generator would be told to stay there. Hence one side only.
#
# Some recipes draw the targets anew for each image, uniform in $[0.7, 1]$: [noisy labels](../docs/glossary.md#noisy-labels). The loss is linear in the
# target, so its expected gradient is that of the mean, 0.85:

# %% id="noisy"
scores = torch.tensor([2.0, -0.5, 1.0, 0.3], dtype=torch.float64)


def slope_of(target):
    """The gradient of your loss in four real logits."""
    at = scores.clone().requires_grad_(True)
    return torch.autograd.grad(smoothed_loss(at, torch.zeros(4).double(), target), at)[0]


draw = runtime.keyed_generator("cpu", 4)
noisy = torch.stack([slope_of(losses.noisy_targets((4,), 0.7, 1.0, draw).double()) for _ in range(4000)])
fixed = slope_of(0.85)
print(
    "noisy, mean of 4,000:",
    [round(value, 4) for value in noisy.mean(0).tolist()],
    " each ±",
    round(noisy.std(0)[0].item(), 4),
)
print("fixed at 0.85:       ", [round(value, 4) for value in fixed.tolist()])
torch.testing.assert_close(noisy.mean(0), fixed, atol=2e-3, rtol=0)
assert not torch.allclose(fixed, slope_of(0.9), atol=5e-3)

# %% [markdown]
# ## Counting instead of judging
#
# Now from two numbers to networks. A mode is a hump of the data's density; mode collapse is a generator that leaves some
# or nearly all of them out. By eye that is a matter of opinion, so take worlds whose modes are known: 8 on a ring, 25 on a grid. A sample *belongs* to
# its nearest mode if it lies within three of that mode's standard deviations; a mode is *found* with at least 20 of 1,000 samples.


# %%
@exercise("03b.count_modes")
def count_modes(samples, means, stds, at_least=20):
    """How many modes the samples reach, and the share of the samples that reach one.

    samples: (N, d);  means: (K, d);  stds: (K,), one for each mode.  A sample belongs to its nearest mode alone, if it is
    within three of that mode's standard deviations; a mode counts with at_least samples.  Returns (modes, share)."""
    ...  # your code


# %% id="exact"
for name, world in ablations.WORLDS.items():
    points = world.sample(1000, runtime.keyed_generator("cpu", 5))
    modes, near = count_modes(points, world.means, world.stds)
    print(
        f"1,000 points of the {name} itself: {modes} of {len(world.means)} modes, {near:.3f} near one (1 − exp(−9/2) = {1 - math.exp(-4.5):.3f})"
    )
    assert modes == len(world.means) and abs(near - (1 - math.exp(-4.5))) < 0.02

# %% [markdown]
# ## The tips, one at a time
#
# One run is an anecdote, so all games of a comparison are played at once, as one batch, five seeds each. The plain game: two small networks, the
# non-saturating loss, Adam with β₁ = 0.5 and a rate of 0.002 for both. Play one change beside it. (`ablations.SETTINGS` has all the names.)

# %% id="change"
change = "target 0.9"  # any of list(ablations.SETTINGS)
where = "ring"  # or "grid"

# %% id="played"
setting, world = ablations.SETTINGS[change], ablations.WORLDS[where]
versions = {
    "plain": {},
    change: {"lr_g": setting.lr_g, "lr_d": setting.lr_d, "beta1": setting.beta1} | setting.options,
}
played = {
    name: ManyGames(world, seeds=range(live_seeds), **options).play(live_steps)
    for name, options in versions.items()
}
live = {
    name: [count_modes(points, world.means, world.stds)[0] for points in games.samples()]
    for name, games in played.items()
}
assert all(live[name] == [each.found for each in games.modes()] for name, games in played.items())
plots.clouds(
    {f"{name}: {live[name][0]} modes": games.samples()[0] for name, games in played.items()},
    together=True,
    ellipses=False,
    size=4.2,
    title=f"After {live_steps} steps, seed 0: {live['plain'][0]} of {len(world.means)} modes plain, {live[change][0]} with {change}",
    alt=f"1,000 samples of the plain game and of one with {change} on the {where}, after {live_steps} steps, seed 0. Modes found by each seed: plain {live['plain']}, "
    f"{change} {live[change]}.",
)

# %% [markdown]
# What this machine cannot wait for was played before and recorded: every tip of the list on both worlds, five seeds, each change alone.
#
# **Predict.** Momentum 0.9, Adam's default, in place of the lesson's 0.5. On the ring, five seeds find of the 40 modes …

# %%
predict("03b.beta1", ["more than with 0.5", "as many, within 4", "fewer"])

# %% id="recorded"
recorded = {world: ablations.load(world) for world in ablations.WORLDS}
found = {
    world: {name: counts["found"] for name, counts in facts["results"].items()}
    for world, facts in recorded.items()
}
of_ring = {name: sum(counts) for name, counts in found["ring"].items()}  # of 40, five seeds together
for world, facts in recorded.items():
    print(
        f"{world}: {facts['steps']:,} steps, {facts['seeds']} seeds, {len(facts['results'])} settings, modes with at least {facts['at_least']} of "
        f"{facts['samples']:,} samples; {facts['minutes']} minutes"
    )

# %% id="reveal-beta1"
default, lower = of_ring["β₁ = 0.9"], of_ring[ablations.PLAIN]
reveal(
    "03b.beta1",
    "as many, within 4"
    if abs(default - lower) <= 4
    else "fewer"
    if default < lower
    else "more than with 0.5",
    f"{default} of 40 with 0.9, {lower} with 0.5, {of_ring['β₁ = 0']} with 0. A move that goes on for ten steps is long compared with the time in which the opponent's field turns.",
)

# %% id="tips-figure"
SHOWN = {
    ablations.PLAIN: "plain",
    "G 0.002, D 0.008": "D four times as fast",
    "5 steps of D": "five steps of D",
    "β₁ = 0": "β₁ = 0",
    "β₁ = 0.9": "β₁ = 0.9",
    "target 0.9": "labels smoothed to 0.9",
    "R1": "R1, γ = 1",
    "WGAN-GP": "WGAN-GP",
    "WGAN-GP, 5 steps of D": "WGAN-GP, five steps of D",
    "spectral norm, hinge": "spectral norm, hinge",
    "minibatch deviation": "minibatch deviation",
    "diversity": "diversity term",
    ablations.AVERAGED: "plain, averaged weights",
}
best, worst = (pick(SHOWN, key=of_ring.get) for pick in (max, min))
plots_games.counts(
    {label: {"ring": found["ring"][name]} for name, label in SHOWN.items()},
    {"ring": 8},
    reference="plain",
    title=f"One change at a time, five seeds: from {of_ring[worst]} of 40 modes ({SHOWN[worst]}) to {of_ring[best]} ({SHOWN[best]})",
)

# %% [markdown]
# Read the dots and not the bars: two seeds of one setting can be as far apart as two settings. Three things to take from it. Adam's default momentum
# ruins this game. The bounded critics (WGAN-GP, also with five steps of it, and spectral normalisation) have found as little after equally many steps:
# a slope of 1 is gentle where humps are 0.1 wide, and a bound is not a gift. And what only looks at the game, the average, cannot find what the game has
# not found; here it lags behind.
#
# What about 25 modes? The same networks for two and a half times as many steps:

# %% id="grid"
for name, counts in found["grid"].items():
    near = recorded["grid"]["results"][name]["high_quality"]
    print(f"{name:20} modes of 25: {counts}   share near a mode: {min(near):.2f} to {max(near):.2f}")
most = max(max(counts) for counts in found["grid"].values())
print(
    f"At most {most} of 25, in {recorded['grid']['steps']:,} steps; points spread evenly would be near a mode in {25 * math.pi * 0.15**2 / 16:.0%} of cases"
)

# %% [markdown]
# None of these tips finds the grid in so many steps. It is not too much for these networks: chapter 03's games, with other rates and more updates, found
# more. A tip that works on one world is a tip for that world.

# %% [markdown]
# ## Rates and balance
#
# "Two learning rates" is a statement about a ratio, and "balance" is another word for it. So here is the whole square, three rates of the generator
# times three of the discriminator, on the ring:

# %% id="rates"
square = {
    (rate_g, rate_d): of_ring[f"G {rate_g:g}, D {rate_d:g}"] / ablations.SEEDS
    for rate_g in ablations.RATES
    for rate_d in ablations.RATES
}
top, bottom = max(square, key=square.get), min(square, key=square.get)
plots_games.rates_map(
    square,
    total=8,
    title=f"Modes of 8: {square[top]:.1f} with G {top[0]:g}, D {top[1]:g}; {square[bottom]:.1f} with G {bottom[0]:g}, D {bottom[1]:g}",
)

# %% id="rates-said"
faster = {
    "D faster": [square[pair] for pair in square if pair[1] > pair[0]],
    "equal": [square[pair] for pair in square if pair[1] == pair[0]],
    "G faster": [square[pair] for pair in square if pair[1] < pair[0]],
}
mean = {name: sum(values) / len(values) for name, values in faster.items()}
print(
    "modes of 8, mean over three pairs of rates each:",
    {name: round(value, 2) for name, value in mean.items()},
)
assert mean["D faster"] > mean["G faster"] + 2 and top[0] == top[1]

# %% [markdown]
# So the rule of two time scales is good advice for networks as far as it says that the discriminator must not be the slower one (the best square has equal
# rates), although it does nothing for the Dirac game.
# No contradiction: there the field itself turns. Here the question is whether the discriminator keeps up with a generator that moves through its
# samples' whole plane. A remedy that helps in practice need not be one that leads home, and the other way round.
#
# [Capacity](../docs/glossary.md#capacity) is a balance too. The same game with narrow networks:

# %% id="capacity"
names = [ablations.PLAIN, "G of width 4", "D of width 4"]
small = {name: of_ring[name] / ablations.SEEDS for name in names}
plots_games.counts(
    {name.replace(ablations.PLAIN, "both of width 64"): {"ring": found["ring"][name]} for name in names},
    {"ring": 8},
    reference="both of width 64",
    title=f"A G of width 4 finds {small['G of width 4']:.1f} modes; against a D of width 4, G finds {small['D of width 4']:.1f}",
)

# %% [markdown]
# ## Samples from an average
#
# A generator that circles can be caught at a bad moment. So samples are drawn from an
# [exponential moving average](../docs/glossary.md#exponential-moving-average) of its weights. Its memory is best given in images, as a half-life:
# then a change of the batch size does not change what is averaged.


# %%
@exercise("03b.ema")
def ema(average, weights, batch_size, half_life_kimg):
    """The average of the weights after one more step.

    average, weights: tensors of one shape, left as they are;  batch_size: images in this step;
    half_life_kimg: after so many thousand images, what the average was counts half.  Returns a new tensor without a graph."""
    ...  # your code


# %% id="averaged-ring"
ring = ablations.WORLDS["ring"]
games = ManyGames(ring, seeds=[0], lr_d=6e-3)
average, quality = games.g.weights.detach(), {"the weights": [], "their average": []}
moments = range(0, live_steps, max(1, live_steps // 30))
for step in range(live_steps):
    games.play(1)
    average = ema(average, games.g.weights, 64, 6.4)  # half-life: 100 steps of 64 images
    if step in moments:
        for name, weights in zip(quality, (None, average)):
            quality[name].append(count_modes(games.samples(weights)[0], ring.means, ring.stds)[1])
half = len(quality["the weights"]) // 2
jumps = {name: torch.tensor(values[half:]).diff().abs().mean().item() for name, values in quality.items()}
plots.curves(
    list(moments),
    quality,
    title=f"From moment to moment the weights' share near a mode jumps by {jumps['the weights']:.3f}, the average's by {jumps['their average']:.3f}",
    xlabel="steps",
    ylabel="share of samples near a mode",
)

# %% id="averaged-recorded"
for world, facts in recorded.items():
    near = {
        name: sum(facts["results"][name]["high_quality"]) / facts["seeds"]
        for name in (ablations.PLAIN, ablations.AVERAGED)
    }
    print(
        f"recorded, {world}: share near a mode {near[ablations.PLAIN]:.2f} with the weights, {near[ablations.AVERAGED]:.2f} with their average; "
        f"modes of five seeds {found[world][ablations.PLAIN]} and {found[world][ablations.AVERAGED]}"
    )

# %% [markdown]
# ## Showing the critic a batch
#
# Why does a collapsed generator get away with it? Because a critic looks at one image at a time, and one perfect image is perfect. The
# [minibatch standard deviation](../docs/glossary.md#minibatch-standard-deviation) (Karras et al. 2017) shows it the crowd: one more channel, with a
# number in it that says how much a group of images differs.


# %%
@exercise("03b.minibatch_std")
def minibatch_std(x, group):
    """The features with one more channel, which holds at every place how much the images of a group differ.

    x: (N, C, H, W), N a multiple of group.  Image i is grouped with i + N/group, i + 2N/group, …: x.reshape(group, N/group, …).
    For each group, channel and place the root of (population variance + 10⁻⁸), averaged over channels and places.
    Returns (N, C + 1, H, W), the new channel last."""
    ...  # your code


# %% id="crowds"
generator, _ = zoo.load("dcgan-fashion")
drawn = zoo.sample(generator, 64)
crowds = {
    "64 photographs": data.to_float(data.load("fashion-mnist", "test").pixels[:64]),
    "64 samples of the DCGAN": data.centre(drawn, 28),
    "4 of them, 16 times each": data.centre(drawn[:4].repeat(16, 1, 1, 1), 28),
    "one of them, 64 times": data.centre(drawn[:1].repeat(64, 1, 1, 1), 28),
}
statistic = {
    name: minibatch_std(images, len(images))[0, -1, 0, 0].item() for name, images in crowds.items()
}
assert statistic["one of them, 64 times"] < 1e-3 < statistic["64 photographs"]
plots.bars(
    statistic,
    title=f"A copied image gives {statistic['one of them, 64 times']:.4f}, photographs {statistic['64 photographs']:.2f}: a critic that is shown this number cannot miss it",
    ylabel="minibatch deviation (pixels in [−1, 1])",
)

# %% [markdown]
# The other way is to pay the *generator* for variety: a term that is large where different latents give like images,
# [diversity regularisation](../docs/glossary.md#diversity-regularisation) (here Mao et al. 2019). Look for both in the figure above, then at the two
# rows where they matter: a generator five times as fast as in the plain game, against a D of half its rate, without and with the term.

# %% id="diversity"
pair = ("G fast", "G fast, diversity")
for name in pair:
    print(f"{name:18} modes of 8, five seeds: {found['ring'][name]}")
assert of_ring[pair[1]] > of_ring[pair[0]]

# %% [markdown]
# ## All of it together, and one word more
#
# A network of today's recipe (Huang et al. 2025): residual blocks, pairs with R1 and R2, no normalisation in the critic, averaged weights. In the second
# of its two recorded runs both players are also **told the class**, [class-conditionally](../docs/glossary.md#conditional-generation): G is given an
# embedding of the label beside z, and D adds e(y)·φ(x), the label's embedding times its own features ([projection](../docs/glossary.md#projection-discriminator),
# Miyato, Koyama 2018), so that it answers for *this image as a sandal*. Every fake has the class of a real image of its batch. `training.fit` does that for any two networks built with
# `classes=10`.
#
# So z need not say any more what kind of thing it is. **Predict.** One latent, told the ten classes in turn: what do its ten images have in common?

# %%
predict(
    "03b.one_latent",
    [
        "their shade: a dark shirt goes with dark shoes",
        "nothing: in each class the latent means something else",
        "nothing to see: told the class, G draws one image a class",
    ],
)

# %% id="one-latent"
told, _ = zoo.load("residual-fashion-classes")
photographs = data.load("fashion-mnist", "test")
classes = photographs.class_names
wardrobe = torch.stack(  # (class, latent, 1, 32, 32): the same 200 latents for every class
    [zoo.sample(told, 200, labels=torch.full((200,), label)) for label in range(len(classes))]
)
shade = wardrobe.mean((2, 3, 4))
real_shade = data.to_float(photographs.pixels).mean((1, 2, 3)) * (28 / 32) ** 2
spread = {
    "photographs": sum(real_shade[photographs.labels == label].std() for label in range(10)).item() / 10,
    "samples": shade.std(1).mean().item(),
}
between = torch.corrcoef(shade)[~torch.eye(10, dtype=torch.bool)]
six = shade.mean(0).argsort()[4::38]  # of 200, from dark to light
plots.image_grids(
    {"": wardrobe[:, six].transpose(0, 1).flatten(0, 1)},
    columns=10,
    panel=7.5,
    title=f"Each row is one latent, each column a class: their shades correlate by {between.mean():.2f}",
    alt=f"{len(six)} rows of ten samples each, from {classes[0]} to {classes[9]}. Within a row shade and texture are alike; from row to row they grow lighter.",
)

# %% id="reveal-one-latent"
answer = (
    "nothing to see: told the class, G draws one image a class"
    if spread["samples"] < 0.3 * spread["photographs"]
    else "their shade: a dark shirt goes with dark shoes"
    if between.mean() > 0.4
    else "nothing: in each class the latent means something else"
)
reveal(
    "03b.one_latent",
    answer,
    f"Mean shades of two classes, over 200 latents: correlation {between.mean():.2f}, between {between.min():.2f} and {between.max():.2f} for single pairs. "
    f"Within a class shades deviate by {spread['samples']:.2f}, photographs' by {spread['photographs']:.2f}. Nobody asked for it: no loss compares a shirt with a shoe. "
    "It is the simplest way to use one set of weights for all ten.",
)

# %% [markdown]
# What did it all bring? Three recorded generators of the same photographs, 10,000 samples each against the 10,000 test photographs: the course's own
# distance (chapter 02), [FID](../docs/glossary.md#frechet-inception-distance) by the published Inception, and the share of samples of which the classifier is sure.

# %% id="together"
RECORDED = {
    "dcgan-fashion": "DCGAN",
    "residual-fashion": "residual, pairs, R1 + R2",
    "residual-fashion-classes": "… three times as wide, told the class",
}
cards = {name: zoo.card(name) for name in RECORDED}
by_inception = {name: card["measured"]["fid-inception"]["metrics"]["fid"] for name, card in cards.items()}
own = {name: card["metrics"]["fid"] for name, card in cards.items()}
published = {name: row["samples"]["value"] for name, row in by_inception.items()}
weights = {name: sum(card["parameters"].values()) for name, card in cards.items()}
seen = {name: card["config"]["steps"] * card["config"]["batch_size"] for name, card in cards.items()}
print(f"{'':36} {'weights':>9} {'images':>9} {'minutes':>8} {'distance':>9} {'FID':>6} {'sure':>6}")
for name, label in RECORDED.items():
    card = cards[name]
    print(
        f"{label:36} {weights[name]:9,} {seen[name] / 1e6:8.2f}M {card['minutes']:8.0f} "
        f"{own[name]:9.2f} {published[name]:6.2f} {card['metrics']['sure']:6.1%}"
    )
assert own["residual-fashion-classes"] < own["dcgan-fashion"] < own["residual-fashion"]
assert published["residual-fashion-classes"] < published["dcgan-fashion"] < published["residual-fashion"]
assert 2 < seen["residual-fashion-classes"] / seen["dcgan-fashion"] < 2.2
assert 0.3 < seen["residual-fashion"] / seen["dcgan-fashion"] < 0.37
assert 0.09 < weights["residual-fashion"] / weights["dcgan-fashion"] < 0.11
assert 0.7 < weights["residual-fashion-classes"] / weights["dcgan-fashion"] < 0.8
assert (
    cards["residual-fashion-classes"]["metrics"]["sure"] > cards["dcgan-fashion"]["metrics"]["sure"] + 0.1
)
floor = by_inception["dcgan-fashion"]["floor"]["value"]
print(
    f"The FID of 10,000 training photographs is {floor:.2f}; of the test photographs the classifier is sure of {cards['dcgan-fashion']['metrics']['real_sure']:.1%}."
)

# %% [markdown]
# The small residual network saw a third of the DCGAN's images, has a tenth of its weights, and stays behind it. Told the class, and three times as wide, it has
# three quarters of the DCGAN's weights and saw twice its images; both judges put it first, the course's classifier and the Inception, which knows nothing of
# clothes (chapters 04 and 04b), and the classifier is far surer of its samples. But it was *told* something that the other two had to find
# out: the number of a network that is told the class is compared with the numbers of others that are told.
#
# ### What lies between a sandal and a bag?
#
# Why is the classifier so much surer of the samples of the one that was told? Take the images of which it is *not* sure (no class above 0.9), and ask which two classes it hesitates
# between. A shirt that might be a T-shirt: photographs ask that too. A thing that might be a sandal or a bag is another matter. So the ten classes are sorted
# into three kinds, clothes, shoes and bags, and what lies between two *kinds* is counted.
#
# **Predict.** Of the DCGAN's samples, how many times as large a share lies between two kinds as of the photographs?

# %%
predict("03b.between", ["about the same share", "two to four times", "five times or more"])

# %% id="between"
looked_at = runtime.by_profile(ci=1000, laptop=4000, gpu=4000)
sets = {
    "photographs": data.to_float(photographs.pixels[:looked_at]),
    "DCGAN": zoo.sample(generator, looked_at),
    "residual, not told": zoo.sample(zoo.load("residual-fashion")[0], looked_at),
    "… told the class": wardrobe.flatten(0, 1),
}
probabilities = {name: judging.classify(images)[1] for name, images in sets.items()}
mixed = {name: judging.between_kinds(each) for name, each in probabilities.items()}
share = {name: found.double().mean().item() for name, found in mixed.items()}
unsure = {
    name: (each.amax(1) <= judging.SURE).double().mean().item() for name, each in probabilities.items()
}
for name, images in sets.items():
    print(
        f"{name:18} N = {len(images):5,}: not sure of {unsure[name]:5.1%}, between two kinds {share[name]:.2%}"
    )
assert share["DCGAN"] < 0.5 * (unsure["DCGAN"] - unsure["photographs"])  # most hesitation is within a kind
told_share = share["… told the class"]
for name in ("DCGAN", "residual, not told"):
    assert share[name] > 4 * share["photographs"] and share[name] > 3 * told_share
shown = mixed["DCGAN"].nonzero()[:30, 0]
pairs = Counter(
    " or ".join(classes[index] for index in sorted(two))
    for two in probabilities["DCGAN"][mixed["DCGAN"]].topk(2).indices.tolist()
)
plots.image_grids(
    {"": data.centre(sets["DCGAN"][shown], 28)},
    columns=10,
    panel=7.5,
    title=f"Between two kinds lie {share['DCGAN']:.1%} of the DCGAN's samples and {share['photographs']:.1%} of the photographs",
    alt=f"{len(shown)} samples of the DCGAN that are between two kinds of things, half one and half the other: a boot with the handle of a bag is among them. The commonest pairs: "
    + ", ".join(f"{pair} ({count})" for pair, count in pairs.most_common(3)),
)

# %% id="reveal-between"
ratio = share["DCGAN"] / max(share["photographs"], 1 / looked_at)
reveal(
    "03b.between",
    "about the same share" if ratio < 1.5 else "two to four times" if ratio < 4.5 else "five times or more",
    f"{ratio:.1f}. The DCGAN's latents are one connected cloud and G is continuous, so on every way from a latent of a sandal to one of a bag there is a place where two classes are equally probable and the classifier is sure of none; "
    f"training can make that stretch narrow, not empty. Told the class, G has ten clouds, and {told_share:.2%} of its samples lie between; of its small brother, which is told nothing, {share['residual, not told']:.1%}. "
    "This is the smaller part of what the classifier is not sure of: the larger lies between neighbours, as pullovers and shirts do among photographs.",
)

# %% [markdown]
# ## The failure museum
#
# Nine runs of one small pair of networks on Fashion-MNIST, minutes each. Seven have one fault. You see what every log shows: losses,
# mean logits, gradient norms. Name the fault; then the samples are unveiled.
#
# 1. First sort by the *gradient norms*: which vanish, which grow without end, which jump?
# 2. Then the *logits*: are they at 0, apart, or running away?
# 3. One fault leaves the mean losses where a healthy run has them. Which, and what in its curves might have warned you?

# %% id="museum"
failures = widgets.museum()
failures

# %% [markdown]
# And now with the lights on. (If you have not been through the museum, go first.)

# %% id="lights"
runs = {name: museum.load(name) for name in museum.names()}
entropies = {name: run.moments[-1]["class_entropy"] for name, run in runs.items()}
poorest = min(("healthy", "collapse"), key=entropies.get)
plots_games.exhibits(
    {museum.EXHIBITS[name].diagnosis: (run.history, run.images[-1]) for name, run in runs.items()},
    title=f"Nine runs, one fault in seven of them. Class entropy in the end: healthy {entropies['healthy']:.2f}, collapsed {entropies['collapse']:.2f} of {museum.LOG_CLASSES:.2f}",
    alt="For each of nine runs its losses, logits and gradient norms over the steps (blue: discriminator or real images, orange dashed: generator or fakes), and 16 samples. "
    + " ".join(f"{museum.EXHIBITS[name].diagnosis}: {museum.EXHIBITS[name].seen}" for name in runs),
)

# %% id="signs"
print(f"{'':34} {'|g of G|, last 20 %':>20} {'logits apart':>13} {'entropy':>8}")
for name, run in runs.items():
    late = run.history.rows[-len(run.history) // 5 :]
    gradient, apart = (
        sum(each) / len(late)
        for each in (
            [row["g_gradient_norm"] for row in late],
            [row["real_logit"] - row["fake_logit"] for row in late],
        )
    )
    print(f"{museum.EXHIBITS[name].diagnosis:34} {gradient:20.3g} {apart:13.2f} {entropies[name]:8.2f}")

# %% [markdown]
# ## What people get wrong
#
# That averaging, two rates and momentum bend the field inwards was run at the start of this chapter. Four more.
#
# ### "Mode collapse is solved by WGAN", and "the gradient penalty prevents collapse"
#
# **Predict.** WGAN with a gradient penalty of weight 10 and a generator that is ten times as fast as the critic, five seeds on the ring of 8. Of the
# 40 modes they find …

# %%
predict("03b.collapse", ["more than 30: the penalty prevents collapse", "10 to 30", "fewer than 10"])

# %% id="collapse"
seeds, fast = range(live_seeds), {"lr_g": 1e-2, "lr_d": 1e-3}
wgan = {"loss": "wasserstein", "penalty": "gradient_penalty", "penalty_weight": 10.0}
collapsing = ManyGames(ring, seeds=seeds, **fast, **wgan).play(400)
samples = collapsing.samples()
modes = [count_modes(points, ring.means, ring.stds)[0] for points in samples]
equal = ManyGames(ring, seeds=seeds, lr_g=2e-3, lr_d=2e-3, **wgan).play(400)
spread, even = (games.samples().std(1).mean(1).median().item() for games in (collapsing, equal))
assert spread < even / 5  # collapsed, where the same steps at equal rates are merely not there yet
critic = {name: rows[0] for name, rows in collapsing.d.rows().items()}  # of seed 0
places = ring.sample(500, runtime.keyed_generator("cpu", 6))
slope = (
    penalties.gradients(lambda points: collapsing.d.run(critic, points), places).norm(dim=1).mean().item()
)
plots.clouds(
    {f"seed {seed}: {modes[seed]} of 8 modes": samples[seed] for seed in list(seeds)[:2]}
    | {"the data": places},
    together=True,
    ellipses=False,
    title=f"WGAN-GP, generator too fast: spread {spread:.2f}, at equal rates {even:.2f}, data {places.std(0).mean():.2f}; the critic's mean slope is {slope:.2f}",
    alt=f"Samples of two seeds after 400 steps, nearly all on one spot (deviation {spread:.2f}, median over seeds), beside the ring of eight humps with deviation {places.std(0).mean():.2f}. "
    f"Modes found by each seed: {modes}.",
)

# %% id="reveal-collapse"
total = of_ring["WGAN-GP, G fast"]
answer = (
    "fewer than 10"
    if total < 10
    else "10 to 30"
    if total <= 30
    else "more than 30: the penalty prevents collapse"
)
reveal(
    "03b.collapse",
    answer,
    f"{total} of 40 after {ablations.STEPS['ring']:,} steps; {of_ring['G fast']} with the same rates and no penalty; {of_ring['WGAN-GP, 5 steps of D']} with the penalty, equal rates and five steps of the "
    f"critic. So few modes alone would not tell a collapse from a game that is slow; the spread does: {spread:.2f} in the run above, {even:.2f} at equal rates. The penalty does its work all the same: the slope in the run above is {slope:.2f}. A slope of 1 tells every sample the same way to go, and a fast generator takes all of them there at once.",
)

# %% [markdown]
# ### "Stable losses mean diversity"
#
# Two runs of the museum, the healthy one and the collapsed one, in the last third of their steps. D's loss of the collapsed run swings more, which
# says that something is wrong, and not what:

# %% id="calm"
calm, level = {}, {}
for name in ("healthy", "collapse"):
    rows = runs[name].history.rows[-len(runs[name].history) // 3 :]
    losses_of_d = torch.tensor([row["d_loss"] for row in rows])
    calm[name], level[name] = losses_of_d.std().item(), losses_of_d.mean().item()
    print(
        f"{name:9} D's loss {level[name]:.3f} ± {calm[name]:.3f}   class entropy of 1,000 samples {entropies[name]:.2f} of {museum.LOG_CLASSES:.2f}"
    )
assert (
    entropies["collapse"] < 0.5 * entropies["healthy"] and abs(level["collapse"] - level["healthy"]) < 0.15
)
plots.image_grids(
    {f"{name}: D's loss {level[name]:.2f} ± {calm[name]:.2f}": runs[name].images[-1] for name in calm},
    title=f"One of these has a class entropy of {entropies['collapse']:.2f}; D's mean losses are {abs(level['collapse'] - level['healthy']):.2f} apart",
    alt=f"16 samples each: the healthy run's are different clothes, the collapsed run's are alike. D's loss moves by {calm['healthy']:.3f} and by {calm['collapse']:.3f}.",
    columns=4,
)

# %% [markdown]
# ### "BatchNorm in the critic is as good as anywhere", under a gradient penalty
#
# The penalty takes the gradient of the *sum* of all logits in each image, which is each image's own slope if images do not see each other. With
# BatchNorm they do. The clearest case is a critic that ends in it: its logits then have the mean 0 in every batch, so their sum is 0 whatever the images
# are, and has no slope.

# %% id="batch-norm"
torch.manual_seed(0)
images = torch.randn(64, 10)
direction = torch.randn(10)
print(f"{'gain':>6} {'own slope of a logit':>21} {'slope that is penalised':>24} {'penalty':>8}")
for gain in (0.1, 1.0, 100.0):

    def critic(x, gain=gain):
        return gain * nn.functional.batch_norm(x @ direction[:, None], None, None, training=True)[:, 0]

    own = museum.coupling(critic, images)[0]
    penalised = penalties.gradients(critic, images).norm(dim=1).mean().item()
    penalty = penalties.gradient_penalty(critic, images, torch.randn(64, 10)).item()
    print(f"{gain:6.1f} {own:21.2f} {penalised:24.6f} {penalty:8.3f}")
    assert penalised < 1e-3 * own and abs(penalty - 1) < 0.05

# %% [markdown]
# The penalty is 1 for a critic as flat as for one as steep as you like: it bounds nothing. With BatchNorm in the middle it bounds a mixture of one's
# own slope and everybody else's. In the museum's run:

# %% id="coupled"
for name in ("penalised", "batch_norm"):
    own, foreign = runs[name].coupling
    print(
        f"{museum.EXHIBITS[name].diagnosis:40} a logit's slope in its own image {own:7.3f}, in the 63 others {foreign:7.3f}"
    )
assert runs["penalised"].coupling[1] == 0 < runs["batch_norm"].coupling[1]

# %% [markdown]
# Layer normalisation, or none, is what the penalty's authors used. `fit` warns if you combine the two.

# %% [markdown]
# ## In your own words

# %%
explain("03b.words")

# %%
quiz("03b.check")

# %% [markdown]
# ## What to keep
#
# - A turn of a game is a matrix; its largest modulus decides. R1 leads home if γ lies between h and about 2/h; two rates give √(1 + h·h_d), momentum more; in turns the plain game
#   stays where it is. Averages do not play.
# - Spectral normalisation bounds the reshaped kernel. The convolution may stretch √(h·w) times as much. One round of power iteration a step, going on
#   from the last.
# - Smoothed on one side, the best D is t·p/(p + q). Noisy targets in [0.7, 1] are 0.85 and some noise.
# - Neither loss pays for variety. Count modes, with N and the least count beside it, for several seeds; measure class entropy or recall where modes are
#   unknown.
# - Read a log by its gradient norms and logits; then look at samples. BatchNorm and a gradient penalty do not go together.
#
# Further reading: Mescheder, Geiger, Nowozin 2018 ([arXiv:1801.04406](https://arxiv.org/abs/1801.04406)) for the matrix and what leads home; Gidel et al.
# 2018 ([arXiv:1807.04740](https://arxiv.org/abs/1807.04740)) for negative momentum; Miyato et al. 2018
# ([arXiv:1802.05957](https://arxiv.org/abs/1802.05957)) for spectral normalisation, and Sedghi, Gupta, Long 2018
# ([arXiv:1805.10408](https://arxiv.org/abs/1805.10408)) for what a convolution's singular values are; Salimans et al. 2016
# ([arXiv:1606.03498](https://arxiv.org/abs/1606.03498)) for smoothing and the first look at a minibatch; Heusel et al. 2017
# ([arXiv:1706.08500](https://arxiv.org/abs/1706.08500)) for two time scales; Karras et al. 2017 ([arXiv:1710.10196](https://arxiv.org/abs/1710.10196))
# for the minibatch deviation; Mao et al. 2019 ([arXiv:1903.05628](https://arxiv.org/abs/1903.05628)) for the diversity term.

# %% id="running-on"
running_on("03b")

# %% id="report"
facts = zoo.card("dcgan-fashion")["metrics"]
shares = torch.tensor(facts["class_shares"])
entropy = -torch.xlogy(shares, shares).sum().item()
add_to_report(
    "03b",
    f"No class is missing from {facts['n']:,} samples of the recorded DCGAN: class entropy {entropy:.3f} of log 10 = {museum.LOG_CLASSES:.3f}, smallest share {shares.min():.3f}. "
    "A collapse within a class would not show in this number, and in neither loss.",
)

# %% id="progress"
progress("03b")
