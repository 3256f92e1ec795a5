# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 08 · VAE and the ELBO: what can a model without an opponent do that a GAN cannot?
#
# Ask the DCGAN of chapter 02 three things. How probable is this photograph? Which latent would have made it? Is the training going well? It cannot
# answer the first, has no direct way to the second, and its losses do not tell the third. A [variational autoencoder](../docs/glossary.md#variational-autoencoder) answers all
# three, and pays with blur. Here you build one, find out what its one number means, and measure what is paid.
#
# **You will** write the [reparameterisation](../docs/glossary.md#reparameterisation-trick), the KL of a Gaussian, the
# [reconstruction term](../docs/glossary.md#reconstruction-loss), the [ELBO](../docs/glossary.md#evidence-lower-bound) and a tighter bound · **you will know** what β is, where the blur comes
# from, and why nats of two papers seldom compare · **you need** chapters 02 and 05; chapter 07 for the last table · **time**: an hour and a quarter, of which
# your machine computes about a minute.

# %% id="imports"
import math

import torch
from course_lib import bounds, data, maps, metrics, oracle, plots, runtime, training, widgets, zoo
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
from course_lib.exercises.cards import table
from course_lib.latent.overlap import posterior_shares, sharers
from course_lib.models.vae import VAE
from course_lib.oracle import plane, ppca, scores
from course_lib.training.autoencoding import AutoencodingConfig, fit_vae
from course_lib.zoo import autoencoders
from IPython.display import HTML

# %% id="knobs"
# Knobs: steps of the live training, photographs whose bounds are computed, the grid of the exact integral, and so on.
train_steps = runtime.by_profile(ci=80, laptop=1500, gpu=3000)
tested = runtime.by_profile(ci=60, laptop=500, gpu=2000)
spacing = runtime.by_profile(ci=0.08, laptop=0.05, gpu=0.04)
inversion_steps = runtime.by_profile(ci=30, laptop=300, gpu=600)
score_steps = runtime.by_profile(ci=300, laptop=2000, gpu=3000)

# %% [markdown]
# ## Two questions on what you know already

# %%
quiz("08.recall")

# %% [markdown]
# ## A code for every photograph
#
# An [autoencoder](../docs/glossary.md#autoencoder) is two networks in a row: an [encoder](../docs/glossary.md#encoder) that turns an image into a short code, and a
# [decoder](../docs/glossary.md#decoder) that turns the code into an image again. Both learn one thing, to give back what came in. With two numbers as a code the
# whole latent space is a map. Beside it stands the same pair of networks trained as a VAE, which you will understand below. Each dot is a test photograph; on dark
# ground a place decodes to something that lies among no photographs, in the features of the course's classifier.

# %% id="maps"
found, photographs = maps.of_the_zoo()
spread = {name: each.codes.std(0).mean().item() for name, each in found.items()}
assert spread["autoencoder"] > 3 * spread["VAE"]
maps.latent_maps(
    {f"{name}: deviation of the codes {spread[name]:.1f}": each for name, each in found.items()},
    title="The autoencoder's codes lie where training left them, the VAE's are gathered around 0",
    alt=f"Two maps of 2,000 test photographs in two latent dimensions, coloured by class. The autoencoder's codes have a deviation of {spread['autoencoder']:.1f}, "
    f"in star-shaped arms with dark seams between them; the VAE's have {spread['VAE']:.1f} and lie in wedges around 0.",
)

# %% [markdown]
# Move the cross. Go from trousers to boots in both; look at the seams; go where no dot is.

# %% id="latent-maps"
plane_of_codes = widgets.latent_maps()
plane_of_codes

# %% [markdown]
# It is often said that an autoencoder's latent space "is not continuous". The decoder is a composition of continuous functions; a short step changes the image a
# little, everywhere, dots or no dots:

# %% id="continuous"
walker = found["autoencoder"].network
start, end = (
    found["autoencoder"].place(-0.9, -0.8),
    found["autoencoder"].place(0.9, 0.8),
)  # across seams and empty ground
with torch.inference_mode():
    for steps in (10, 100, 1000, 10_000):
        z = start + torch.linspace(0, 1, steps + 1)[:, None] * (end - start)
        path = torch.cat([walker(part.to(runtime.device())) for part in z.split(500)])
        largest = path.diff(dim=0).flatten(1).norm(dim=1).max().item()
        print(f"across the map in {steps:6,} steps: the largest changes the image by {largest:.3f}")
assert largest < 0.2

# %% [markdown]
# What it lacks is not continuity but a *distribution*: nothing says where to draw a code. $\mathcal N(0, I)$ is not where its codes are. The least one can do is
# to fit a normal to the codes and draw from that. For a VAE the rule is part of the model: $\mathcal N(0, I)$.
#
# **Predict.** 10,000 codes are drawn, the autoencoder's from the fitted normal, the VAE's from $\mathcal N(0, I)$, and decoded. Of whose images is the course's classifier sure
# (above 0.9) more often?

# %%
predict(
    "08.surer",
    ["the autoencoder's, by 5 points or more", "about the same", "the VAE's, by 5 points or more"],
)

# %% id="surer"
facts, _ = autoencoders.sweep()
swept = facts["rows"]  # VAEs of 20 dimensions, one for each β; below
one = next(row for row in swept if row["beta"] == 1)
flat, deep = zoo.card("ae-fashion-2d"), zoo.card("ae-fashion")
assert deep["config"]["steps"] == facts["config"]["steps"]  # 20 dimensions: equally long trainings
drawn = {
    "autoencoder, N(0, I)": flat["metrics"],
    "autoencoder, normal fitted to its codes": flat["fitted_normal"],
    "VAE, N(0, I)": zoo.card("vae-fashion-2d")["metrics"],
    "autoencoder of 20 dimensions, N(0, I)": deep["metrics"],
    "autoencoder of 20 dimensions, fitted normal": deep["fitted_normal"],
    "VAE of 20 dimensions, as long a training, N(0, I)": one["samples"],
}
KEYS = ("sure", "fid", "precision", "recall", "coverage")
rows = [
    (name, *(f"{each[key]:.3g}" for key in KEYS), f"{min(each['class_shares']):.1%}")
    for name, each in drawn.items()
]
HTML(
    table(
        rows,
        head=[
            "10,000 draws, recorded",
            "sure",
            "Fréchet distance",
            "precision",
            "recall",
            "coverage",
            "rarest class",
        ],
    )
)

