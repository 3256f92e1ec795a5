# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 05 · KL and the Inception Score: how surprised is one distribution by another?
#
# A GAN has no likelihood, so for years its papers printed one number instead: the [Inception Score](../docs/glossary.md#inception-score). It is built of a single idea, how
# surprised somebody is who expects one distribution and meets another. This chapter builds that idea, shows what it does to a model that
# is too simple, builds the score, and then looks for what it can be made to say.
#
# **You will** write [entropy](../docs/glossary.md#entropy), [cross-entropy](../docs/glossary.md#cross-entropy), KL, the score, its [splits](../docs/glossary.md#splits), and a set of images that games it · **you will know** which direction of KL
# covers and which one seeks, what a score of 8 says and what it does not · **you need** chapters 00b and 01, and chapter 02's generators ·
# **time**: an hour, of which your machine computes under a minute.

# %% id="imports"
import math

import torch
from course_lib import data, metrics, oracle, plots, runtime, widgets, zoo
from course_lib.data import degrade, mixtures
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
from course_lib.oracle.fits import best_normal
from course_lib.zoo.judging import classify
from IPython.display import HTML

# %% id="knobs"
# Knobs: how many images each generator draws, how fine the curve of fits is, how long the noise is fitted.
samples = runtime.by_profile(ci=2000, laptop=10_000, gpu=10_000)
distances_per_unit = runtime.by_profile(ci=1, laptop=4, gpu=4)
noise_steps = runtime.by_profile(ci=60, laptop=150, gpu=150)

# %% [markdown]
# ## Two questions on what you know already

# %%
quiz("05.recall")

# %% [markdown]
# ## Surprise, and its average
#
# If something had probability $p$ and happens, its [surprise](../docs/glossary.md#surprise) is $-\log p$: 0 for what was certain, without end for what was nearly ruled out. The
# logarithm makes surprises of independent events add up. With $\ln$ the unit is the [nat](../docs/glossary.md#nat). The average surprise of a distribution is its **entropy**:
#
# $$H(p) = -\sum_y p(y) \log p(y)$$


# %%
@exercise("05.entropy")
def entropy(p):
    """Mean surprise of a discrete distribution, in nats.

    p: (..., K) probabilities, zeros allowed.  Returns (...), one entropy for each distribution."""
    ...  # your code


# %% [markdown]
# The course's classifier of Fashion-MNIST returns a [softmax](../docs/glossary.md#softmax) of ten logits: the [conditional label distribution](../docs/glossary.md#conditional-label-distribution) $p(y|x)$ of one image. Its entropy says how unsure
# the classifier is of that image.


# %% id="label-entropies"
def seen_by_classifier(images):
    """Features (N, 64) and p(y|x) (N, 10) of images by the course's classifier; p(y|x) in float64."""
    features, rows = classify(images)
    return features, rows.double() / rows.double().sum(1, keepdim=True)


test = data.load("fashion-mnist", "test")
test_features, real = seen_by_classifier(test.pixels)
unsure = entropy(real)
assert torch.allclose(unsure, metrics.entropy(real), atol=1e-9) and unsure.max() < math.log(10)
order = unsure.argsort()
shown = {"surest": order[:16], "in the middle": order[4992:5008], "least sure": order[-16:]}
plots.image_grids(
    {f"{name}: H ≈ {unsure[rows].mean():.2f}": test.pixels[rows] for name, rows in shown.items()},
    columns=4,
    title=f"Mean entropy of p(y|x) on {len(real):,} photographs: {unsure.mean():.2f} of at most log 10 = {math.log(10):.2f} nats",
    alt=f"Three sheets of 16 photographs by the entropy of the classifier's answer: {unsure[shown['surest']].mean():.3f}, "
    f"{unsure[shown['in the middle']].mean():.3f} and {unsure[shown['least sure']].mean():.3f} nats.",
)

# %% [markdown]
# ## Expecting q, meeting p
#
# Now somebody expects $q$ while $p$ happens. Their average surprise is the **cross-entropy**
#
# $$H(p, q) = -\sum_y p(y) \log q(y)$$


# %%
@exercise("05.cross_entropy")
def cross_entropy(p, q):
    """Mean surprise of who expects q and meets p, in nats.

    p, q: (..., K) probabilities, zeros allowed.  Returns (...), infinite where q rules out what p does."""
    ...  # your code


# %% [markdown]
# A classifier is trained on this number: $p$ is the true label, sure of itself, $q$ the softmax.

