# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 01 · The min-max game: what are the two players playing for?
#
# One player makes points out of noise, the other says which points are real. Whoever names the stakes of this [min-max game](../docs/glossary.md#min-max-game), a
# single number $V$, has said nearly all there is to say about GANs. Here the game is played where everything is known: on distributions whose densities can be
# written down, so that each claim about "the [optimal discriminator](../docs/glossary.md#optimal-discriminator)" or "the divergence" can be checked to the tenth digit.
#
# **You will** write the game's value, its best discriminator, the divergence behind it, both generator losses, and two steps of the
# smallest GAN there is · **you will know** what a GAN minimises, when its gradient dies, and why two players who both improve need not
# get anywhere · **you need** chapter 00, logarithms, autograd · **time**: an hour, of which your machine computes under a minute.

# %% id="imports"
import math

import torch
import torch.nn.functional as F
from course_lib import data, metrics, oracle, plots, runtime, widgets
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
from course_lib.oracle import F_DIVERGENCES, dirac
from course_lib.training.game2d import Points, Scores
from course_lib.zoo.judging import classify

# %% id="knobs"
# Knobs: how long this machine trains.
d_training_steps = runtime.by_profile(ci=600, laptop=3000, gpu=3000)
g_training_steps = runtime.by_profile(ci=400, laptop=3000, gpu=3000)

# %% [markdown]
# ## Two questions on what you know already

# %%
quiz("01.recall")

# %% [markdown]
# ## A world where the truth is known
#
# Three distributions, and they are easily confused. The [latent prior](../docs/glossary.md#latent-prior), of the noise $z \sim \mathcal N(0, 1)$, which we choose. The
# [data distribution](../docs/glossary.md#data-distribution) $p$, which is what it is. The [model distribution](../docs/glossary.md#model-distribution) $q$, that of $G(z)$. A text that says "the data are assumed to be normal" has mixed up the first
# and the second. Here $p$ is a [Gaussian mixture](../docs/glossary.md#gaussian-mixture) with two humps, and the generator can only stretch and shift, $G(z) = az + b$, so that $q = \mathcal N(b, a^2)$.

# %% id="world"
p = mixtures.mixture([-1.5, 1.2], stds=[0.4, 0.7], weights=[0.35, 0.65])
a, b = 1.2, 0.6
q = mixtures.mixture([b], stds=a)

x = torch.linspace(-4.5, 4.5, 361, dtype=torch.float64)[:, None]
p_x, q_x = p.log_prob(x).exp(), q.log_prob(x).exp()
draws = p.sample(20_000, runtime.keyed_generator("cpu", 1)).double()[:, 0]
z = torch.randn(20_000, generator=runtime.keyed_generator("cpu", 2), dtype=torch.float64)


def kurtosis(values):
    return ((values - values.mean()) / values.std()).pow(4).mean().item()


assert abs(kurtosis(z) - 3) < 0.15 < abs(kurtosis(draws) - 3)  # the noise is normal; the data are not
plots.curves(
    x[:, 0].tolist(),
    {"data p": p_x.tolist(), "model q": q_x.tolist()},
    title=f"Kurtosis, how heavy tails are, is 3 for a normal: noise {kurtosis(z):.2f}, data {kurtosis(draws):.2f}",
    xlabel="x",
    ylabel="density",
)

# %% [markdown]
# ## The stakes
#
# $D$ looks at a point and says how probable it is that the point is real. It is paid by the logarithm of the probability that it gave
# to the truth:
#
# $$V(D, G) = \mathbb E_{x \sim p} \log D(x) + \mathbb E_{x \sim q} \log\bigl(1 - D(x)\bigr)$$
#
# $D$ wants this [value function](../docs/glossary.md#value-function) as large as possible, $G$ as small as possible (its negative is [binary cross-entropy](../docs/glossary.md#binary-cross-entropy), summed
# over the two kinds). The networks return **logits**, $D(x) = \sigma(\text{logit})$, and you have
# one sample of each kind.