# %% id="reveal-surer"
assert (
    drawn["autoencoder of 20 dimensions, fitted normal"]["fid"]
    < drawn["VAE of 20 dimensions, as long a training, N(0, I)"]["fid"]
)
by_normal, by_vae = drawn["autoencoder, normal fitted to its codes"], drawn["VAE, N(0, I)"]
more, shares = (
    by_normal["sure"] - by_vae["sure"],
    {name: min(each["class_shares"]) for name, each in drawn.items()},
)
reveal(
    "08.surer",
    "about the same"
    if abs(more) < 0.05
    else f"the {'autoencoder' if more > 0 else 'VAE'}'s, by 5 points or more",
    f"{by_normal['sure']:.2f} against {by_vae['sure']:.2f}, where test photographs have {by_vae['real_sure']:.2f}. Sureness "
    f"is no sign of a good latent space: it asks whether an image looks like something, and not how many things there are. Look at the rarest class: {shares['autoencoder, N(0, I)']:.1%} of what an autoencoder makes of N(0, I). The Fréchet distances of all with two "
    f"numbers as a code are bad, since two numbers cannot tell clothes apart. With 20: {drawn['autoencoder of 20 dimensions, N(0, I)']['fid']:.1f} for an autoencoder from N(0, I), "
    f"{drawn['autoencoder of 20 dimensions, fitted normal']['fid']:.1f} from the normal fitted to its codes, {drawn['VAE of 20 dimensions, as long a training, N(0, I)']['fid']:.1f} for a VAE. "
    "Fitting a distribution to the codes afterwards is a serious rival at equal training. What the VAE has and it has not: a bound on log p(x), next.",
)

# %% [markdown]
# ## A model with latents, and an integral
#
# Now the autoencoder's decoder becomes a *model*. First $z \sim p(z) = \mathcal N(0, I)$, then the image from $p(x|z)$, whose parameters the decoder computes: its
# [likelihood](../docs/glossary.md#likelihood). What the model says of an image is an integral over all latents that could have made it, the [evidence](../docs/glossary.md#evidence):
#
# $$p(x) = \int p(z)\,p(x|z)\,dz$$
#
# A GAN has no $p(x|z)$ at all. Here there is one, and the integral still cannot be done by drawing latents from $p(z)$: nearly every one of them explains this photograph
# not at all. With two latent dimensions a fine grid over the plane does it exactly (`oracle.plane`), so we can see how wrong the draws are:

# %% id="by-drawing"
vae, card = zoo.load("vae-fashion-2d")
test = data.load("fashion-mnist", "test")
few = data.to_float(test.pixels[:tested])
exact = plane.evidence(vae, few, spacing=spacing)
with torch.inference_mode():
    z = torch.randn(10_000, 2, generator=runtime.keyed_generator("cpu", 8, "prior"))
    logits = torch.cat([vae.decode(part.to(runtime.device())).cpu().flatten(1) for part in z.split(1000)])
white = (few.flatten(1) + 1) / 2
log_p = (
    logits @ white.T - torch.nn.functional.softplus(logits).sum(1, keepdim=True)
).double()  # (draws, images)
short = {draws: exact - bounds.importance_weighted(log_p[:draws]) for draws in (10, 100, 1000, 10_000)}
assert short[10].mean() > short[100].mean() > short[1000].mean() > 0 and short[100].mean() > 3
print(f"log p(x) of {tested} photographs: {exact.mean():.1f} nats on average, by the grid")
for draws, missing in short.items():
    print(
        f"by {draws:6,} draws from the prior: {missing.mean():6.1f} too low on average, {missing.max():6.1f} at worst"
    )

# %% [markdown]
# Thousands of draws, with *two* dimensions. Let the [posterior](../docs/glossary.md#posterior), what $z$ may be once the photograph is seen, be $e^k$ times
# narrower than the prior. Then one draw in about $e^k$ comes near it, and the KL measures $k$:

# %% id="draws-needed"
for name, of in {"two dimensions": card, "twenty": zoo.card("vae-fashion")}.items():
    nats = of["bounds"]["grey"]["kl"]["mean"]
    print(f"{name}: {nats:.1f} nats, one draw in {math.exp(nats):,.0f}")

# %% [markdown]
# ## The bound
#
# The cure is to draw where it pays. Let the encoder propose latents for this image, $z \sim q(z|x)$. For *any* $q$
#
# $$\log p(x) = \underbrace{\mathbb E_q \log p(x|z) - \mathrm{KL}\bigl(q(z|x)\,\|\,p(z)\bigr)}_{\text{evidence lower bound, ELBO}} + \mathrm{KL}\bigl(q(z|x)\,\|\,p(z|x)\bigr)$$
#
# (write $p(x) = p(x|z)p(z)/p(z|x)$, take logarithms, multiply by $q/q$ inside, then average over $z$ drawn from $q$). The last term is not negative, so the first two are a lower bound, and they can be
# computed. What is lost is exactly the divergence of $q$ from the true posterior $p(z|x)$.
#
# In [probabilistic PCA](../docs/glossary.md#probabilistic-pca), a linear decoder with Gaussian noise, nothing is hidden: evidence, posterior and the ELBO of any Gaussian $q$ have closed forms. Four encoders, one
# of them perfect:

# %% id="ppca"
images = test.pixels[:2000].double().flatten(1) / 127.5 - 1
linear = ppca.fit(
    images
    + 0.05 * torch.randn(images.shape, generator=runtime.keyed_generator("cpu", 1), dtype=torch.float64),
    2,
)
x = linear.sample(6, runtime.keyed_generator("cpu", 2))
mean, cov = linear.posterior(x)
encoders = {
    "the posterior itself": (mean, cov),
    "its mean, five times its variance": (mean, 5 * cov),
    "moved by half a deviation": (mean + 0.5 * cov.diagonal().sqrt(), cov),
    "the prior, whatever the image": (torch.zeros_like(mean), torch.eye(2, dtype=torch.float64)),
}
rows = []
for name, (mean_q, cov_q) in encoders.items():
    elbo_q = linear.elbo(x, mean_q, cov_q)
    lost = torch.stack([metrics.gaussian_kl(mean_q[i], cov_q, mean[i], cov) for i in range(len(x))])
    assert (linear.evidence(x) - elbo_q - lost).abs().max() < 1e-8 * linear.evidence(x).abs().max()
    rows.append((name, f"{elbo_q.mean():.3f}", f"{lost.mean().abs():.3f}", f"{(elbo_q + lost).mean():.3f}"))
HTML(table(rows, head=["q", "ELBO", "KL(q‖posterior)", "sum = log p(x)"]))

# %% [markdown]
# Two networks, one number to raise, and every step up either improves the model or the encoder. No opponent. But the expectation is over $q$, and $q$ is what is being learned: how does a
# gradient pass through a random draw?
#
# ## Reparameterisation
#
# Make the randomness an input: with $\varepsilon \sim \mathcal N(0, I)$, $z = \mu + \sigma\varepsilon$ is a draw from $\mathcal N(\mu, \sigma^2)$, and a smooth function of
# $\mu$ and $\sigma$. The encoder returns $\log\sigma^2$, which may be any number.


# %%
@exercise("08.reparameterise")
def reparameterise(mean, log_variance, noise):
    """A draw from N(mean, exp(log_variance)) through which gradients reach both.

    mean, log_variance: (N, d);  noise: (..., N, d) from N(0, I).  Returns (..., N, d)."""
    ...  # your code