# %% id="classifier-loss"
truth = torch.nn.functional.one_hot(test.labels.long(), 10).double()
loss = cross_entropy(truth, real).mean()
by_torch = torch.nn.functional.nll_loss(real.log(), test.labels.long())
assert abs(loss - by_torch) < 1e-9
print(f"the classifier's test loss is a cross-entropy: {loss:.4f} nats, by PyTorch {by_torch:.4f}")
print(
    f"it gives the true class {math.exp(-loss):.0%} in the geometric mean; a guess among ten costs log 10 = {math.log(10):.3f}"
)

# %% [markdown]
# Part of it nobody is spared: $H(p)$, for who expects exactly $p$. The rest is the price of expecting the wrong thing, the
# [Kullback-Leibler divergence](../docs/glossary.md#kullback-leibler-divergence), also called relative entropy:
#
# $$\mathrm{KL}(p\,\|\,q) = H(p, q) - H(p) = \sum_y p(y) \log \frac{p(y)}{q(y)}$$
#
# **Predict.** $q$ rules out an outcome that $p$ has once in a thousand times, $p = (0.999, 0.001)$ and $q = (1, 0)$. $\mathrm{KL}(p\,\|\,q)$ is …

# %%
predict("05.ruled_out", ["about 0.001", "about 1", "infinite"])


# %%
@exercise("05.kl_divergence")
def kl_divergence(p, q):
    """KL(p‖q), the extra surprise of who expects q and meets p, in nats.

    p, q: (..., K) probabilities, zeros allowed.  Returns (...), infinite where q rules out what p does."""
    ...  # your code


# %% id="reveal-ruled-out"
often, never = (
    torch.tensor([0.999, 0.001], dtype=torch.float64),
    torch.tensor([1.0, 0.0], dtype=torch.float64),
)
there, back = kl_divergence(often, never).item(), kl_divergence(never, often).item()
half = torch.tensor([0.5, 0.5], dtype=torch.float64)
assert abs(cross_entropy(often, half) - entropy(often) - kl_divergence(often, half)) < 1e-12
reveal(
    "05.ruled_out",
    "infinite" if math.isinf(there) else "about 0.001" if there < 0.1 else "about 1",
    "0.001·log(0.001/0) is infinite: what was called impossible happened. The other way round "
    f"KL(q‖p) = {back:.4f}: who expects a rarity that never comes loses next to nothing. "
    "This one difference is what the next section is about.",
)

# %% [markdown]
# ## One Gaussian, two humps
#
# A model is too simple for its data: one normal for two humps. What is the best it can do? That depends on who pays.
#
# - [Forward KL](../docs/glossary.md#forward-kl), $\mathrm{KL}(\text{data}\,\|\,\text{model})$: every *data point* pays $\log(p/q)$. Maximum likelihood minimises this.
# - [Reverse KL](../docs/glossary.md#reverse-kl), $\mathrm{KL}(\text{model}\,\|\,\text{data})$: every *sample of the model* pays $\log(q/p)$.
#
# **Predict.** The humps are 4 apart. Which direction makes the normal stretch over both, the empty gap included?

# %%
predict("05.two_humps", ["forward, KL(data‖model)", "reverse, KL(model‖data)", "both", "neither"])

# %% [markdown]
# Try it: put the normal over both humps, then over one. The two lower strips show where each direction is paid (cut off at 0.9). The buttons jump to the least of
# each direction. Then three questions for your hands: is there a second valley of the reverse KL, on the other hump? What happens to the reverse fit
# between 3 and 3.5 apart? And why is it the forward KL that explodes at deviation 0.2?

# %% id="kl-fit"
fit = widgets.kl_fit()
fit

# %% id="two-humps"
p = mixtures.mixture([-2.0, 2.0], stds=[0.5, 0.8], weights=[0.4, 0.6])
fits = {name: best_normal(p, name) for name in ("forward", "reverse", "jensen_shannon")}
width = {name: each.stds.item() for name, each in fits.items()}
x = torch.linspace(-6, 6, 361, dtype=torch.float64)[:, None]
plots.curves(
    x[:, 0].tolist(),
    {
        "data": p.log_prob(x).exp().tolist(),
        "least forward KL": fits["forward"].log_prob(x).exp().tolist(),
        "least reverse KL": fits["reverse"].log_prob(x).exp().tolist(),
        "least JSD": fits["jensen_shannon"].log_prob(x).exp().tolist(),
    },
    title=f"Forward covers (deviation {width['forward']:.2f}), reverse seeks ({width['reverse']:.2f}), "
    f"JSD here covers too ({width['jensen_shannon']:.2f})",
    xlabel="x",
    ylabel="density",
)