# %%
@exercise("01.value")
def value(real_logits, fake_logits):
    """V(D, G), estimated from the discriminator's logits on real and on generated points.

    real_logits: (N,);  fake_logits: (M,), any numbers, also ±200.  Returns a scalar tensor, differentiable, in nats."""
    ...  # your code


# %% id="estimate"
def guess(points):  # some discriminator: the further right, the more real
    return 0.8 * points[:, 0]


exact = oracle.game_value(p, q, logits=guess)  # integrated over the densities
count = 20_000
estimate = value(
    guess(p.sample(count, runtime.keyed_generator("cpu", 3))),
    guess(q.sample(count, runtime.keyed_generator("cpu", 4))),
).item()
assert abs(estimate - exact) < 0.03
print(f"V by integration {exact:.4f}, from {count:,} points of each kind {estimate:.4f}")

# %% [markdown]
# ## The best discriminator
#
# Hold $G$ still. At a single point $x$, all that $D$ can choose is one number, and the point contributes $p \log D + q \log(1 - D)$.
#
# **Predict.** At some point the data are three times as dense as the model's samples. A text says: "for fakes D must be 0, for real
# images 1". What does the *best* discriminator say there?

# %%
predict("01.three_to_one", ["1: more real than fake", "0.75", "0.5", "3"])


# %%
@exercise("01.optimal_discriminator")
def optimal_discriminator(p, q):
    """D*(x), the discriminator with the largest V against this generator, at each point.

    p, q: densities of data and model at the same points, any shape, not both 0.  Returns probabilities, same shape."""
    ...  # your code


# %% id="reveal-three"
at_three = optimal_discriminator(torch.tensor(3.0), torch.tensor(1.0)).item()
always_sure = oracle.game_value(
    p, q, logits=lambda points: torch.where(oracle.optimal_logits(p, q, points) > 0, 4.0, -4.0)
)
best = oracle.game_value(p, q)
assert always_sure < best
reveal(
    "01.three_to_one",
    {1.0: "1: more real than fake", 0.75: "0.75", 0.5: "0.5", 3.0: "3"}[round(at_three, 2)],
    f"p/(p + q) = 3/4. Here, a discriminator that always sides with the denser one, at 98 % sureness, has V = {always_sure:.2f}; the best one "
    f"has {best:.2f}. The second term, log(1 − D), is *maximised* by D; but on a point that real images share, D = 0 would cost −∞.",
)

# %% [markdown]
# That is a formula. Does a *trained* discriminator find it, one that has seen points only? A small network, the logistic loss
# $-V$, Adam:

# %% id="train-d"
torch.manual_seed(0)
network = Scores(dim=1)
optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
draw = runtime.keyed_generator("cpu", 5)
for step in range(d_training_steps):
    optimizer.param_groups[0]["lr"] = 3e-3 * (1 - step / d_training_steps)
    loss = -value(network(p.sample(512, draw)), network(q.sample(512, draw)))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

with torch.no_grad():
    trained = network(x.float()).sigmoid().double()
best_d = optimal_discriminator(p_x, q_x)
both = (p_x + q_x) / (p_x + q_x).sum()
distance = (both * (trained - best_d).abs()).sum().item()  # where there are points of either kind
assert distance < 0.05
plots.curves(
    x[:, 0].tolist(),
    {"p/(p + q)": best_d.tolist(), "trained D": trained.tolist()},
    title=f"A trained D is {distance:.3f} away from p/(p + q), on average over the points",
    xlabel="x",
    ylabel='probability of "real"',
)

# %% [markdown]
# Look at the far ends: where neither kind of point occurs, the network says whatever it likes. Nobody ever asked it.

# %% [markdown]
# ## What the best discriminator measures
#
# Put $D^* = p/(p+q)$ into $V$, and what is left is a divergence between two distributions. With $m = (p + q)/2$,
#
# $$V(D^*, G) = 2\,\mathrm{JSD}(p, q) - \log 4, \qquad
# \mathrm{JSD}(p, q) = \tfrac12 \mathrm{KL}(p\,\|\,m) + \tfrac12 \mathrm{KL}(q\,\|\,m)$$
#
# the **[Jensen-Shannon divergence](../docs/glossary.md#jensen-shannon-divergence)**, the mean of two [Kullback-Leibler divergences](../docs/glossary.md#kullback-leibler-divergence), each to the mixture $m$: 0 if $p = q$, and above 0 otherwise. So a generator that plays against the best
# discriminator minimises JSD. Write it for distributions over $K$ outcomes.