# %% [markdown]
# The alternative needs no derivative of the model: $\nabla_\mu \mathbb E f(z) = \mathbb E\, f(z)\,\nabla_\mu \log q(z)$. It is right on average too. For $f(z) = z^2$, $z \sim \mathcal N(\mu, 1)$,
# whose slope is $2\mu$:

# %% id="two-estimators"
mu = torch.full((20_000, 1), 1.5, requires_grad=True)
noise = torch.randn(20_000, 1, generator=runtime.keyed_generator("cpu", 3))
z = reparameterise(mu, torch.zeros(20_000, 1), noise)
(through,) = torch.autograd.grad(z.square().sum(), mu)
around = z.detach().square() * (z.detach() - mu.detach())  # f(z)·∇ log q
assert abs(through.mean() - 3) < 0.1 and abs(around.mean() - 3) < 0.3 and around.std() > 2 * through.std()
print(
    f"slope 3, through the draw: {through.mean():.2f} ± {through.std():.1f} a draw; by f·∇log q: {around.mean():.2f} ± {around.std():.1f}"
)

# %% [markdown]
# ## What the latent costs
#
# Both normals are known, so the KL has a closed form, one term for each latent dimension:
#
# $$\mathrm{KL}\bigl(\mathcal N(\mu, \sigma^2)\,\|\,\mathcal N(0, 1)\bigr) = \tfrac12\bigl(\mu^2 + \sigma^2 - 1 - \log\sigma^2\bigr)$$


# %%
@exercise("08.gaussian_kl")
def gaussian_kl(mean, log_variance):
    """KL(N(mean, exp(log_variance)) ‖ N(0, 1)) of each latent dimension, in nats.

    mean, log_variance: (N, d).  Returns (N, d): no sum, so that one sees which dimensions are used."""
    ...  # your code


# %% id="collapsed"
large, large_card = zoo.load("vae-fashion")
with torch.inference_mode():
    q_mean, q_log_variance = (
        each.cpu() for each in large.encode(data.to_float(test.pixels[:2000]).to(runtime.device()))
    )
price = gaussian_kl(q_mean, q_log_variance).mean(0)
order = price.argsort(descending=True)
unused = int((price < 0.01).sum())
assert unused >= 1 and abs(price.sum().item() - large_card["bounds"]["grey"]["kl"]["mean"]) < 0.5
plots.curves(
    list(range(1, 21)),
    {"KL": price[order].tolist()},
    title=f"KL of each of the 20 latent dimensions, the dearest first: {unused} carry less than 0.01 of the {price.sum():.1f} nats",
    xlabel="latent dimension, by rank",
    ylabel="nats per image",
    log_y=True,
)

# %% [markdown]
# Where the KL is 0, $q$ is the prior for every image: [KL collapse](../docs/glossary.md#kl-collapse). The decoder has learned to do without that dimension, because using it would have cost more than it
# saved. It is not mode collapse: no image is left out of the samples because of it.
#
# ## What a pixel is worth
#
# The reconstruction term is the logarithm of the decoder's likelihood: of a *product* over pixels given $z$, so a **sum** over pixels. With Bernoulli pixels the decoder returns
# a logit for each, and a target $t \in [0, 1]$ costs $-t\log p - (1-t)\log(1-p)$, chapter 00b's [binary cross-entropy](../docs/glossary.md#binary-cross-entropy).


# %%
@exercise("08.reconstruction_term")
def reconstruction_term(logits, images):
    """log p(x|z) of Bernoulli pixels, in nats per image.

    logits: (N, C, H, W) of a pixel being white;  images: (N, C, H, W) in [−1, 1].  Returns (N,), at most 0."""
    ...  # your code


# %% [markdown]
# And both terms together, on a network. `network.encode(images)` returns mean and log-variance, `network.decode(z)` the parameters of $p(x|z)$,
# `network.log_likelihood(z, images)` the first term for whatever likelihood the network has.


# %%
@exercise("08.elbo")
def elbo(network, images, noise, beta=1.0):
    """log p(x|z) − beta·KL(q(z|x)‖p(z)) of each image, at one draw of z.

    images: (N, C, H, W) in [−1, 1];  noise: (N, latent_dim) from N(0, I).  Returns (N,)."""
    ...  # your code


# %% [markdown]
# Train one on your own functions. One loss, one optimiser; nothing to balance.


# %% id="train"
def my_step(network, optimizer, real, noise, beta):
    loss = -elbo(network, real, noise, beta).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with torch.no_grad():  # what is logged
        mean, log_variance = network.encode(real)
        kl = gaussian_kl(mean, log_variance)
        return reconstruction_term(network.decode(reparameterise(mean, log_variance, noise)), real), kl


torch.manual_seed(0)
mine = VAE(latent_dim=2, width=8)
config = AutoencodingConfig(steps=train_steps, batch_size=64, log_every_steps=10)
history = fit_vae(mine, data.load("fashion-mnist"), config, step=my_step)
assert history["elbo"][-1] > history["elbo"][0] + 50

# %% id="trained"
long = large_card["history"]
seen = [row["step"] * 64 / 1e6 for row in long]
ups = plots.window_means([row["elbo"] for row in long], 28)
assert ups[-1] > ups[0] + 10
plots.curves(
    plots.window_means(seen, 28).tolist(),
    {
        "ELBO": ups.tolist(),
        "reconstruction term": plots.window_means([row["log_likelihood"] for row in long], 28).tolist(),
    },
    title=f"The recorded run of 30 epochs: the bound rises from {ups[0]:.0f} to {ups[-1]:.0f} nats on the batches it was trained on",
    xlabel="images seen, millions",
    ylabel="nats per image",
)

# %% [markdown]
# This is the third thing a GAN has not: a curve that says whether the training goes well. (Chapter 02's losses circle.) And since it is a number for *each* image, it can be asked of photographs that the
# networks never saw: what was learned by heart would lie between the two. Compare the difference with the errors.

# %% id="by-heart"
by_heart = []
with torch.inference_mode():
    for name, of in (("train", data.load("fashion-mnist").pixels), ("test", test.pixels)):
        by_heart.append(
            bounds.mean_and_error(bounds.of_images(large, data.to_float(of[:tested]), draws=10, ks=()).elbo)
        )
        print(f"{name:5}: ELBO of {tested} photographs {by_heart[-1][0]:.1f} ± {by_heart[-1][1]:.1f}")

# %% [markdown]
# ## What people get wrong: "β = 0.1"
#
# A loss in circulation: the *mean* squared error plus 0.1 times the *mean* KL, "a [β-VAE](../docs/glossary.md#beta-vae) with β = 0.1". Both means divide by something: 784 pixels, 20 latent
# dimensions. For a Gaussian decoder of deviation $\sigma$ the reconstruction term is $-\frac{1}{2\sigma^2}\sum (x - m)^2$ + const, so against the sums
#
# $$784\,\Bigl[\tfrac1{784}\textstyle\sum (x-m)^2 + \tfrac{0.1}{20}\sum \mathrm{KL}\Bigr] = -\log p(x|z)\Big|_{\sigma^2 = 1/2} + \mathbf{3.92} \sum \mathrm{KL} + \text{const}$$