# %% id="reveal-two-humps"
gap = {
    name: each.log_prob(torch.zeros(1, 1, dtype=torch.float64)).exp().item() for name, each in fits.items()
}
covers = {name: width[name] > 1.5 for name in width}
mean = (p.weights @ p.means[:, 0]).item()
variance = (p.weights @ (p.stds**2 + (p.means[:, 0] - mean) ** 2)).item()
assert abs(fits["forward"].means.item() - mean) < 1e-9 and abs(width["forward"] ** 2 - variance) < 1e-9
reveal(
    "05.two_humps",
    {
        (True, False): "forward, KL(data‖model)",
        (False, True): "reverse, KL(model‖data)",
        (True, True): "both",
        (False, False): "neither",
    }[covers["forward"], covers["reverse"]],
    "Forward KL may leave out no data, so it takes the data's mean and deviation, "
    f"{mean:.2f} and {math.sqrt(variance):.2f}, and puts a density of {gap['forward']:.2f} into the gap. "
    "Reverse KL keeps out of the gap, takes the heavier hump, and pays "
    f"{oracle.kl_divergence(fits['reverse'], p):.3f}, about −log 0.6 = {-math.log(0.6):.3f}.",
)

# %% [markdown]
# So is a GAN, whose ideal loss is [JSD](../docs/glossary.md#jensen-shannon-divergence), a coverer or a seeker? Pull the humps apart and watch the best deviation.

# %% id="letting-go"
apart = [step / distances_per_unit for step in range(6 * distances_per_unit + 1)]
widths = {name: [] for name in fits}
for distance in apart:
    pair = mixtures.mixture([-distance / 2, distance / 2], stds=[0.5, 0.8], weights=[0.4, 0.6])
    for name in widths:
        widths[name].append(best_normal(pair, name).stds.item())


def lets_go(name):
    """The first distance at which the best normal is narrower than at the one before: it has left a hump."""
    steps = zip(apart[1:], widths[name], widths[name][1:])
    return next((distance for distance, before, now in steps if now < before), None)


assert lets_go("forward") is None and lets_go("reverse") < lets_go("jensen_shannon")
plots.curves(
    apart,
    {"forward KL": widths["forward"], "reverse KL": widths["reverse"], "JSD": widths["jensen_shannon"]},
    title=f"Reverse KL has let go of one hump at a distance of {lets_go('reverse'):g}, "
    f"JSD at {lets_go('jensen_shannon'):g}, forward KL never",
    xlabel="distance of the humps",
    ylabel="deviation of the best normal",
)

# %% [markdown]
# JSD covers first and seeks later. It is tempting to explain mode collapse by that, and wrong: a GAN's generator is not too simple for its modes, and
# GANs trained on forward KL collapse too (Goodfellow 2016, section 3.2.5). The fit shows what an *optimum* looks like; collapse is a matter of the game.

# %% [markdown]
# ## From surprise to a score
#
# What do we ask of generated images? That a classifier recognise each: $p(y|x)$ with a *low* entropy. And that all classes come: the mean over
# the generated images, the [marginal label distribution](../docs/glossary.md#marginal-label-distribution) $p(y) = \frac1N \sum_x p(y|x)$, with a *high* entropy. One number for both:
# how much a single image's answer surprises who expects the average one.
#
# $$\mathrm{IS} = \exp \mathbb E_x\, \mathrm{KL}\bigl(p(y|x)\,\|\,p(y)\bigr), \qquad \log \mathrm{IS} = H\bigl(p(y)\bigr) - \mathbb E_x H\bigl(p(y|x)\bigr)$$
#
# Unlike everywhere above, this KL is to be *large*. Sum over classes, average over images, once each; then the exponential.


# %%
@exercise("05.inception_score")
def inception_score(probabilities):
    """exp E KL(p(y|x)‖p(y)): the Inception Score of these images, as one whole.

    probabilities: (N, K), p(y|x) of each generated image, zeros allowed.  Returns a scalar tensor, from 1 to K."""
    ...  # your code


# %% [markdown]
# Two identities come for free. The second says that you have met this score before, with two "images".

# %% id="two-identities"
score = inception_score(real).item()
assert abs(math.log(score) - (entropy(real.mean(0)) - entropy(real).mean()).item()) < 1e-9
two = real[order[-2:]]
jsd = metrics.js_divergence(two[0], two[1]).item()
assert abs(inception_score(two).log().item() - jsd) < 1e-9
print(
    f"log IS of {len(real):,} photographs {math.log(score):.4f} = {entropy(real.mean(0)):.4f} − {entropy(real).mean():.4f}"
)
print(f"log IS of two images {inception_score(two).log():.4f} = their Jensen-Shannon divergence {jsd:.4f}")

# %% [markdown]
# JSD is at most $\log 2$, and so the score of two images at most 2. In general $1 \le \mathrm{IS} \le \min(N, K)$: the score is the *effective number of
# classes* among the images.
#
# The published score asks the Inception network of 2015 with its 1008 classes; its classification head comes in no package. By
# our own classifier, $K = 10$, the number is a **classifier score**: the same formula, other digits, not comparable with any paper's.
#
# **Predict.** Who has the highest classifier score?