# %%
@exercise("01.js_divergence")
def js_divergence(p, q):
    """Jensen-Shannon divergence of two discrete distributions, in nats.

    p, q: (K,) probabilities, zeros allowed.  Returns a scalar tensor."""
    ...  # your code


# %% id="jsd-check"
# a fine histogram of p and q: their densities at equally spaced points, times the spacing
nodes, weight = oracle.densities.quadrature(p, q)
p_bins, q_bins = (weight * world.log_prob(nodes).exp() for world in (p, q))
divergence = js_divergence(p_bins / p_bins.sum(), q_bins / q_bins.sum()).item()
assert abs(2 * divergence - math.log(4) - oracle.game_value(p, q)) < 1e-10
print(f"2·JSD − log 4 = {2 * divergence - math.log(4):.12f}")
print(f"V(D*, G)      = {oracle.game_value(p, q):.12f}")

# %% [markdown]
# ## Two humps that move apart
#
# Now the situation that GANs are really in: images fill a tiny part of all pixel arrays, and at first samples lie somewhere else
# entirely. Let data and model be two narrow humps, and pull the model away, 0 to 4.
#
# **Predict.** Between a distance of 2 and one of 4, JSD …

# %%
predict("01.disjoint", ["doubles", "grows a little", "stays where it is"])

# %% id="shift"
hump = mixtures.mixture([0.0], stds=0.2)
shifts = [0.1 * step for step in range(41)]
moved = [mixtures.mixture([shift], stds=0.2) for shift in shifts]
jsd = [oracle.js_divergence(hump, there) for there in moved]
earth = [oracle.wasserstein_1(hump, there) for there in moved]
at = dict(zip([round(shift, 1) for shift in shifts], jsd))
plots.curves(
    shifts,
    {"JSD": jsd, "W₁ (chapter 03)": earth},
    title=f"JSD is {at[2.0]:.4f} at a distance of 2 and {at[4.0]:.4f} at 4: log 2, and no slope",
    xlabel="distance between the humps",
    ylabel="divergence or distance",
)

# %% id="reveal-disjoint"
growth = at[4.0] - at[2.0]
reveal(
    "01.disjoint",
    "stays where it is" if growth < 1e-5 else "grows a little" if growth < at[2.0] / 2 else "doubles",
    f"JSD sees how much two distributions overlap, not how far apart they are. From 2 to 4 it changes by {growth:.1e}, so against the "
    "best discriminator the generator has nothing to follow. The distance W₁ = |shift| does see it: chapter 03 plays that game.",
)

# %% [markdown]
# ## Two losses for the generator
#
# The game says: $G$ minimises $\log(1 - D(G(z)))$, the [saturating loss](../docs/glossary.md#saturating-loss). The paper that introduced it says in the same breath: do
# not. Minimise $-\log D(G(z))$ instead, the [non-saturating loss](../docs/glossary.md#non-saturating-loss). Both want $D$ to call the samples real. Where is the difference?


# %%
@exercise("01.generator_losses")
def generator_losses(fake_logits):
    """The saturating and the non-saturating loss of the generator, in this order, both to be minimised.

    fake_logits: (N,), any numbers, also ±200.  Returns E log(1 − D(G(z))) and −E log D(G(z)): two scalar tensors."""
    ...  # your code


# %% [markdown]
# **Predict.** Early in training $D$ is sure of a fake: its logit is $-4$, $D = 0.018$. How steep is each loss there?

# %%
predict(
    "01.slopes",
    [
        "both about −0.98",
        "saturating −0.98, non-saturating −0.018",
        "saturating −0.018, non-saturating −0.98",
        "both about −0.018",
    ],
)