# %% id="which-beta"
gaussian = VAE(latent_dim=20, width=16, likelihood="gaussian", std=math.sqrt(0.5)).to(runtime.device())
gaussian.load_state_dict(
    large.state_dict()
)  # a network that has learned something; its output now read as means
batch = data.to_float(test.pixels[:32]).to(runtime.device())
noise = torch.randn(32, 20, generator=runtime.keyed_generator("cpu", 16)).to(runtime.device())
mean, log_variance = gaussian.encode(batch)
given_back = gaussian.decode(reparameterise(mean, log_variance, noise))
naive = (given_back - batch).square().mean() + 0.1 * gaussian_kl(mean, log_variance).mean()
gradients = {}
for name, loss in {
    "naive": 784 * naive,
    **{f"β = {beta:g}": -elbo(gaussian, batch, noise, beta).mean() for beta in (0.1, 784 * 0.1 / 20)},
}.items():
    parts = torch.autograd.grad(loss, list(gaussian.parameters()), retain_graph=True)
    gradients[name] = torch.cat([part.flatten() for part in parts])
off = {
    name: ((each - gradients["naive"]).norm() / gradients["naive"].norm()).item()
    for name, each in gradients.items()
}
assert off["β = 3.92"] < 1e-4 < 0.01 < off["β = 0.1"]
print(
    f"784 times its gradient, and the gradient of the true ELBO at β = 3.92: apart by {off['β = 3.92']:.1e} of their length; at β = 0.1 by {off['β = 0.1']:.2f}"
)

# %% [markdown]
# So the "0.1" was 3.92, and at another image size it is another number. What is β, then? For a Gaussian decoder, dividing the loss by β shows that β with deviation $\sigma$ is the
# ELBO itself, β = 1, with deviation $\sigma\sqrt\beta$: β is a statement about the noise in a pixel. For β > 1 it is still a lower bound, for β < 1 none.
#
# ### A Gaussian in use
#
# Colours are no coin flips: for the avatars that chapter 09 draws, a normal in every pixel and channel is the better model. `vae-avatars` (recorded) is the same pair of networks with 32 latents and σ = 0.15, trained 40
# times over 2,000 avatars of 32×32. The smaller σ, the more a deviation costs; the bound is highest where σ² is the mean squared error that the decoder is left with.

# %% id="avatars"
drawer, drawer_card = zoo.load("vae-avatars")
faces = data.to_float(training.recipes.RECIPES["vae-avatars"].images("test").pixels[:16])
with torch.inference_mode():
    faces_back = drawer.reconstruct(faces.to(runtime.device())).cpu()
on_test, on_train = (
    drawer_card["bounds"]["grey"]["elbo"],
    drawer_card["bounds_of_training_images"]["grey"]["elbo"],
)
left_over = math.sqrt(drawer_card["reconstructions"]["mse"])
shapes = [drawer_card[key]["sharpness"] for key in ("reconstructions", "metrics")]  # 1 is that of avatars
assert shapes[1] < 0.5 * shapes[0]
assert abs(left_over - drawer.std) < 0.05
plots.image_grids(
    {
        "avatars, not trained on": faces,
        "given back": faces_back,
        "drawn from N(0, I)": zoo.sample(drawer, 16),
    },
    columns=4,
    title=f"What comes back is off by {left_over:.2f}, near σ = {drawer.std}; draws from the prior have no shape (sharpness {shapes[1]:.2f} against {shapes[0]:.2f})",
    alt=f"Sixteen cartoon avatars, what a VAE with a Gaussian likelihood gives back, root mean squared error {left_over:.3f}, and sixteen samples of the prior. "
    f"ELBO {on_train['mean']:.0f} nats on training avatars and {on_test['mean']:.0f} on {drawer_card['reconstructions']['n']} others.",
)

# %% [markdown]
# Why do draws fail that badly, when what comes back is so good? A small σ is a small β: 32 latents carry more than a hundred nats here, each avatar's posterior is a small island, and a draw from $\mathcal N(0, I)$ falls between them.
#
# And the bound is *above* 0 (printed below): it is on a density, and a density may exceed 1. Its value depends on the unit of a pixel: in steps of 0 to 255 instead of −1 to 1 each of the 3,072 values adds $-\log 127.5$:

# %% id="unit"
in_units = (
    drawer.log_likelihood(drawer.encode(faces.to(runtime.device()))[0], faces.to(runtime.device()))
    .mean()
    .item()
)
by_level = torch.distributions.Normal(127.5 * faces_back, 127.5 * drawer.std).log_prob(127.5 * faces)
in_levels = by_level.flatten(1).sum(1).mean().item()
assert abs(in_units - 3072 * math.log(127.5) - in_levels) < 1
print(
    f"ELBO: {on_train['mean']:.0f} ± {on_train['error']:.0f} nats on training avatars, {on_test['mean']:.0f} ± {on_test['error']:.0f} on others; KL {drawer_card['bounds']['grey']['kl']['mean']:.0f}"
)
print(
    f"log p(x|z) of these 16: {in_units:.0f} nats in units of [−1, 1], {in_levels:.0f} in grey levels; the same model, the same images"
)

# %% [markdown]
# Two rules follow. A likelihood assumes a range of pixels, so the library's functions refuse images outside it. And nats of a density and nats of black and white pixels are two different things.

# %% id="refused"
for images in (255 * faces, (faces + 1) * 2):
    try:
        drawer.terms(images, torch.zeros(16, 32))
    except ValueError as error:
        print(error)

# %% [markdown]
# ## A tighter bound
#
# One draw of $z$ gives one weight $w = p(x, z)/q(z|x)$; the mean of $w$ is $p(x)$, the mean of $\log w$ the ELBO. Average $K$ weights *before* the logarithm and the bound rises
# towards $\log p(x)$, the [importance-weighted bound](../docs/glossary.md#importance-weighted-bound):
#
# $$L_K = \mathbb E \log \frac1K \sum_{k=1}^K \frac{p(x, z_k)}{q(z_k|x)}$$


# %%
@exercise("08.importance_weighted")
def importance_weighted(log_weights):
    """log of the mean of K weights, from their logarithms.

    log_weights: (K, N), one row a draw, values around −240.  Returns (N,)."""
    ...  # your code


# %% [markdown]
# With two latent dimensions the truth is known, so this is a bound that can be checked on a trained network:

# %% id="levels"
with torch.inference_mode():
    mean, log_variance = (each.cpu() for each in vae.encode(few.to(runtime.device())))
    z = reparameterise(
        mean, log_variance, torch.randn(50, *mean.shape, generator=runtime.keyed_generator("cpu", 9))
    )
    likelihood = torch.stack(
        [vae.log_likelihood(each.to(runtime.device()), few.to(runtime.device())).cpu() for each in z]
    )