# %%
predict(
    "05.highest",
    [
        f"{len(real):,} photographs, the test set",
        f"{samples:,} images of the DCGAN",
        "ten of those photographs",
        "noise, fitted to please the classifier",
    ],
)

# %% id="generators"
drawn = {name: zoo.sample(zoo.load(f"{name}-fashion")[0], samples) for name in ("dcgan", "mlp")}
said = {
    "photographs": real,
    "DCGAN": seen_by_classifier(drawn["dcgan"])[1],
    "MLP": seen_by_classifier(drawn["mlp"])[1],
}
scores = {name: inception_score(rows).item() for name, rows in said.items()}
assert scores["photographs"] > scores["DCGAN"] > scores["MLP"]
rows = [
    (
        name,
        f"{len(each):,}",
        f"{entropy(each.mean(0)):.3f}",
        f"{entropy(each).mean():.3f}",
        f"{scores[name]:.2f}",
    )
    for name, each in said.items()
]
variety, doubt = "H(p(y)): variety, at most 2.303", "E H(p(y|x)): doubt"
HTML(table(rows, head=["images", "N", variety, doubt, "classifier score"]))

# %% [markdown]
# The DCGAN's classes are as even as those of the photographs; what it lacks is sureness. The MLP, chapter 02's fully connected GAN, lacks both. So far the score behaves.

# %% [markdown]
# ## How to beat it
#
# Ten photographs, one of each class, the ones the classifier is surest of:


# %%
@exercise("05.one_of_each")
def one_of_each(probabilities):
    """For each class the index of the image that is most probably of it.

    probabilities: (N, K), p(y|x) of N images.  Returns (K,) int64 indices between 0 and N − 1."""
    ...  # your code


# %% id="ten-photographs"
ten = one_of_each(real)
scores["ten photographs"] = inception_score(real[ten]).item()
perfect = inception_score(
    torch.eye(10, dtype=torch.float64)
).item()  # K images that the classifier has no doubt of
assert abs(perfect - 10) < 1e-9 and scores["ten photographs"] > scores["photographs"]
print(
    f"ten photographs {scores['ten photographs']:.3f}, all {len(real):,} {scores['photographs']:.3f}, ten certain ones {perfect:.3f} = K"
)

# %% [markdown]
# And fifty pictures of noise, changed step by step along the classifier's gradient until it calls the first a T-shirt, the second a pair of trousers, and so on:

# %% id="pleasing-noise"
judge = zoo.load("classifier-fashion")[0]
wanted = (torch.arange(50) % 10).to(runtime.device())
start = 0.3 * torch.randn(50, 1, 28, 28, generator=runtime.keyed_generator("cpu", 1))
noise = start.clone().to(runtime.device()).requires_grad_(True)
optimizer = torch.optim.Adam([noise], lr=0.03)
for _ in range(noise_steps):
    doubt = torch.nn.functional.cross_entropy(judge(noise.tanh()), wanted)
    optimizer.zero_grad()
    doubt.backward()
    optimizer.step()
pleasing = noise.detach().tanh().cpu()
scores["plain noise"] = inception_score(seen_by_classifier(start.tanh())[1]).item()
scores["pleasing noise"] = inception_score(seen_by_classifier(pleasing)[1]).item()
assert scores["pleasing noise"] > scores["photographs"] > scores["plain noise"]

# %% id="beaten"
plots.image_grids(
    {
        f"ten photographs: {scores['ten photographs']:.3f}": test.pixels[ten],
        f"pleasing noise: {scores['pleasing noise']:.2f}": pleasing[:10],
        f"DCGAN: {scores['DCGAN']:.2f}": data.to_uint8(data.centre(drawn["dcgan"][:10], 28)),
    },
    columns=5,
    title=f"Both beat {len(real):,} photographs ({scores['photographs']:.2f}), whose classifier score is no upper bound",
    alt=f"Ten photographs with a classifier score of {scores['ten photographs']:.3f}, ten pictures of noise from a set with "
    f"{scores['pleasing noise']:.2f}, ten images of the DCGAN, whose score is {scores['DCGAN']:.2f}.",
)

# %% id="reveal-highest"
names = {
    f"{len(real):,} photographs, the test set": scores["photographs"],
    f"{samples:,} images of the DCGAN": scores["DCGAN"],
    "ten of those photographs": scores["ten photographs"],
    "noise, fitted to please the classifier": scores["pleasing noise"],
}
reveal(
    "05.highest",
    max(names, key=names.get),
    f"{scores['ten photographs']:.3f}, and noise has {scores['pleasing noise']:.2f}; the test set has "
    f"{scores['photographs']:.2f}, because photographs are not always clear. No real image stands in the "
    "formula, so nothing compares these images with any. Within a class the score asks for nothing.",
)