# %% id="slopes"
logits = torch.linspace(-6, 6, 121)


def slope_at(logit, which):
    logit = torch.tensor([logit], requires_grad=True)
    generator_losses(logit)[which].backward()
    return logit.grad.item()


saturating, other = ([slope_at(logit, which) for logit in logits.tolist()] for which in (0, 1))
at_minus_four = slope_at(-4.0, 0), slope_at(-4.0, 1)
assert abs(at_minus_four[0] + 0.018) < 1e-3 and abs(at_minus_four[1] + 0.982) < 1e-3
plots.curves(
    logits.tolist(),
    {"saturating": saturating, "non-saturating": other},
    title=f"At a logit of −4 the slopes are {at_minus_four[0]:.3f} and {at_minus_four[1]:.3f}",
    xlabel="D's logit of a fake",
    ylabel="slope of G's loss",
)

# %% id="reveal-slopes"
reveal(
    "01.slopes",
    "saturating −0.018, non-saturating −0.98",
    f"{at_minus_four[0]:.3f} and {at_minus_four[1]:.3f}. The saturating loss has slope −σ(l): it dies exactly where the generator is worst. The other has "
    "−(1 − σ(l)). Both are content where the samples are like the data; elsewhere they push differently, and this is no zero-sum game any more: G's loss is not minus D's.",
)

# %% [markdown]
# ## Now play it
#
# The whole game in a plane. Blue circles are data, orange diamonds are what $G$ makes of 256 fixed latents, the colour is what $D$ thinks
# (blue: real, orange: fake, the line: its [decision boundary](../docs/glossary.md#decision-boundary)), the arrows are where $G$'s loss pulls. Three things to try:
#
# 1. Press play. The line runs after the diamonds, the diamonds run over the line, and within a thousand steps or so they share out
#    the eight humps.
# 2. Choose the loss `saturating`, the rate of D 0.01, that of G 0.0001, 5 D per G, and *start over*. Within a hundred steps $D$ is sure of every diamond, the
#    arrows shrink to nothing, and $G$ stands still: a [vanishing gradient](../docs/glossary.md#vanishing-gradient). Now choose `non_saturating` without starting over: the same $D$, and the arrows are back.
# 3. Stay with `non_saturating`, 1 D per G, the rate of G at 0.01, D's at 0.0001, and *start over*. After a while outside the picture the diamonds come back gathered in one place, jump, and gather
#    again. That is mode collapse.

# %% id="playground"
playground = widgets.playground("ring of 8")
playground

# %% [markdown]
# ## Where do two good players end up?
#
# Put all data on one point, 0. Give the generator one parameter, $\theta$: every sample lands on $\theta$. Give the critic one, $\psi$: it
# scores a point $x$ with $\psi x$, without a logarithm. The data at 0 always score 0; it wants the fake's score low, so it minimises $\psi\theta$, and the generator $-\psi\theta$. That is the smallest
# GAN there is, the [Dirac-GAN](../docs/glossary.md#dirac-gan) (Mescheder et al. 2018), and all of it fits in a picture, a [vector field](../docs/glossary.md#vector-field): one arrow at each
# $(\theta, \psi)$.
#
# The only [equilibrium](../docs/glossary.md#nash-equilibrium), where neither gains by moving alone, is (0, 0).
#
# **Predict before you run.** Both players take a small step at the same moment, again and again, from (1, 0). Where do they end?

# %%
predict("01.dirac_end", ["at the equilibrium (0, 0)", "on a circle for ever", "further and further out"])

# %% [markdown]
# A [simultaneous step](../docs/glossary.md#simultaneous-step), both at once, with a small step size $h$ (`lr`): $\theta' = \theta + h\psi$ and $\psi' = \psi - h\theta - h\gamma\psi$, where $\gamma$ weighs a penalty
# $\frac\gamma2 \psi^2$ on the critic's slope (an R1 penalty; chapter 03).