log_weights = (likelihood + bounds.log_normal(z) - bounds.log_normal(z, mean, log_variance)).double()
levels = {"ELBO": likelihood.mean(0).double() - gaussian_kl(mean, log_variance).sum(1)}
levels |= {
    f"L{k}": torch.stack([importance_weighted(part) for part in log_weights.split(k)]).mean(0)
    for k in (5, 50)
}
levels["log p(x)"] = exact
means = {name: bounds.mean_and_error(values) for name, values in levels.items()}
steps = [bounds.mean_and_error(high - low) for low, high in zip(levels.values(), list(levels.values())[1:])]
assert all(step > -2 * error for step, error in steps)
truth = means["log p(x)"][0]
plots.bars(
    {name: truth - mean for name, (mean, _) in means.items() if name != "log p(x)"},
    title=f"VAE with two latent dimensions, {tested} photographs: what each bound lacks of log p(x), {truth:.1f} nats on average",
    ylabel="nats per image",
)

# %% [markdown]
# That is [density estimation](../docs/glossary.md#density-estimation): a number for each image, with a known side on which it errs. How good is −238 nats, then? It depends on what a pixel *is*.
# Fashion-MNIST is grey. The course's networks take the grey level as the probability of white. Many papers [binarise](../docs/glossary.md#binarisation): cut at one half (static), or draw black or white with the grey level
# as probability (dynamic).
#
# **Predict.** The same network, the same photographs, the pixels cut to black and white at one half. The ELBO …

# %%
predict("08.black_white", ["falls by 50 nats or more", "stays within 50 nats", "rises by 50 nats or more"])

# %% id="readings"
grey = data.to_float(test.pixels[:tested])
cut = torch.where(grey > 0, 1.0, -1.0)
live = {
    name: bounds.of_images(large, each, draws=10, ks=()).elbo.mean().item()
    for name, each in {"grey": grey, "static": cut}.items()
}
t = (data.to_float(test.pixels) + 1) / 2
floor = (torch.special.entr(t) + torch.special.entr(1 - t)).flatten(1).sum(1).mean().item()
recorded = large_card["bounds"]
cell = lambda name, key: "{mean:.1f} ± {error:.1f}".format(**recorded[name][key])  # noqa: E731
HTML(
    table(
        [
            (name, f"{recorded[name]['n']:,}", *(cell(name, key) for key in ("elbo", "iwae_5", "iwae_50")))
            for name in ("grey", "dynamic", "static")
        ],
        head=["vae-fashion, recorded; pixels", "N", "ELBO", "L₅", "L₅₀"],
    )
)

# %% id="reveal-black-white"
rises = live["static"] - live["grey"]
assert (
    recorded["grey"]["elbo"]["mean"]
    < recorded["grey"]["iwae_5"]["mean"]
    < recorded["grey"]["iwae_50"]["mean"]
)
reveal(
    "08.black_white",
    "rises by 50 nats or more"
    if rises > 50
    else "falls by 50 nats or more"
    if rises < -50
    else "stays within 50 nats",
    f"From {live['grey']:.0f} to {live['static']:.0f} on these {tested} photographs. A grey pixel costs its own entropy even a decoder that knows it: {floor:.0f} nats for an average photograph, most of "
    "the grey number. Black and white pixels have no such floor. Nats compare where pixels mean the same, on the same data.",
)

# %% [markdown]
# ### Beside a published number
#
# So nats of two papers compare only if data, [binarisation](../docs/glossary.md#binarisation) and likelihood are one and the same. The best known numbers, $-86.76$ for a VAE and $-84.78$ with the tighter bound in training (Burda et al. 2015,
# [arXiv:1509.00519](https://arxiv.org/abs/1509.00519), table 1), are of **MNIST**, with pixels drawn anew at every look, and bounds of 5,000 draws: other images, most of them black, and no row of the table above. They do not
# stand beside ours.

# %% [markdown]
# ## Which latent made this photograph?
#
# The encoder says, in one pass: that is [inversion](../docs/glossary.md#inversion). A GAN has no encoder; one searches, by gradient descent on $z$, for the latent whose image comes nearest. Both are lossy.

# %% id="inversion"
shown = data.to_float(test.pixels[:8])
dcgan = zoo.load("dcgan-fashion")[0]
target = torch.nn.functional.pad(shown, (2, 2, 2, 2), value=-1.0).to(runtime.device())
z = (
    torch.randn(8, dcgan.latent_dim, generator=runtime.keyed_generator("cpu", 4))
    .to(runtime.device())
    .requires_grad_(True)
)
search = torch.optim.Adam([z], lr=0.1)
for _ in range(inversion_steps):
    distance = (dcgan(z) - target).square().flatten(1).mean(1).sum()
    search.zero_grad()
    distance.backward()
    search.step()
with torch.inference_mode():
    back = {
        "photographs": shown,
        "VAE, 20 dimensions": large.reconstruct(shown.to(runtime.device())).cpu(),
        "autoencoder, 20": zoo.load("ae-fashion")[0].reconstruct(shown.to(runtime.device())).cpu(),
        f"DCGAN, {inversion_steps} steps": data.centre(dcgan(z), 28).cpu(),
    }
errors = {name: (each - shown).square().mean().item() for name, each in back.items()}
assert 0 < errors["autoencoder, 20"] < errors["VAE, 20 dimensions"] < 0.2
plots.image_grids(
    {f"{name}: {errors[name]:.3f}" if errors[name] else name: each for name, each in back.items()},
    columns=2,
    title=f"Given back, with the mean squared error: an encoder takes one pass, a search {inversion_steps}, and all lose detail",
    alt="Eight photographs and what three models give back. Mean squared errors: "
    + ", ".join(f"{name} {error:.3f}" for name, error in errors.items())
    + ".",
    panel=2.6,
)
searched_for, passed = errors[f"DCGAN, {inversion_steps} steps"], errors["VAE, 20 dimensions"]
print(
    f"{inversion_steps} steps of search bring the DCGAN to {searched_for:.3f}, one pass the VAE to {passed:.3f}: "
    + (
        "enough steps come nearer, for each image anew"
        if searched_for < passed
        else "so few steps do not reach it"
    )
)

# %% [markdown]
# ## Where the blur comes from
#
# Five VAEs of 20 latent dimensions, the same but for β, three epochs each (recorded). β = 0.1 hardly pays for latents, β = 8 pays dearly.
#
# **Predict.** Of which β are the *samples*, drawn from the prior, nearest to photographs by the Fréchet distance?

# %%
predict("08.beta", [f"{beta:g}" for beta in autoencoders.BETAS])

# %% id="beta-widget"
widgets.beta_scrubber()