# %% id="scores-figure"
plots.bars(
    scores,
    title=f"Classifier scores: fitted noise has {scores['pleasing noise']:.2f}, photographs {scores['photographs']:.2f}",
    ylabel="classifier score",
    reference=("K = 10", 10),
)

# %% [markdown]
# ## Splits
#
# Papers print a mean and a deviation: the images are cut into ten **splits**, each part is scored as if it were all there is, with its own $p(y)$. Published: 50,000
# images in ten contiguous splits.
#
# **Predict.** The ten photographs, score 9.996. In ten splits, their mean score is …

# %%
predict("05.ten_splits", ["about 10", "between 1 and 2", "exactly 1"])


# %%
@exercise("05.split_scores")
def split_scores(probabilities, splits):
    """The Inception Score of each contiguous part, with edges at i·N/splits rounded down, so that nobody is left out.

    probabilities: (N, K);  splits: number of parts.  Returns (splits,)."""
    ...  # your code


# %% id="reveal-ten-splits"
in_ten = split_scores(real[ten], 10)
mean_score = in_ten.mean().item()
reveal(
    "05.ten_splits",
    "exactly 1" if abs(mean_score - 1) < 1e-9 else "between 1 and 2" if mean_score < 2 else "about 10",
    "Each part has one image, whose p(y|x) is its own p(y): ten times 1.0, deviation "
    f"{in_ten.std(correction=0):.1f}, and the same ten images score {scores['ten photographs']:.3f} as a whole. "
    "A part of N/S images cannot score more than N/S.",
)

# %% [markdown]
# That is the extreme of a bias that is always there: the fewer images in a part, the lower the score, although nothing about the images has changed. And since parts
# are contiguous, the *order* counts, as with a conditional generator that writes its images class by class.