# %%
@exercise("01.simultaneous_step")
def simultaneous_step(theta, psi, lr, gamma=0.0):
    """Both players' next parameters, computed from the same current ones.

    theta, psi: tensors of one shape;  lr: step size h > 0;  gamma: weight of (γ/2)·ψ² in the critic's loss.
    Returns the next theta and the next psi; the tensors that came in stay as they were."""
    ...  # your code


# %% [markdown]
# Real GANs take turns, an [alternating step](../docs/glossary.md#alternating-step): the critic moves, and the generator answers the critic that has moved.


# %%
@exercise("01.alternating_step")
def alternating_step(theta, psi, lr, gamma=0.0):
    """The critic's step first; then the generator's, against the critic that has moved.

    theta, psi: tensors of one shape;  lr: step size h > 0;  gamma: weight of (γ/2)·ψ² in the critic's loss.
    Returns the next theta and the next psi; the tensors that came in stay as they were."""
    ...  # your code


# %% id="dirac"
lr, turns = 0.1, 200
outward = dirac.path(simultaneous_step, steps=turns, lr=lr)
around = dirac.path(alternating_step, steps=turns, lr=lr)
inward = dirac.path(simultaneous_step, steps=turns, lr=lr, gamma=1.0)

# %% [markdown]
# The step without a penalty is a matrix that turns, and stretches every direction by the same $\sqrt{1+h^2}$ (its determinant is $1 + h^2$). So the distance from the equilibrium grows by that
# each time: not a circle, a spiral outwards, for **every** step size. Taking turns has determinant 1 and, for $h < 2$, both eigenvalues on the unit circle: a loop.

# %% id="dirac-check"
radius = outward.norm(dim=1)
torch.testing.assert_close(radius, (1 + lr**2) ** (torch.arange(turns + 1, dtype=torch.float64) / 2))
assert torch.linalg.det(dirac.step_matrix(alternating_step, lr=lr)).item() == 1.0
sizes = torch.linalg.eigvals(dirac.step_matrix(alternating_step, lr=lr)).abs()
assert (sizes - 1).abs().max() < 1e-12
assert around.norm(dim=1).min() > 0.9 and around.norm(dim=1).max() < 1.1
assert inward.norm(dim=1)[-1] < 1e-3

# %% id="dirac-figure"
plots.vector_field_paths(
    lambda theta, psi, lr, gamma: simultaneous_step(theta, psi, lr, gamma),
    [outward, around, inward],
    lr=lr,
    gammas=[0.0, 0.0, 1.0],
    titles=[
        f"at once: {radius[-1]:.1f}× as far after {turns} steps",
        "taking turns: round and round",
        "at once, R1 penalty, γ = 1: home",
    ],
)

# %% id="reveal-dirac"
end = outward.norm(dim=1)[-1].item()
reveal(
    "01.dirac_end",
    "further and further out"
    if end > 1.05
    else "on a circle for ever"
    if end > 0.95
    else "at the equilibrium (0, 0)",
    f"√(1 + h²) a step: after {turns} steps {end:.2f} times as far. Nothing is wrong with either player, both go downhill. The *field* has no "
    "downhill that leads home.",
)

# %% [markdown]
# Keep this picture for chapter 03: there each remedy (penalties, turns, two time scales, averaging) is put into this game, and some
# only look as if they helped.

# %% [markdown]
# ## Optional: one recipe, many divergences
#
# JSD is one of a family, the [f-divergences](../docs/glossary.md#f-divergence). For a convex $f$ with $f(1) = 0$, $D_f(p\,\|\,q) = \mathbb E_q f(p/q)$, and each has its own game: with the
# [convex conjugate](../docs/glossary.md#convex-conjugate) $f^*(t) = \sup_u\,(ut - f(u))$, every critic $T$ gives a lower bound (Nowozin et al. 2016)
#
# $$D_f(p\,\|\,q) \;\ge\; \mathbb E_p T(x) - \mathbb E_q f^*(T(x)), \qquad \text{equal at } T^* = f'(p/q)$$
#
# Two of them are often taken for one: JS's conjugate is $-\log(2 - e^t)$, the GAN's own is $-\log(1 - e^t)$. The row `jensen_shannon` is 2·JSD; the GAN's own $f$ has $f(1) = -\log 4$ instead of 0, so that
# two equal distributions have −log 4, the value of the game.