# %% id="beta-curves"
swept_epochs = round(facts["config"]["steps"] * facts["config"]["batch_size"] / 60_000)
assert swept_epochs == 3
betas = [row["beta"] for row in swept]
best = min(swept, key=lambda row: row["samples"]["fid"])
plots.curves(
    betas,
    {
        "samples": [row["samples"]["fid"] for row in swept],
        "what comes back": [row["reconstructions"]["fid"] for row in swept],
    },
    title=f"Reconstructions are best at β = {min(swept, key=lambda row: row['reconstructions']['fid'])['beta']:g}, samples at β = {best['beta']:g}",
    xlabel="β",
    ylabel="Fréchet distance (features of the classifier)",
    log_x=True,
)

# %% id="reveal-beta"
least, most = swept[0], swept[-1]
reveal(
    "08.beta",
    f"{best['beta']:g}",
    f"Distance {best['samples']['fid']:.1f}. At β = 0.1 reconstructions are sharpest ({least['reconstructions']['sharpness']:.2f} of the photographs' sharpness), but the posteriors "
    f"are small islands that fill little of the prior, so a draw falls between them ({least['samples']['fid']:.1f}). At β = 8 {20 - most['active']} of 20 dimensions have collapsed, and everything is "
    f"blurred (sharpness {most['reconstructions']['sharpness']:.2f}).",
)

# %% [markdown]
# Why does a high β blur? Follow one latent $z$. The probability that it was drawn from image $j$'s posterior is its share $r_j = q(z|x_j) / \sum_i q(z|x_i)$. The decoder must answer all of them with one image, and
# the least surprising answer, for Bernoulli and for squared error alike, is their **mean with these shares**. On the map with two dimensions this can be drawn:

# %% id="shares"
train = data.load("fashion-mnist", "train").pixels[:10_000]
with torch.inference_mode():
    parts = [vae.encode(data.to_float(part).to(runtime.device())) for part in train.split(1000)]
    mean, log_variance = (torch.cat(each).cpu() for each in zip(*parts))
    z = torch.randn(400, 2, generator=runtime.keyed_generator("cpu", 6))
    decoded = vae(z.to(runtime.device())).cpu()
shares = posterior_shares(z, mean, log_variance)
count = sharers(shares)
averaged = (
    (shares.float() @ data.to_float(train).flatten(1)).reshape(-1, 1, 28, 28).clamp(-1, 1)
)  # rounding
nearest = data.to_float(train[shares.argmax(1)])


def alike(one, other):
    """Correlation of pixels, image by image."""
    one, other = (each.flatten(1) - each.flatten(1).mean(1, keepdim=True) for each in (one, other))
    return torch.nn.functional.cosine_similarity(one, other)


to_mean, to_nearest = alike(decoded, averaged).median().item(), alike(decoded, nearest).median().item()
assert to_mean > to_nearest + 0.05
plots.image_grids(
    {
        "largest share": nearest[:16],
        f"mean with the shares: {to_mean:.2f}": averaged[:16],
        "decoded": decoded[:16],
    },
    columns=4,
    title=f"Decoded is nearly the mean of the photographs that share a latent (correlation {to_mean:.2f}; {count.median():.0f} of 10,000 share, medians)",
    alt=f"Sixteen latents: the photograph with the largest share, the mean of all photographs weighted by their shares, and the decoded image. The decoded images correlate with the means "
    f"by {to_mean:.2f} at the median, with the single photographs by {to_nearest:.2f}.",
)

# %% [markdown]
# How many share a latent? The KL is what the latent may tell about the image, in nats, so about $N e^{-\mathrm{KL}}$ of $N$ photographs are left that it cannot tell apart:

# %% id="how-many"
kl = gaussian_kl(mean, log_variance).sum(1).mean().item()
expected = 10_000 * math.exp(-kl)
assert 0.3 < count.median().item() / expected < 3
assert one["shared"] < 2 < swept[-1]["shared"]
too_low = [row["shared"] / (10_000 * math.exp(-row["kl"])) for row in swept]
assert too_low == sorted(too_low, reverse=True) and 1.5 < too_low[-1] < 2.5
of_samples = [row["samples"]["sharpness"] for row in swept]
assert max(of_samples) - min(of_samples) < 0.1
rows = [
    (
        f"{row['beta']:g}",
        f"{row['kl']:.1f}",
        f"{10_000 * math.exp(-row['kl']):.2g}",
        f"{row['shared']:.3g}",
        f"{row['reconstructions']['sharpness']:.2f}",
        f"{row['samples']['sharpness']:.2f}",
    )
    for row in swept
]
print(f"two dimensions: KL {kl:.2f} nats, 10,000·e⁻ᴷᴸ = {expected:.0f}; counted {count.median():.0f}")
HTML(
    table(
        rows,
        head=[
            "20 dimensions, β",
            "KL",
            "10,000·e⁻ᴷᴸ",
            "counted (1 at least: itself)",
            "sharpness of what comes back",
            "of samples",
        ],
    )
)

# %% [markdown]
# Both halves are needed. The KL makes posteriors overlap; the likelihood, pixel by pixel, averages over who overlaps. The estimate by the KL is too low, by half at β = 8 and by more where fewer share: posteriors are bells that overlap, not boxes
# side by side. With 20 dimensions and β = 1 hardly two of 10,000 photographs share a latent any more, and it is the photographs that are *not* among the 10,000 whose details are averaged. All of this is about what *comes back*; the last column, of samples, hardly
# moves. A GAN's critic would see at a glance that no photograph is a mean; that is what its opponent is for.

# %% [markdown]
# ## Side by side
#
# The same data, the same features of the same classifier, 10,000 samples against the 10,000 test photographs, precision and recall with k = 3, density and coverage with k = 5, as their authors have it. All recorded.

# %% id="side-by-side"
KEYS = ("fid", "precision", "recall", "density", "coverage")
GANS = {
    "residual-fashion": "GAN with residual networks",
    "residual-fashion-classes": "GAN with residual networks, told the class",
    "dcgan-fashion": "DCGAN",
    "mlp-fashion": "fully connected GAN",
}
EYES = "classifier-fashion"
recorded_gans = {
    name: zoo.card(name)
    for name in GANS
    if name in zoo.names() and EYES in zoo.card(name).get("measured", {})
}


def quality(card):
    """What a GAN's card says of 10,000 samples."""
    measured = card["measured"][EYES]["metrics"]
    return {key: measured[key]["samples"]["value"] for key in KEYS}


def cost(card):
    return f"{card['minutes']:.0f}, {card['hardware']['threads']} thread{'s' if card['hardware']['threads'] != '1' else ''}"