# %% id="splits-figure"
parts = [2000, 1000, 400, 200, 100, 40, 20, 10, 4, 1]
pool = real[:2000]  # the test set's order is random
means = [split_scores(pool, count).mean().item() for count in parts]
per_part = [2000 // count for count in parts]
assert means == sorted(means) and all(mean <= min(size, 10) + 1e-9 for mean, size in zip(means, per_part))
by_class = pool[test.labels[:2000].argsort(stable=True)]
sorted_mean, mixed_mean = (split_scores(rows, 10).mean().item() for rows in (by_class, pool))
assert sorted_mean < 2
plots.curves(
    per_part,
    {"mean score of the splits": means, "most possible: min(N/S, K)": [min(size, 10) for size in per_part]},
    title=f"The same 2,000 photographs: {means[0]:.0f} in splits of 1, {means[3]:.1f} in splits of 10, {means[-1]:.1f} as a whole",
    xlabel="images in a split, N/S",
    ylabel="classifier score",
    log_x=True,
)

# %% id="sorted"
print(
    f"2,000 photographs in 10 splits: {mixed_mean:.2f} in their own order, {sorted_mean:.2f} sorted by class"
)

# %% [markdown]
# ## Which metric sees what?
#
# A score that ten photographs can fill needs company.
#
# **Predict.** Ten photographs of each class, each of them twenty times: 2,000 sharp, even, real images. Who does not notice?

# %%
predict("05.ten_a_class", ["the classifier score", "FID", "recall", "coverage"])

# %% [markdown]
# Here is what chapters 04, 04b and 07 offer, as facts first: which way is better, the range, what a metric needs, what it sees, and what the number of images does to
# it. "Sees" is a claim that can be run, so the cell after next spoils photographs in four ways and lets the run decide.

# %% id="facts"
COLUMNS = [
    "better",
    "range",
    "needs real images",
    "needs labels",
    "fidelity: noise in half",
    "diversity: 5 classes gone",
    "diversity: 10 a class",
    "memory: copies",
    "sample size",
]
FACTS = {
    "Inception Score": ("high", "1 to min(K, N/S)", "none", "its classifier", "yes", "yes", "no", "no", "too low at small N/S"),
    "FID": ("low", "0 to ∞", "yes", "none", "yes", "yes", "yes", "no", "too high at small N"),
    "KID": ("low", "0 to ∞, or just below", "yes", "none", "yes", "yes", "yes", "no", "right on average"),
    "precision": ("high", "0 to 1", "yes", "none", "yes", "no", "no", "no", "fix N and k"),
    "recall": ("high", "0 to 1", "yes", "none", "no", "yes", "yes", "no", "fix N and k"),
    "density": ("high", "0 to ∞; 1 for equals", "yes", "none", "yes", "no", "no", "no", "fix N and k"),
    "coverage": ("high", "0 to 1", "yes", "none", "yes", "yes", "yes", "no", "fix N and k"),
    "copying test": ("low", "0 to 1; 0.05 for unseen", "also unseen ones", "none", "no", "no", "no", "yes", "20 unseen at least"),
    "KL of densities": ("low", "0 to ∞", "densities", "none", *"––––", "exact"),
    "HYPE∞ (chapter 06)": ("high", "0 to 1; 0.5: not told apart", "yes", "none", *"––––", "by judges"),
    "PPL (chapter 10)": ("low", "0 to ∞", "none", "none", *"––––", "50,000 pairs"),
}  # fmt: skip
HTML(table([(name, *facts) for name, facts in FACTS.items()], head=["", *COLUMNS]))

# %% [markdown]
# "–": not run here. KL needs densities, which a GAN does not have, people judge in HYPE, and path length looks at how images change, not at sets.
# "Memory" is a generator that hands out its training images. Now the run:

# %% id="spoiled"
n = 2000
reference, unseen = test_features[:n], test_features[n : 2 * n]
labels = test.labels[2 * n : 3 * n]
photographs = test.pixels[2 * n : 3 * n]
noisy = data.to_float(photographs)
noisy[::2] = degrade.noise(noisy[::2], 0.4)
few = torch.cat([torch.nonzero(labels == each)[:10, 0] for each in range(10)]).repeat(20)
train_features, train_said = seen_by_classifier(data.load("fashion-mnist", "train").pixels[:4000])
part = lambda rows: (test_features[2 * n :][rows], real[2 * n :][rows])  # noqa: E731
sets = {
    "photographs": part(slice(n)),
    "others": part(slice(n, 2 * n)),
    "and others": part(slice(2 * n, 3 * n)),
    "fidelity: noise in half": seen_by_classifier(noisy),
    "diversity: 5 classes gone": part(degrade.without_classes(labels, 5)),
    "diversity: 10 a class": part(few),
    "memory: copies": (train_features[:n], train_said[:n]),
}


def measure(features, said):
    nearest = metrics.prdc(real=reference, fake=features, k=5)
    return {
        "Inception Score": inception_score(said).item(),
        "FID": metrics.fid(reference, features),
        "KID": metrics.kid_unbiased(reference, features).kid,
        **nearest._asdict(),
        "copying test": metrics.memorisation(train=train_features, test=unseen, fake=features).share,
    }


measured = {name: measure(*each) for name, each in sets.items()}

# %% [markdown]
# Three sets of other photographs show how far a number moves by chance. A spoiled set is *seen* if the number is worse than the worst of them by five times their range. Then the run is held
# against the facts.

# %% id="facts-checked"
honest, spoiled = list(sets)[:3], list(sets)[3:]
rows = []
for name in measured["photographs"]:
    sign = 1 if FACTS[name][0] == "high" else -1
    chance = [sign * measured[each][name] for each in honest]
    limit = min(chance) - 5 * (max(chance) - min(chance))
    seen = {each: sign * measured[each][name] < limit for each in spoiled}
    claimed = dict(zip(COLUMNS, FACTS[name]))
    assert all((claimed[each] == "yes") == seen[each] for each in spoiled), (name, seen)
    rows.append(
        (
            name,
            *(f"{measured[each][name]:.3g}" for each in honest),
            *(f"{measured[each][name]:.3g}" + " ●" * seen[each] for each in spoiled),
        )
    )
HTML(table(rows, head=["● seen", *sets]))

# %% id="reveal-ten-a-class"
unmoved = {
    "the classifier score": "Inception Score",
    "FID": "FID",
    "recall": "recall",
    "coverage": "coverage",
}
(blind,) = (
    option
    for option, name in unmoved.items()
    if FACTS[name][COLUMNS.index("diversity: 10 a class")] == "no"
)
before, after = measured["photographs"], measured["diversity: 10 a class"]
reveal(
    "05.ten_a_class",
    blind,
    f"The classifier score goes from {before['Inception Score']:.2f} to {after['Inception Score']:.2f}: the "
    f"classes are even and every image is sharp. FID goes from {before['FID']:.2f} to {after['FID']:.2f}, coverage "
    f"from {before['coverage']:.2f} to {after['coverage']:.2f}, recall from {before['recall']:.2f} to {after['recall']:.2f}. "
    "And copies of training images please everybody but the copying test.",
)

# %% [markdown]
# ## What people get wrong
#
# ### "IS can be 0", "its range is 0 to ∞"
#
# A table in circulation says "mathematically 0 to ∞, in real life 1 to 1000". KL is at least 0, so the exponential is at least 1; and $H(p(y))$ is at most $\log K$. Mathematics
# and real life agree (and $K$ is 1008 for the network of the published score). Try to leave the range:

# %% id="range"
draw = runtime.keyed_generator("cpu", 3)
tried = []
for sharpness in (0.0, 0.1, 1.0, 10.0, 300.0):
    for _ in range(100):
        logits = sharpness * torch.randn(30, 10, generator=draw, dtype=torch.float64)
        tried.append(inception_score(logits.softmax(1)).item())
tried += [inception_score(torch.eye(10, dtype=torch.float64)).item(), inception_score(real[:1]).item()]
assert min(tried) > 1 - 1e-12 and max(tried) < 10 + 1e-9
print(
    f"{len(tried)} sets of answers, from undecided to certain: scores from {min(tried):.4f} to {max(tried):.4f}"
)

# %% [markdown]
# ### "p(y) is the distribution of the real data"
#
# Put the real labels' distribution, $\frac1{10}$ each, in the place of the generated marginal, and score a generator that draws nothing but sure bags:

# %% id="real-marginal"
bags = real[(test.labels == 8) & (unsure < 0.01)]
real_shares = torch.full((10,), 0.1, dtype=torch.float64)
wrongly = kl_divergence(bags, real_shares.expand_as(bags)).mean().exp().item()
rightly = inception_score(bags).item()
assert wrongly > 9.9 and rightly < 1.01
print(
    f"{len(bags)} bags: {rightly:.3f} with the marginal of the generated images, {wrongly:.3f} with that of the real ones"
)

# %% [markdown]
# Total collapse would have the highest score there is. Nor is $p(y|x)$ "the generated data given a latent": it is a classifier's answer to one image, and the network in the recipe is that
# classifier, not the discriminator.

# %% [markdown]
# ### "KL is p(y|x)·log(p(y|x)/p(y))", and "the sum *and* the average"
#
# Without the sum it is a list of terms, some of them negative. And with an average over classes as well, the score is its own tenth root:

# %% id="sums"
marginal = real.mean(0)
terms = torch.special.xlogy(real, real) - torch.special.xlogy(real, marginal)  # (N, K)
twice = terms.mean().exp().item()
assert (terms.sum(1) >= 0).all() and (terms < 0).any() and abs(twice - score**0.1) < 1e-9
print(
    f"{(terms < 0).double().mean():.0%} of all terms are negative, no sum over classes is; the least is {terms.sum(1).min():.3f}"
)
print(f"averaged over classes as well: {twice:.3f} instead of {score:.3f}, the tenth root")

# %% [markdown]
# "A ratio $p(y|x)/p(y)$ near 1 shows a good match" is wrong too: where it is 1 for all, all logarithms are 0 and the score is 1, its worst.
#
# ### "KL is a distance"
#
# A distance is the same both ways, and a detour is never shorter.

# %% id="no-distance"
here, between, far = (
    torch.tensor(row, dtype=torch.float64) for row in ([0.9, 0.1], [0.5, 0.5], [0.1, 0.9])
)
direct = kl_divergence(here, far).item()
detour = kl_divergence(here, between).item() + kl_divergence(between, far).item()
forth, back = kl_divergence(here, between).item(), kl_divergence(between, here).item()
assert direct > detour and abs(forth - back) > 0.1
a, b, c = (
    torch.rand(3, 2000, 5, generator=runtime.keyed_generator("cpu", 4), dtype=torch.float64)
    .log()
    .neg()
    .unbind(0)
)
a, b, c = (rows / rows.sum(1, keepdim=True) for rows in (a, b, c))
root = lambda one, other: metrics.js_divergence(one, other).clamp(min=0).sqrt()  # noqa: E731
kl_broken = (kl_divergence(a, c) > kl_divergence(a, b) + kl_divergence(b, c)).double().mean().item()
assert (root(a, c) <= root(a, b) + root(b, c) + 1e-12).all()
print(f"(0.9, 0.1) to (0.5, 0.5): {forth:.3f} there, {back:.3f} back")
print(f"(0.9, 0.1) to (0.1, 0.9): {direct:.3f} directly, {detour:.3f} by way of (0.5, 0.5)")
print(
    f"of 2,000 random triples the detour is shorter in {kl_broken:.0%} for KL and in none for √JSD, which is a distance"
)

# %% [markdown]
# ### "A score like the real images' means images like them"
#
# Throw away what the classifier is not sure of. Kept without a plan, the surest quarter loses whole classes and the score falls; the surest quarter *of each class* leaves the photographs
# behind, and nothing was learned in between. Truncation (chapter 06) does the same more gently.

# %% id="filtered"
dcgan = said["DCGAN"]
by_sureness = entropy(dcgan).argsort()
called = dcgan.argmax(1)
quarter = by_sureness[: samples // 4]
quarters = torch.cat(
    [rows[: len(rows) // 4] for rows in (by_sureness[called[by_sureness] == each] for each in range(10))]
)
planless, planned = inception_score(dcgan[quarter]).item(), inception_score(dcgan[quarters]).item()
assert planless < scores["DCGAN"] < scores["photographs"] < planned
print(f"DCGAN {scores['DCGAN']:.2f}; photographs {scores['photographs']:.2f}")
print(
    f"the DCGAN's surest quarter {planless:.2f}, with {called[quarter].bincount(minlength=10).min()} images in its rarest class"
)
print(f"the surest quarter of each class {planned:.2f}")

# %% [markdown]
# ### KL, FID and IS side by side
#
# The comparison in which most of these errors stand together, in four lines, with the numbers of this chapter's runs. "FID does not measure diversity" is wrong: its covariance does. What it
# cannot do is say which of the two is missing.

# %% id="four-lines"
photos, gone, tens = (
    measured[name] for name in ("photographs", "diversity: 5 classes gone", "diversity: 10 a class")
)
there_and_back = metrics.fid(reference, unseen), metrics.fid(unseen, reference)
assert abs(there_and_back[0] - there_and_back[1]) < 1e-6
HTML(
    table(
        [
            (
                "compares",
                "two distributions, by their probabilities or densities",
                "two sets of images, by mean and covariance of features",
                "each generated image's label distribution with their average",
            ),
            (
                "the other way round",
                f"another number: {forth:.3f} and {back:.3f}",
                f"the same: {there_and_back[0]:.3f} and {there_and_back[1]:.3f}",
                "there is no second set",
            ),
            (
                "diversity",
                "forward KL is infinite where the model rules out data",
                f"classes gone: {photos['FID']:.2f} to {gone['FID']:.1f}; ten a class: {tens['FID']:.1f}",
                f"classes gone: {photos['Inception Score']:.2f} to {gone['Inception Score']:.2f}; ten a class: {tens['Inception Score']:.2f}",
            ),
            (
                "better",
                "low; 0 for equal distributions",
                "low; 0 for equal mean and covariance, of any images",
                "high; 1 to K; K for K sure images, one of each class",
            ),
        ],
        head=["", "KL", "FID", "Inception Score"],
    )
)

# %% [markdown]
# ## In your own words

# %%
explain("05.words")

# %%
quiz("05.check")

# %% [markdown]
# ## What to keep
#
# - Surprise is $-\log p$; entropy is its mean; cross-entropy is that of who expects otherwise; KL is the difference, never negative, not symmetric, no distance.
# - Forward KL leaves out no data and covers. Reverse KL keeps out of gaps and seeks. JSD does the one or the other, as the humps lie.
# - IS $= \exp\mathbb E\,\mathrm{KL}(p(y|x)\,\|\,p(y))$, with the marginal of the *generated* images: sure of each, even over all. From 1 to $\min(N/S, K)$.
# - It sees no real image, no variety within a class and no copy. Ten photographs fill it, and so does noise made for its classifier.
# - Beside a score belong its classifier, N, splits and order; and beside it another metric that sees what it does not.
#
# Further reading: Salimans et al. 2016 ([arXiv:1606.03498](https://arxiv.org/abs/1606.03498)), section 4, where the score is introduced; Barratt, Sharma 2018
# ([arXiv:1801.01973](https://arxiv.org/abs/1801.01973)) for what is wrong with it, splits and fitted noise included; Theis et al. 2016 ([arXiv:1511.01844](https://arxiv.org/abs/1511.01844)),
# figure 1, for one Gaussian and several humps, and why no single number will do; Goodfellow 2016 ([arXiv:1701.00160](https://arxiv.org/abs/1701.00160)), section 3.2.5, for why the direction of
# KL does not explain mode collapse; Endres, Schindelin 2003 (IEEE Transactions on Information Theory 49) for the proof that √JSD is a distance.

# %% id="running-on"
running_on("05")

# %% id="report"
library = metrics.inception_score(probabilities=said["DCGAN"], splits=10)
mine = split_scores(said["DCGAN"], 10)
assert (
    abs(library.mean - mine.mean().item()) < 1e-6
    and abs(library.std - mine.std(correction=0).item()) < 1e-6
)
add_to_report(
    "05",
    f"The recorded DCGAN of chapter 02 has a classifier score of {library.mean:.2f} ± {library.std:.2f} (N = {samples:,}, 10 splits, the course's classifier, 10 classes) where the test photographs have "
    f"{scores['photographs']:.2f} as a whole; ten of them have {scores['ten photographs']:.3f}, so I report it beside FID and recall.",
)

# %% id="progress"
progress("05")