# %% id="f-table"
print(f"{'':18} {'D_f(p‖q)':>10} {'bound at T*':>12} {'another T':>10}   f(u);  f*(t)")
for name, entry in F_DIVERGENCES.items():
    exact = oracle.f_divergence(name, p, q)
    best = lambda points, f=entry: f.slope(oracle.optimal_logits(p, q, points).exp())  # noqa: E731
    other = lambda points, f=entry: f.critic(guess(points).clamp(-2, 2))  # noqa: E731
    tight, loose = (oracle.variational_bound(name, critic, p, q) for critic in (best, other))
    assert abs(tight - exact) < 1e-10 and loose <= exact
    print(
        f"{name:18} {exact:10.4f} {tight:12.4f} {loose:10.4f}   {entry.formula};  {entry.conjugate_formula}"
    )

two_jsd = 2 * oracle.js_divergence(p, q)
assert abs(oracle.f_divergence("jensen_shannon", p, q) - two_jsd) < 1e-10
assert abs(oracle.f_divergence("gan", p, q) - (two_jsd - math.log(4))) < 1e-10

# %% [markdown]
# ## What people get wrong
#
# ### "By universal approximation, the network will learn the true distribution"
#
# [Universal approximation](../docs/glossary.md#universal-approximation) promises that *a network exists*. Here it is: the same generator, once fitted directly to the map that carries
# $z$ to the data (in one dimension that map is known: equal ranks), and once trained in the game.

# %% id="universal"
probe = torch.randn(4000, 1, generator=runtime.keyed_generator("cpu", 6))
fine = torch.linspace(-6, 6, 4001, dtype=torch.float64)
ranks = torch.special.ndtr(probe[:, 0].double())
target = fine[torch.searchsorted(p.cdf(fine), ranks).clamp(max=4000)].float()[:, None]  # quantiles of p


def one_dimensional():
    torch.manual_seed(1)
    made = Points(latent_dim=1)
    made.layers[-1] = torch.nn.Linear(64, 1)
    return made