floor_of = next(iter(recorded_gans.values()))["measured"][EYES]["metrics"]
searched = {"dcgan-fashion": f"{errors[f'DCGAN, {inversion_steps} steps']:.3f}, by a search (8 images)"}
lines = {
    "photographs (10,000 training images)": (
        {key: floor_of[key]["floor"]["value"] for key in KEYS},
        "",
        "",
        "",
    )
}
lines |= {
    GANS[name]: (quality(card), "none", searched.get(name, "no encoder"), cost(card))
    for name, card in recorded_gans.items()
}
for name, title in {"vae-fashion": "VAE, 20 dimensions", "vae-fashion-2d": "VAE, 2 dimensions"}.items():
    card = zoo.card(name)
    bound = "≥ {mean:.1f}".format(**card["bounds"]["grey"]["iwae_50"])
    lines[f"{title}, {card['config']['steps'] // 937} epochs"] = (
        card["metrics"],
        bound,
        f"{card['reconstructions']['mse']:.3f}",
        cost(card),
    )
for row in swept:
    threads = {"hardware": facts["hardware"], "minutes": row["minutes"]}
    lines[f"VAE, 20 dimensions, β = {row['beta']:g}, {swept_epochs} epochs"] = (
        row["samples"],
        f"≥ {row['iwae_50']:.1f}",
        f"{row['reconstructions']['mse']:.3f}",
        cost(threads),
    )
HTML(
    table(
        [(name, *(f"{values[key]:.3g}" for key in KEYS), *rest) for name, (values, *rest) in lines.items()],
        head=[
            "",
            "Fréchet distance",
            "precision",
            "recall",
            "density",
            "coverage",
            "log p(x), nats",
            "squared error of what comes back",
            "minutes of training (by the clock, partly beside other work)",
        ],
    )
)

# %% [markdown]
# (Minutes are the clock's, on processors that had other work as well: read them as an order of magnitude.)
#
# The notes that this course grew from list what speaks for a VAE and against it, and the same for a GAN, without a number. With this table each has one beside it:

# %% id="advantages"
vae_row, gan_row, mlp_row = (
    lines[name][0]
    for name in (
        f"VAE, 20 dimensions, {large_card['config']['steps'] // 937} epochs",
        "DCGAN",
        "fully connected GAN",
    )
)
assert (
    vae_row["fid"] > gan_row["fid"]
    and vae_row["recall"] > mlp_row["recall"]
    and vae_row["precision"] < mlp_row["precision"]
)
sharp = autoencoders.sharpness(data.centre(zoo.sample(dcgan, 1000), 28))
sharp /= autoencoders.sharpness(data.to_float(test.pixels[:1000]))
assert sharp > 1.5 * one["samples"]["sharpness"]
bounds_of_betas = [row["elbo"] for row in swept]
bound = large_card["bounds"]["grey"]["iwae_50"]
decoder, generator = (
    large_card["parameters"]["decoder"],
    recorded_gans["dcgan-fashion"]["parameters"]["generator"],
)
HTML(
    table(
        [
            (
                "density estimation",
                f"log p(x) ≥ {bound['mean']:.1f} ± {bound['error']:.1f} nats, test images, grey levels",
                "none",
            ),
            (
                "a metric of its own",
                f"that bound: ELBO {by_heart[1][0]:.1f} on test images, {by_heart[0][0]:.1f} on training images ({tested} each)",
                "none: its losses say how the game stands; features and N must be chosen",
            ),
            (
                "inversion",
                f"one pass, squared error {passed:.3f} on eight photographs",
                f"{inversion_steps} steps for each image, {searched_for:.3f} on the same",
            ),
            (
                "training",
                f"one loss that falls; {len(swept)} βs with one setting, ELBOs {min(bounds_of_betas):.0f} to {max(bounds_of_betas):.0f}",
                "two losses that circle; a balance to keep (chapters 02, 03b)",
            ),
            (
                "a sample",
                f"one pass through {decoder:,} weights",
                f"one pass through {generator:,} weights",
            ),
            (
                "quality of samples",
                f"distance {vae_row['fid']:.1f}, precision {vae_row['precision']:.2f}, sharpness {one['samples']['sharpness']:.2f} of 1 (the sweep's β = 1)",
                f"distance {gan_row['fid']:.2f}, precision {gan_row['precision']:.2f}, sharpness {sharp:.2f}",
            ),
            (
                "diversity of samples",
                f"recall {vae_row['recall']:.2f}, coverage {vae_row['coverage']:.2f}",
                f"recall {gan_row['recall']:.2f}; the fully connected GAN {mlp_row['recall']:.2f}",
            ),
        ],
        head=["", "VAE", "DCGAN"],
    )
)

# %% [markdown]
# (What is shown and measured is the mean of $p(x|z)$. A sample of the model in the strict sense would then draw each pixel, black or white: noise that nobody wants to see, and that the likelihood counts.)
#
# ## The new contender: follow the score
#
# There is a third way, without an opponent and without a bound. The [score function](../docs/glossary.md#score-function) $\nabla_x \log p(x)$ says at each place where density rises. With it,
# [Langevin sampling](../docs/glossary.md#langevin-sampling) turns any starting points into samples: $x \leftarrow x + \frac{\alpha}{2}\nabla \log p(x) + \sqrt{\alpha}\,\varepsilon$. On a mixture the
# score is known exactly.
#
# **Predict.** Two equally wide humps hold 20 % and 80 %. 1,000 points start evenly spread and follow the exact score for 500 steps. How many end at the heavier hump?

# %%
predict("08.shares", ["about 80 %", "about 50 %", "nearly all"])

# %% id="langevin"
p = mixtures.mixture([[-4.0, -4.0], [4.0, 4.0]], stds=1.0, weights=[0.2, 0.8])
begin = 16 * torch.rand(1000, 2, generator=runtime.keyed_generator("cpu", 10)) - 8
sizes = scores.noise_sizes(10, 0.1, 10)
draw = lambda: runtime.keyed_generator("cpu", 11)  # noqa: E731
plain = scores.langevin(lambda x, _: scores.score(p, x), begin, [1.0], steps=500, generator=draw())
annealed = scores.langevin(
    lambda x, std: scores.score(scores.noised(p, std), x), begin, sizes, generator=draw()
)
learned = scores.fit_score(p.sample(5000, runtime.keyed_generator("cpu", 12)), sizes, steps=score_steps)
followed = scores.langevin(
    lambda x, std: learned(x, torch.full((len(x),), std)), begin, sizes, generator=draw()
)
heavier = {
    "exact score": (plain.sum(1) > 0).float().mean().item(),
    "exact, annealed": (annealed.sum(1) > 0).float().mean().item(),
    "learned, annealed": (followed.sum(1) > 0).float().mean().item(),
}
assert (
    abs(heavier["exact score"] - 0.5) < 0.1 < 0.15 < heavier["learned, annealed"] - heavier["exact score"]
)
plots.clouds(
    {
        f"{name}: {share:.0%}": points
        for (name, share), points in zip(heavier.items(), (plain, annealed, followed))
    },
    title="Only with noise from large to small do the shares come near: 80 % belong to the upper hump",
    alt="Three clouds of 1,000 points on two humps. Shares at the upper one, which holds 80 %: "
    + ", ".join(f"{name} {share:.0%}" for name, share in heavier.items())
    + ".",
    together=True,
    ellipses=False,
)

# %% id="reveal-shares"
reveal(
    "08.shares",
    "about 50 %"
    if abs(heavier["exact score"] - 0.5) < 0.1
    else "about 80 %"
    if abs(heavier["exact score"] - 0.8) < 0.1
    else "nearly all",
    f"{heavier['exact score']:.0%}: each point climbs the hump on whose side it began. Between the humps the weights hardly enter the score, and few points ever cross. Under much noise the humps "
    f"are one, and points find their share before the noise goes down: {heavier['exact, annealed']:.0%}. The learned score has seen 5,000 samples and no density.",
)

# %% [markdown]
# The learned one is trained by [denoising score matching](../docs/glossary.md#denoising-score-matching): add noise σε to the data and let a network guess ε: the best guess is −σ times the score of the noised data.
# How near it comes can be measured here, because the exact one is known:

# %% id="score-error"
errors_of_score = {}
for std in (sizes[0], sizes[4], sizes[-1]):
    q = scores.noised(p, std)
    x = q.sample(2000, runtime.keyed_generator("cpu", 13))
    right = scores.score(q, x)
    wrong = (learned(x, torch.full((len(x),), std)) - right).square().sum() / right.square().sum()
    errors_of_score[std] = wrong.item()
    print(f"noise {std:5.2f}: squared error of the learned score {wrong:.1%} of its square")
assert errors_of_score[min(errors_of_score)] == max(errors_of_score.values())

# %% [markdown]
# The less noise, the worse: at small noise the score is large and turns within a short distance. The ladder begins with the large ones, which are learned well.

# %% [markdown]
# ## What people get wrong
#
# ### "Generator → decoder, discriminator → encoder"
#
# The decoder is a generator indeed. But an encoder gives an image its latent, and a discriminator gives it one number. And where they sit in the game is opposite: one loss pulls encoder and
# decoder the same way, while discriminator and generator pull one value apart.

# %% id="encoder-discriminator"
critic = training.recipes.build(training.RECIPES["dcgan-fashion"])[1]
eight = data.load("fashion-mnist", "test").subset(slice(0, 8)).padded(32).pixels
print(
    f"encoder: {tuple(large.encode(shown.to(runtime.device()))[0].shape)} means and as many variances for 8 images"
)
print(f"discriminator: {tuple(critic(data.to_float(eight)).shape)} logits for 8 images")
pictures = shown.to(runtime.device())
own, swapped = (
    large.log_likelihood(large.encode(whose)[0], pictures).mean().item()
    for whose in (pictures, pictures.flip(0))
)
assert swapped < own - 100
print(
    f"log p(x|z) with the codes of other images is {swapped:.0f} nats instead of {own:.0f}: the encoder's answer is used, image by image"
)

# %% [markdown]
# ### "A GAN's generator never sees the data"
#
# It is shown no image. But what reaches it through the best discriminator, at a sample $x$, is the gradient of $\log\frac{D}{1-D}$ (times a positive number that depends on the loss), and with $D = p/(p+q)$ that is $\nabla\log p - \nabla\log q$: the score of
# the *data* minus its own. All of the data's geometry comes through.

# %% id="what-the-generator-sees"
model = mixtures.mixture([[1.0, -1.0], [2.0, 3.0]], stds=1.5)
x = model.sample(500, runtime.keyed_generator("cpu", 14)).double().requires_grad_(True)
(arriving,) = torch.autograd.grad(oracle.optimal_logits(p, model, x).sum(), x)
difference = scores.score(p, x.detach()) - scores.score(model, x.detach())
assert (arriving - difference).abs().max() < 1e-9
print(f"largest difference over 500 samples: {(arriving - difference).abs().max():.0e}")

# %% [markdown]
# ### "A better likelihood means better samples"
#
# The table above has the counterexample: between the βs of the sweep the order by $\log p(x)$ and the order by distance of samples are not the same, and the model with the best samples has no likelihood.

# %% id="two-orders"
by_bound = [f"{row['beta']:g}" for row in sorted(swept, key=lambda row: -row["iwae_50"])]
by_distance = [f"{row['beta']:g}" for row in sorted(swept, key=lambda row: row["samples"]["fid"])]
assert by_bound != by_distance
print("β, best bound first:         ", ", ".join(by_bound))
print("β, nearest samples first:    ", ", ".join(by_distance))

# %% [markdown]
# ## In your own words

# %%
explain("08.words")

# %%
quiz("08.check")

# %% [markdown]
# ## What to keep
#
# - An autoencoder gives codes without a distribution to draw them from. A VAE has $p(z)$, $p(x|z)$ and, as a proposal for the integral, $q(z|x)$.
# - $\log p(x) = \mathrm{ELBO} + \mathrm{KL}(q\,\|\,\text{posterior})$ for every $q$. Reconstruction and KL are *sums*, over pixels and latent dimensions; the mean is over images alone.
# - $z = \mu + \sigma\varepsilon$ lets gradients through. β other than 1 is another noise in the pixels, and a mean in the place of a sum is another β.
# - With $K$ weights before the logarithm the bound tightens. Nats compare on the same data, with the same meaning of a pixel, or not at all.
# - Blur is the mean of the images that share a latent. The KL makes them share, the likelihood averages.
# - VAE: bound, inversion in one pass, one loss. GAN: sharper samples. Measure both with the same features and the same $N$.
#
# Further reading: Kingma, Welling 2013 ([arXiv:1312.6114](https://arxiv.org/abs/1312.6114)) for the estimator itself; Burda et al. 2015 ([arXiv:1509.00519](https://arxiv.org/abs/1509.00519)) for the importance-weighted
# bound and units that go unused; Song, Ermon 2019 ([arXiv:1907.05600](https://arxiv.org/abs/1907.05600)) for scores under noise, shown on two such humps. Two hybrids, with what to look for:
# [VQ-VAE-2](../docs/glossary.md#vq-vae-2) ([arXiv:1906.00446](https://arxiv.org/abs/1906.00446)): codes are discrete and a second model learns where to draw them, so ask which part pays for diversity;
# [VAE-GAN](../docs/glossary.md#vae-gan) ([arXiv:1512.09300](https://arxiv.org/abs/1512.09300)): squared error is taken in a discriminator's features instead of pixels, so ask of *what* the average is now taken.

# %% id="running-on"
running_on("08")

# %% id="report"
nearer = zoo.card("dcgan-fashion")["metrics"]["fid"]
add_to_report(
    "08",
    f"Beside the recorded DCGAN (distance {nearer:.2f}, N = 10,000, the course's classifier) a VAE of 20 dimensions has {large_card['metrics']['fid']:.2f}, a bound of "
    f"{recorded['grey']['iwae_50']['mean']:.1f} nats on test images (grey levels as probabilities, 50 weights), and gives a photograph back with a squared error of {large_card['reconstructions']['mse']:.3f}; "
    "the DCGAN has no bound and no encoder.",
)

# %% id="progress"
progress("08")