fitted = one_dimensional()
optimizer = torch.optim.Adam(fitted.parameters(), lr=3e-3)
for step in range(g_training_steps):
    optimizer.param_groups[0]["lr"] = 3e-3 * (1 - step / g_training_steps)
    loss = F.mse_loss(fitted(probe), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

played, opponent = one_dimensional(), Scores(dim=1)
g_optimizer = torch.optim.Adam(
    played.parameters(), lr=1e-2, betas=(0.5, 0.999)
)  # a rate too high for this game
d_optimizer = torch.optim.Adam(opponent.parameters(), lr=1e-3, betas=(0.5, 0.999))
draw = runtime.keyed_generator("cpu", 7)
for _ in range(g_training_steps // 2):
    fake = played(torch.randn(128, 1, generator=draw)).detach()
    d_loss = -value(opponent(p.sample(128, draw)), opponent(fake))
    d_optimizer.zero_grad()
    d_loss.backward()
    d_optimizer.step()
    g_loss = generator_losses(opponent(played(torch.randn(128, 1, generator=draw))))[1]
    g_optimizer.zero_grad()
    g_loss.backward()
    g_optimizer.step()

with torch.no_grad():
    reference = p.sample(1000, runtime.keyed_generator("cpu", 8))
    w1 = {
        name: oracle.wasserstein_1_samples(reference, made(probe[:1000]))
        for name, made in (("fitted", fitted), ("played", played))
    }
floor = oracle.wasserstein_1_samples(reference, p.sample(1000, runtime.keyed_generator("cpu", 9)))
assert w1["fitted"] < w1["played"]
print(
    f"W₁ to 1,000 data points: fitted {w1['fitted']:.3f}, played badly {w1['played']:.3f}; another 1,000 data points {floor:.3f}"
)

# %% [markdown]
# The same network can do it; this game, with this learning rate, does not get there. Existence is a statement about networks, learning one
# about games, steps and a finite sample.

# %% [markdown]
# ### "A generator loss near zero means a perfect generator"
#
# **Predict.** Freeze an untrained discriminator and train only the generator until its loss is next to nothing. Its samples are then …

# %%
predict("01.loss_zero", ["like the data", "better than before", "wherever this discriminator likes them"])

# %% id="loss-zero"
torch.manual_seed(3)
frozen, runaway = Scores(dim=1).requires_grad_(False), one_dimensional()
frozen.layers[-1].weight.mul_(20)  # an opinionated one
optimizer = torch.optim.Adam(runaway.parameters(), lr=1e-2)
before = oracle.wasserstein_1_samples(reference, runaway(probe[:1000]).detach())
for _ in range(300):
    g_loss = generator_losses(frozen(runaway(probe[:256])))[1]
    optimizer.zero_grad()
    g_loss.backward()
    optimizer.step()
after = oracle.wasserstein_1_samples(reference, runaway(probe[:1000]).detach())
assert g_loss < 0.05 and after > 1

# %% id="reveal-zero"
reveal(
    "01.loss_zero",
    "wherever this discriminator likes them" if after > 1 else "better than before",
    f"G's loss is {g_loss.item():.4f} and its samples are {after:.1f} away from the data (W₁; before: {before:.1f}). A low loss of G says that D is being fooled. "
    "Against a D that is worth fooling, the loss at the end of the game is log 2 = 0.693.",
)

# %% [markdown]
# ### "FID compares the generated image with the true one"
#
# There is no true one: nobody paired them. The distances between sets of images that you will meet, chapter 02's included,
# compare two *distributions*; who stands beside whom does not enter.

# %% id="fid-pairs"
features = classify(data.load("fashion-mnist", "test").pixels[:2000])[0]
real, other_half = features[:1000], features[1000:]
shuffled = other_half[torch.randperm(1000, generator=runtime.keyed_generator("cpu", 10))]
one, another = metrics.fid(real, other_half), metrics.fid(real, shuffled)
assert abs(one - another) < 1e-9 * one
pairs = (real - other_half).norm(dim=1).mean(), (real - shuffled).norm(dim=1).mean()
assert abs(pairs[0] - pairs[1]) > 1e-4
print(
    f"distance of the distributions {one:.6f}, after shuffling {another:.6f}; mean distance of pairs {pairs[0]:.4f} and {pairs[1]:.4f}"
)

# %% [markdown]
# ## In your own words

# %%
explain("01.words")

# %%
quiz("01.check")

# %% [markdown]
# ## What to keep
#
# - $V(D, G)$ pays the discriminator by log-likelihood; its best answer is $p/(p+q)$, and then $V = 2\,\mathrm{JSD} - \log 4$.
# - Undecided: $V = -\log 4 = -1.386$, D's loss $1.386$, a non-saturating G's $0.693$.
# - Where samples and data do not overlap, JSD is $\log 2$ and flat. At a logit of −4 the saturating loss has slope −0.018, the other −0.982.
# - Two players who both go downhill can circle, or spiral out. An equilibrium that exists is not yet one that is reached.
#
# Further reading: Goodfellow et al. 2014 ([arXiv:1406.2661](https://arxiv.org/abs/1406.2661)) for the game and its proof;
# Mescheder et al. 2018 ([arXiv:1801.04406](https://arxiv.org/abs/1801.04406)) for the Dirac game, section 2; Nowozin et al. 2016
# ([arXiv:1606.00709](https://arxiv.org/abs/1606.00709)) for the family and its table of divergences; Arjovsky, Bottou 2017
# ([arXiv:1701.04862](https://arxiv.org/abs/1701.04862)) for why disjoint supports are the rule with images.

# %% id="running-on"
running_on("01")

# %% id="report"
add_to_report(
    "01",
    f"My discriminator's distance to the best one, p/(p + q), was {distance:.3f}; at the end of the game D's loss would be 1.386 and "
    "G's 0.693, and I compare chapter 02's curves with these two numbers.",
)

# %% id="progress"
progress("01")
