# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 06 · Sampling and truncation: what does a better-looking sample cost?
#
# A generator is trained on latents from a normal distribution, and nobody forces you to draw from it afterwards. Drawing closer to the middle is the
# [truncation trick](../docs/glossary.md#truncation-trick): it is said to trade diversity for fidelity. Here the trade is measured, on two generators that
# answer differently, and then you judge images yourself, by flashes that last a few hundredths of a second.
#
# **You will** write the [truncated normal distribution](../docs/glossary.md#truncated-normal-distribution), a [trade-off curve](../docs/glossary.md#fidelity-diversity-trade-off), [ψ-truncation](../docs/glossary.md#psi-truncation), and the
# estimator of [HYPE](../docs/glossary.md#hype) · **you will know** what is lost and what decides it, why norms matter in a hundred dimensions, and how sure a human judgement is ·
# **you need** chapters 02, 04 and 05; precision and recall are used before chapter 07 opens them: the share of samples that look like data, and the share of
# data that the samples reach · **time**: an hour, of which your machine computes half a minute.

# %% id="imports"
import math

import torch
from course_lib import data, metrics, plots, plots_trade, runtime, widgets, zoo
from course_lib.exercises import (
    add_to_report,
    exercise,
    explain,
    predict,
    progress,
    quiz,
    reveal,
    running_on,
    sittings,
)
from course_lib.exercises.cards import table
from course_lib.metrics.hype import Observer, Rule, simulate
from course_lib.widgets.hype import in_words, on_screen
from course_lib.zoo import truncation
from course_lib.zoo.judging import classify
from IPython.display import HTML

# %% id="knobs"
# Knobs: samples behind each number that is measured here; what was recorded has its own N.
n = runtime.by_profile(ci=500, laptop=2000, gpu=5000)
k = 3
thresholds = [0.25, 0.5, 1.0, None]  # None: the whole normal distribution
repeats = runtime.by_profile(ci=60, laptop=300, gpu=300)  # of simulated studies

# %% [markdown]
# ## Two questions on what you know already

# %%
quiz("06.recall")

# %% [markdown]
# ## A narrower draw
#
# Chapter 02's DCGAN turns 100 standard normal numbers into an image. To truncate at a threshold $c$, draw each number again until it lies in $[-c, c]$
# (Brock et al. 2018): each number for itself, not the whole vector.


# %%
@exercise("06.truncated_normal")
def truncated_normal(shape, threshold, generator=None, device="cpu"):
    """Standard normal numbers, each drawn again until it lies in [−threshold, threshold].

    shape: of the result;  threshold > 0;  generator: a torch.Generator for every draw, or None.  Returns float32 of that shape."""
    ...  # your code


# %% [markdown]
# How narrow is that? The [standard deviation](../docs/glossary.md#variance) of a normal cut at $c$ has a closed form, with $\varphi$ its density and $\Phi$ its distribution function:
#
# $$\sigma_c^2 = 1 - \frac{2c\,\varphi(c)}{2\Phi(c) - 1}$$


# %% id="deviations"
def deviation(c):
    density = math.exp(-(c**2) / 2) / math.sqrt(2 * math.pi)
    return math.sqrt(1 - 2 * c * density / math.erf(c / math.sqrt(2)))


print("threshold   σ, closed form   σ, drawn   numbers drawn again")
for c in (0.5, 1.0, 2.0):
    values = truncated_normal((2000, 100), c, torch.Generator().manual_seed(6))
    assert abs(values.std().item() - deviation(c)) < 0.005
    print(f"{c:9.1f} {deviation(c):16.3f} {values.std():10.3f} {1 - math.erf(c / math.sqrt(2)):19.1%}")

# %% [markdown]
# **Predict.** Precision is the share of samples that look like photographs. From all of $z$ to $|z| \le 0.5$, the DCGAN's …

# %%
predict("06.prettier", ["rises", "stays about the same", "falls"])

# %% id="samples"
dcgan = zoo.load("dcgan-fashion")[0]
shown = {
    ("all of z" if c is None else f"|z| ≤ {c:g}"): zoo.sample(dcgan, 24, seed=6, threshold=c)
    for c in (None, 1.0, 0.5, 0.25)
}
pixel_spread = {name: images.std(0).mean().item() for name, images in shown.items()}
assert pixel_spread["|z| ≤ 0.25"] < pixel_spread["all of z"]
plots.image_grids(
    shown,
    columns=6,
    panel=2.7,
    alt="; ".join(
        f"24 samples of the DCGAN from {name}, deviation of a pixel {spread:.2f}"
        for name, spread in pixel_spread.items()
    ),
    title=f"Cut harder, the DCGAN's samples become alike, and dissolve: a pixel's deviation goes from {pixel_spread['all of z']:.2f} to {pixel_spread['|z| ≤ 0.25']:.2f}",
)

# %% [markdown]
# The numbers come with the curve. First a world in which everything about truncation is known.
#
# ## What is lost, and who decides it
#
# One latent, five classes. The data are five narrow humps on a line, a fifth each, and this generator is exact: $G(z) = F^{-1}(\Phi(z))$ takes the normal
# distribution to the data's. So a class owns an interval of $z$, and a threshold $c$ keeps the middle $2\Phi(c) - 1$ of the probability:

# %% id="five-humps"
edges = torch.linspace(0, 1, 6, dtype=torch.float64)  # of the classes, in probability


def kept_shares(c):
    """Exact shares of the five classes among samples from latents cut at c."""
    low, high = torch.special.ndtr(torch.tensor([-c, c], dtype=torch.float64))
    inside = (edges[1:].clamp(max=high) - edges[:-1].clamp(min=low)).clamp(min=0)
    return inside / (high - low)


print("threshold   shares of the five classes                class entropy (exact)   drawn")
for c in (math.inf, 2.0, 1.0, 0.5, 0.25):
    exact = kept_shares(c)
    draw = torch.Generator().manual_seed(6)
    z = torch.randn(20000, generator=draw) if c == math.inf else truncated_normal((20000,), c, draw)
    label = (torch.special.ndtr(z.double()) * 5).long().clamp(max=4)
    share = torch.bincount(label, minlength=5).double() / len(z)
    assert (share - exact).abs().max() < 0.015
    told = " ".join(f"{each:.3f}" for each in exact.tolist())
    print(
        f"{c:9g}   {told} {abs(float(metrics.entropy(exact))):24.3f} {abs(float(metrics.entropy(share))):7.3f}"
    )

# %% [markdown]
# [Entropy](../docs/glossary.md#entropy) of the classes falls from log 5 = 1.609 to 0, two classes at a time, from the outside inwards. Nothing in this
# depends on how good a class looks. Suppose the generator draws four classes perfectly and the *third*, the one in the middle, as rubbish.
#
# **Predict.** Cutting $z$ harder, the share of good samples …

# %%
predict("06.bad_middle", ["rises: truncation removes bad samples", "stays at 80 %", "falls"])

# %% id="bad-middle"
good = {c: 1 - kept_shares(c)[2].item() for c in (math.inf, 2.0, 1.0, 0.5, 0.25)}
print(", ".join(f"{c:g}: {share:.0%}" for c, share in good.items()))
assert good[0.25] < 1e-9 and good[math.inf] > 0.79
reveal(
    "06.bad_middle",
    "falls"
    if good[0.25] < good[math.inf] - 0.05
    else "rises: truncation removes bad samples"
    if good[0.25] > good[math.inf] + 0.05
    else "stays at 80 %",
    f"From {good[math.inf]:.0%} to {good[1.0]:.0%} at threshold 1 and {good[0.25]:.0%} at 0.25. Truncation keeps what lies near z = 0, whatever that is. It helps where a "
    "generator is best near the middle of its latents; whether it is, must be measured.",
)

# %% [markdown]
# ## In a hundred dimensions nobody lives in the middle
#
# The density of $\mathcal N(0, I)$ is highest at 0. Yet hardly any latent is near 0: the norm of $z$ is close to $\sqrt{d}$, 10 for the DCGAN, because there is so much
# more room further out. The shell in which nearly all of them lie is the [typical set](../docs/glossary.md#typical-set).
#
# **Predict.** Cut at $c = 1$. How many of the DCGAN's latents does that change?

# %%
predict("06.how_many", ["about a third", "about two thirds", "all of them"])

# %% id="norms"
z = torch.randn(5000, 100, generator=runtime.keyed_generator("cpu", 6, "norms"))
sets = {"all of z": z} | {
    f"|z| ≤ {c:g}": truncated_normal((5000, 100), c, torch.Generator().manual_seed(6))
    for c in (2.0, 1.0, 0.5)
}
norms = {name: each.norm(dim=1) for name, each in sets.items()}
bins = torch.linspace(0, 14, 141)
heights = {name: (torch.histc(each, 140, 0, 14) / len(each) / 0.1).tolist() for name, each in norms.items()}
assert (norms["all of z"] > 7).double().mean() > 0.999 and norms["|z| ≤ 1"].max() < norms["all of z"].min()
plots.curves(
    ((bins[1:] + bins[:-1]) / 2).tolist(),
    heights,
    title=f"Of 5,000 latents the shortest has norm {norms['all of z'].min():.1f}; the longest that is cut at 1 has {norms['|z| ≤ 1'].max():.1f}",
    xlabel="norm of z, 100 dimensions",
    ylabel="density",
)

# %% id="reveal-how-many"
untouched = math.erf(1 / math.sqrt(2)) ** 100
inside = (z.abs() <= 1).all(1).sum().item()
assert inside == 0
reveal(
    "06.how_many",
    "all of them"
    if inside < 0.05 * len(z)
    else "about two thirds"
    if inside < 0.5 * len(z)
    else "about a third",
    f"A number stays with probability 0.683, all hundred with 0.683 to the power of 100 = {untouched:.0e}; of the 5,000 above {inside}. Every latent gets about "
    f"{100 * (1 - math.erf(1 / math.sqrt(2))):.0f} new numbers, and its norm goes from {norms['all of z'].mean():.1f} to {norms['|z| ≤ 1'].mean():.1f}: to a place where the "
    "generator has never been trained.",
)

# %% [markdown]
# So truncation in many dimensions does two things at once: it changes the *distribution* of each number, and it makes every latent *shorter*. Take them apart, at
# $c = 0.5$: cut latents; plain normal ones multiplied by $\sigma_c$, as short but without an edge; and cut latents that were brought back to the norm of untouched ones.


# %% id="apart"
def measured(network, z):
    """Seven measures of a network's samples from these latents, against n photographs."""
    with torch.inference_mode():
        images = torch.cat([network(rows.to(runtime.device())).cpu() for rows in z.split(250)])
    return truncation.measure(images, real=real, real_radii=real_radii, k=k)


photographs = data.load("fashion-mnist", "test").pixels
real = classify(photographs[:n])[0]
real_radii = metrics.neighbour_radii(real, k)
z, cut = z[:n], truncated_normal((n, 100), 0.5, torch.Generator().manual_seed(6))[:n]
ways = {
    "all of z": z,
    "cut at 0.5": cut,
    "normal, times 0.284": deviation(0.5) * z,
    "cut at 0.5, norms back": cut / cut.norm(dim=1, keepdim=True) * z.norm(dim=1, keepdim=True),
}
rows = {name: measured(dcgan, each) for name, each in ways.items()}
print(
    f"{'DCGAN':24} {'norm':>5} {'precision':>10} {'coverage':>9} {'distance':>9} {'class entropy':>14}   (N = {n:,}, k = {k})"
)
for name, row in rows.items():
    print(
        f"{name:24} {ways[name].norm(dim=1).mean():5.1f} {row['precision']:10.3f} {row['coverage']:9.3f} {row['fid']:9.2f} {row['class_entropy']:14.3f}"
    )
assert rows["cut at 0.5"]["precision"] < rows["all of z"]["precision"] - 0.1
assert abs(rows["cut at 0.5"]["coverage"] - rows["normal, times 0.284"]["coverage"]) < 0.1
assert abs(rows["cut at 0.5, norms back"]["coverage"] - rows["all of z"]["coverage"]) < 0.1

# %% id="reveal-prettier"
whole, tightened = rows["all of z"]["precision"], rows["cut at 0.5"]["precision"]
reveal(
    "06.prettier",
    "falls"
    if tightened < whole - 0.03
    else "rises"
    if tightened > whole + 0.03
    else "stays about the same",
    f"{whole:.3f} to {tightened:.3f} (N = {n:,}, k = {k}): a cut as hard as this leads where the network was not trained. What a gentle cut does, and what another network makes of it, is the curve below. "
    "Whether truncation pays is a property of a generator, and is measured.",
)

# %% [markdown]
# The first and the last line agree, and so do the two in the middle. What this generator notices is the norm. Its directions, which cutting hardly changes, carry the
# diversity; short latents are what it cannot draw. (A generator that was trained to be truncated, as BigGAN is by its orthogonal regularisation, behaves better near the middle.)
#
# ## The trade-off curve
#
# The [fidelity-diversity trade-off](../docs/glossary.md#fidelity-diversity-trade-off) as a curve: for each threshold the same number of samples, one point.


# %%
@exercise("06.trade_off")
def trade_off(generator, extract, thresholds, *, real, count, k=3, draw=None):
    """Precision and recall of `count` samples from latents truncated at each threshold, in the order given.

    generator: a network, latents (N, latent_dim) to images, with .latent_dim; to be asked in eval mode and left in the mode it was in
    extract: images to features (N, d);  thresholds: numbers, None for all of z;  real: (M, d) features of photographs
    draw: a torch.Generator for the latents, or None.  Returns a list of pairs (precision, recall).
    `metrics.precision_recall(real=…, fake=…, k=…)` gives the pair of one set of features."""
    ...  # your code


# %% id="live-curve"
mlp = zoo.load("mlp-fashion")[0]
live = {}
for name, network in (("DCGAN", dcgan), ("fully connected", mlp)):
    live[name] = trade_off(
        network,
        lambda images: classify(images)[0],
        thresholds,
        real=real,
        count=n,
        k=k,
        draw=torch.Generator().manual_seed(6),
    )
said = ["all of z" if c is None else f"{c:g}" for c in thresholds]
assert live["DCGAN"][1][0] < live["DCGAN"][-1][0] - 0.1
plots.precision_recall_plane(
    {name: [(r, p) for p, r in row] for name, row in live.items()},
    labels={name: said for name in live},
    title=f"N = {n:,}. DCGAN, all of z to 0.5: precision {live['DCGAN'][-1][0]:.2f} to {live['DCGAN'][1][0]:.2f}, "
    f"recall {live['DCGAN'][-1][1]:.2f} to {live['DCGAN'][1][1]:.2f}",
)

# %% [markdown]
# With 10,000 samples, and four independent draws of them at each threshold, the same is on record in the zoo, with 95 % intervals over the draws. More points have smaller balls, so all of
# them depend on N: yours above, from fewer samples, has more recall than the record. Compare within one N, never across
# (`python -m course_lib.zoo.truncation NAME` measures it again).

# %% id="recorded"
record = {
    "DCGAN": truncation.recorded("dcgan-fashion"),
    "fully connected": truncation.recorded("mlp-fashion"),
}
assert all(each["n"] == 10_000 for each in record.values())
assert live["DCGAN"][-1][1] > record["DCGAN"]["rows"][-1]["recall"]  # all of z, fewer samples


def column(name, key):
    rows = record[name]["rows"]
    return [row[key] for row in rows], [row[f"{key}_half"] for row in rows]


def recorded_at(name, threshold, key):
    return next(row[key] for row in record[name]["rows"] if row["threshold"] == threshold)


knob = [row["threshold"] or 3.0 for row in record["DCGAN"]["rows"]]
first, last = (recorded_at("DCGAN", c, "precision") for c in (None, 0.5))
tight = recorded_at("fully connected", 0.25, "precision"), recorded_at("fully connected", 0.25, "coverage")
plots_trade.over_a_knob(
    {
        name: {key.replace("_", " "): column(name, key) for key in ("precision", "recall", "coverage")}
        for name in record
    },
    knob,
    title=f"The same threshold, two answers: cut at 0.5 the DCGAN's precision is {last:.2f} instead of {first:.2f}; the fully connected network, cut at 0.25, "
    f"has {tight[0]:.2f} and covers {tight[1]:.0%}",
    xlabel="threshold",
    marks={3.0: "all"},
)

# %% id="recorded-table"
keys = ("precision", "recall", "density", "coverage", "fid", "class_entropy", "sure")
measured_rows = [
    (
        name,
        "all of z" if row["threshold"] is None else f"{row['threshold']:g}",
        *(f"{row[key]:.3f} ± {row[f'{key}_half']:.3f}" for key in keys),
    )
    for name in record
    for row in record[name]["rows"]
]
for name in record:
    coverage, entropy = column(name, "coverage")[0], column(name, "class_entropy")[0]
    assert coverage[0] < 0.1 and coverage[0] < coverage[2] < coverage[4] < coverage[-1]
    assert entropy[0] < entropy[2] < entropy[4] < entropy[-1] <= math.log(10)
    distance = column(name, "fid")[0]
    assert all(one > other for one, other in zip(distance, distance[1:]))
assert recorded_at("DCGAN", 1.0, "class_entropy") > 2.28
assert recorded_at("DCGAN", 0.1, "sure") > 0.99 and recorded_at("DCGAN", 0.1, "precision") < 0.01
assert 0.01 < recorded_at("DCGAN", 1.25, "precision") - first < 0.04
assert 0.1 < recorded_at("DCGAN", None, "recall") - recorded_at("DCGAN", 1.25, "recall") < 0.16
assert recorded_at("fully connected", 0.5, "recall") > recorded_at("fully connected", None, "recall") - 0.02
assert (
    recorded_at("fully connected", 0.5, "coverage")
    < 0.1
    < 0.4
    < recorded_at("fully connected", None, "coverage")
)
HTML(table(measured_rows, head=["", "threshold", *(key.replace("_", " ") for key in keys)]))

# %% id="where-it-is-best"
best = max(record["DCGAN"]["rows"], key=lambda row: row["precision"])
print(
    f"the DCGAN's precision is highest at {best['threshold']}, {best['precision']:.3f} (all of z {first:.3f}, N = 10,000): a gentle cut helps a little"
)
print(
    f"the fully connected network, cut at 0.25, gains precision ({recorded_at('fully connected', None, 'precision'):.2f} to {tight[0]:.2f}) and pays with coverage "
    f"({recorded_at('fully connected', None, 'coverage'):.2f} to {tight[1]:.2f})"
)
assert (
    best["threshold"] is not None
    and best["precision"] > first
    and tight[0] > recorded_at("fully connected", None, "precision")
)

# %% [markdown]
# Five things to see in the table. The Fréchet distance gains nothing from any cut: it counts missing diversity as well as bad samples. The DCGAN's classes all survive a
# threshold of 1 (class entropy 2.29 of 2.30); what is lost until then is variety *within* classes, which coverage sees. A gentle cut, at 1.25, buys the DCGAN two or three points of
# precision for thirteen of recall. At 0.1 the classifier is *sure* of every single one of its samples, and next to none looks like a photograph: sureness is no fidelity. And the fully
# connected network's recall is the same at 0.5 as without a cut, where coverage has fallen from 0.49 to 0.09: a few isolated samples count as near to many real images (chapter 07).
#
# ## The slider
#
# Sixteen latents, cut harder as you move to the left; beside them the recorded curve, with the point that belongs to the slider. Images are drawn live; the numbers
# come from the record, by straight lines between its thresholds. Try both networks. Where do classes change, where do shapes dissolve?

# %% id="slider"
slider = widgets.truncation_slider("dcgan-fashion")
slider

# %% [markdown]
# ## ψ: the other truncation
#
# A preview of [chapter 09b](09b_stylegan_control.ipynb). StyleGAN does not feed $z$ to its layers: a mapping network turns it into a style $w$, and the trick is played there, without any threshold. Every style is
# moved towards the mean style $\bar w = \mathbb E\, w$, by a factor. That is [ψ-truncation](../docs/glossary.md#psi-truncation):
#
# $$w' = \bar w + \psi\,(w - \bar w)$$


# %%
@exercise("06.truncate")
def truncate(w, w_mean, psi):
    """Every style moved towards the mean style.

    w: (N, w_dim);  w_mean: (w_dim,), the mean over many mapped latents, not of this batch;  psi: share of the deviation that is kept.
    Returns (N, w_dim), and leaves w as it was."""
    ...  # your code


# %% [markdown]
# Are the two tricks one? A mapping that can be drawn: $w = (z_1,\; z_1^2 + z_2/4)$. Its styles lie on a bent band.


# %% id="two-tricks"
def mapping(z):
    return torch.stack([z[:, 0], z[:, 0] ** 2 + z[:, 1] / 4], 1)


flat = torch.randn(1500, 2, generator=runtime.keyed_generator("cpu", 6, "band"))
styles = mapping(flat)
w_mean = (
    mapping(torch.randn(200_000, 2, generator=runtime.keyed_generator("cpu", 7, "band")))
    .mean(0)
    .round(decimals=2)
    + 0.0
)
by_threshold = mapping(truncated_normal((1500, 2), 0.8, torch.Generator().manual_seed(6)))
by_psi = truncate(styles, w_mean, 0.5)


def off_the_band(w):
    """Share of styles that no latent of ordinary size maps to: more than three deviations above or below the parabola."""
    return ((w[:, 1] - w[:, 0] ** 2).abs() > 0.75).double().mean().item()


drawn = flat[:, 0].abs() < 2  # the others are far up the band
styles, by_psi = styles[drawn], by_psi[drawn]
off = {"all": off_the_band(styles), "threshold": off_the_band(by_threshold), "psi": off_the_band(by_psi)}
assert off["all"] < 0.01 and off["threshold"] < 0.01 and off["psi"] > 0.2
assert (w_mean - mapping(torch.zeros(1, 2))[0]).norm() > 0.9
plots.clouds(
    {
        f"all styles: {off['all']:.0%} off the band": styles,
        f"z cut at 0.8: {off['threshold']:.0%} off the band": by_threshold,
        f"ψ = 0.5: {off['psi']:.0%} off the band": by_psi,
    },
    ellipses=False,
    axes_of=("w₁", "w₂"),
    together=True,
    size=3.2,
    title=f"Two tricks: a threshold in z stays on the band, ψ goes straight through, towards w̄ = ({w_mean[0]:.2f}, {w_mean[1]:.2f})",
    alt=f"Three clouds. All styles along a parabola; those of z cut at 0.8 on its lowest part, {off['threshold']:.0%} off the band; those at ψ = 0.5 on a smaller, "
    f"narrower parabola around the mean ({w_mean[0]:.2f}, {w_mean[1]:.2f}), {off['psi']:.0%} off the band.",
)

# %% [markdown]
# A threshold in $z$ draws *other* latents, all of them ones that the mapping knows. ψ keeps *this* image's style and moves it along a straight line, also to places
# where no latent is mapped; at ψ = 0 every image is the same one, $G(\bar w)$, which is not the image of $z = 0$: here the mean is (0, 1), and 0 is mapped to (0, 0). What ψ does to a trained
# StyleGAN, with its own curve and slider, is [chapter 09b](09b_stylegan_control.ipynb).
#
# ## Ask somebody: HYPE
#
# Every number so far is an opinion of one classifier. [HYPE](../docs/glossary.md#hype) (Zhou et al. 2019) asks people: real or generated? Half of the images are real, and the
# score is how often people are wrong. Without a limit of time that is [HYPE-infinity](../docs/glossary.md#hype-infinity): 0 if everything is seen through, ½ where nobody can tell.
#
# A share of wrong answers needs an interval, and for that you must know what was drawn at random. If twenty people answered, it is the *people*: with twenty others the
# number would be another. The [bootstrap](../docs/glossary.md#bootstrap) redraws them, each with all their answers.


# %%
@exercise("06.hype_infinity")
def hype_infinity(wrong, draws=1000, level=0.95, generator=None):
    """The share of wrong answers, and the percentile interval of the bootstrap over rows.

    wrong: (people, answers) of bool;  draws: bootstrap samples;  level: share of them in the interval
    generator: a torch.Generator for every draw, or None.  Returns share, low, high, from 0 to 1."""
    ...  # your code


# %% [markdown]
# Does it matter what is redrawn? People whose own error rates lie between 2 and 48 %, 25 % on average, do a small study: 30 people, 40 answers each. Repeat the study with
# other people, and count how often each interval holds the 25 %.

# %% id="what-is-redrawn"
draw = runtime.keyed_generator("cpu", 6, "studies")
held = {"people": 0, "single answers": 0}
for _ in range(repeats):
    rates = 0.02 + 0.46 * torch.rand(30, 1, generator=draw)
    wrong = torch.rand(30, 40, generator=draw) < rates
    for what, answered in (("people", wrong), ("single answers", wrong.reshape(-1, 1))):
        _, low, high = hype_infinity(answered, 200, generator=draw)
        held[what] += low <= 0.25 <= high
print(
    ", ".join(
        f"redrawing {what}: {count / repeats:.0%} of the 95 % intervals hold the truth"
        for what, count in held.items()
    )
)
assert held["people"] > 0.85 * repeats and held["single answers"] < held["people"] - 0.1 * repeats

# %% [markdown]
# With you alone there is nobody else to redraw: then each answer is a row, and the interval speaks of *other images, seen by you*.
#
# ## How long must you look?
#
# [HYPE-time](../docs/glossary.md#hype-time) asks for the exposure at which people can tell: an image flashes and is covered by a mask, so that no afterimage
# helps. A [staircase](../docs/glossary.md#staircase) finds the exposure while you answer: after a right answer the next flash is one step shorter, after a wrong one three steps longer.
#
# **Predict.** With one step down and three steps up, the staircase comes to rest where the share of right answers is …

# %%
predict("06.three_up", ["50 %", "67 %", "75 %", "90 %"])

# %% [markdown]
# An observer whose threshold is known stands in for you. They are right with probability
#
# $$\tfrac12 + \tfrac12\,(1 - \text{blind})\;\sigma\!\left(\frac{\log t - \log \tau}{s}\right)$$
#
# after $t$ milliseconds: guessing at a glance, and wrong on half of the `blind` images even after hours. Here $s$ = 0.25 and 4 % of the images are blind, so that three of four answers are right a little above τ.

# %% id="staircases"
observers = {"quick": Observer(60), "slow": Observer(250)}
runs = {
    name: tuple(each[0] for each in simulate(observer, Rule(), seed=9))
    for name, observer in observers.items()
}
found = {name: metrics.hype_time(*run) for name, run in runs.items()}
target = {name: observer.exposure_for(0.75) for name, observer in observers.items()}
for name in observers:
    assert 1 / 2.2 < found[name].ms / target[name] < 2.2
    print(
        f"{name}: {found[name].ms:.0f} ms (95 %: {found[name].low:.0f} to {found[name].high:.0f}), known {target[name]:.0f} ms; the most frequent exposure {found[name].modal_ms:.0f} ms"
    )
plots_trade.staircases(
    runs,
    target,
    found={name: each.ms for name, each in found.items()},
    title="Sixty flashes: "
    + ", ".join(f"{found[name].ms:.0f} ms found where {target[name]:.0f} is true" for name in observers),
)

# %% id="reveal-three-up"
_, answers = simulate(Observer(150), Rule(trials=400), repeats)
rests = answers[:, 100:].double().mean().item()
errors = {
    what: (each / Observer(150).exposure_for()).log().square().mean().sqrt().item()
    for what, each in zip(
        ("mean", "mode"), metrics.hype.settled_on(*simulate(Observer(150), Rule(), repeats))
    )
}
assert abs(rests - 0.75) < 0.02 and errors["mean"] < errors["mode"]
reveal(
    "06.three_up",
    min(
        {"50 %": 0.5, "67 %": 0.67, "75 %": 0.75, "90 %": 0.9}.items(),
        key=lambda each: abs(each[1] - rests),
    )[0],
    f"It rests where the steps balance: 3·(1 − p) = p, so p = 3/4; measured {rests:.1%}. The estimate here is the geometric mean of the exposures after the way down, "
    f"off by a factor of {math.exp(errors['mean']):.2f} (root mean square, 60 flashes); the most frequent exposure, the paper's score, by {math.exp(errors['mode']):.2f}.",
)

# %% [markdown]
# ## Now you
#
# Look at the cross, press `begin`, answer with **R** (real) or **G** (generated). Timed: 60 flashes, three minutes. Untimed: 40 images. Images are loaded before the first flash and timed by the browser,
# which can show whole frames only (16.7 ms on most screens); what was asked for and what was really shown are both kept, on this machine, in `hype.json` beside
# your progress.

# %% id="hype"
test = widgets.hype("dcgan-fashion")
test

# %% [markdown]
# After a sitting run the next cell. Until then a simulated observer answers in your place (threshold 150 ms, blind for a fifth of the images).

# %% id="your-hype"
mine = sittings.read()
if not mine:
    stand_in = Observer(150, blind=0.2)
    for mode in ("timed", "untimed"):
        other = widgets.hype("dcgan-fashion", seed=6)
        other.mode.value = mode
        mine.append(other.play(stand_in, torch.Generator().manual_seed(6)))
for sitting in mine:
    print(
        f"{sitting.get('when', 'simulated observer'):20} {sitting['network']}: {in_words(sitting)}   {on_screen(sitting)}"
    )
hype_said = f"{'HYPE of mine' if sittings.read() else 'HYPE of a simulated observer'}: " + "; ".join(
    in_words(each) for each in mine[-2:]
)

# %% [markdown]
# Try the fully connected network, and `truncation` at 0.5: does your eye agree with precision? And mind what the score depends on: 28 pixels enlarged to 280 on your screen, your practice, the masks. HYPE
# compares generators under one procedure, as every number here does.
#
# ## What people get wrong
#
# ### "Clipping is truncation"
#
# `z.clamp(-1, 1)` is shorter to write. It does not draw again, it heaps.

# %% id="clipping"
clipped = torch.randn(n, 100, generator=runtime.keyed_generator("cpu", 6, "clip")).clamp(-1, 1)
again = truncated_normal((n, 100), 1.0, torch.Generator().manual_seed(6))
heaped = {
    name: (each.abs() > 0.999).double().mean().item()
    for name, each in (("clipped", clipped), ("truncated", again))
}
print(
    f"at threshold 1: clipped deviation {clipped.std():.3f}, norm {clipped.norm(dim=1).mean():.2f}, {heaped['clipped']:.0%} of the numbers on the edge"
)
print(
    f"              truncated deviation {again.std():.3f}, norm {again.norm(dim=1).mean():.2f}, {heaped['truncated']:.1%} of the numbers on the edge"
)
assert heaped["clipped"] > 0.3 > 0.01 > heaped["truncated"] and clipped.std() > again.std() + 0.15
pair = {name: measured(dcgan, each) for name, each in (("clipped", clipped), ("truncated", again))}
print(
    ", ".join(
        f"{name}: precision {row['precision']:.3f}, coverage {row['coverage']:.3f}"
        for name, row in pair.items()
    )
    + f" (DCGAN, N = {n:,})"
)
assert pair["clipped"]["coverage"] > pair["truncated"]["coverage"]

# %% [markdown]
# A third of all numbers are exactly ±1, on the faces and edges of a cube: a much weaker cut than the threshold says. "Threshold 1" of somebody who clips is another setting than yours.
#
# ### "A threshold of 1 is hardly any truncation"
#
# One deviation sounds like the middle of things. It leaves a deviation of 0.54, changes every latent, and takes the norm from 10 to 5.4.

# %% id="hardly-any"
price = {
    c: {key: recorded_at("DCGAN", c, key) for key in ("recall", "coverage", "fid")}
    for c in (None, 2.0, 1.0)
}
for c, row in price.items():
    print(
        f"{'all of z' if c is None else f'|z| ≤ {c:g}':10} recall {row['recall']:.3f}, coverage {row['coverage']:.3f}, distance {row['fid']:.2f}   (recorded, N = 10,000)"
    )
assert price[1.0]["recall"] < price[None]["recall"] - 0.1 and price[1.0]["fid"] > 3 * price[None]["fid"]

# %% [markdown]
# ### "BigGAN's trick and StyleGAN's trick are one"
#
# They share a name and a purpose. One is a threshold on every number of $z$ and draws again; the other a factor on the deviation of $w$ and keeps the image. ψ = 0.5 and threshold 0.5 have nothing
# to do with each other:

# %% id="not-one"
moved = truncate(z, torch.zeros(100), 0.5)
same, again = z.clone(), torch.Generator().manual_seed(6)
while (outside := same.abs() > 0.5).any():  # these very latents, cut
    same[outside] = torch.randn(int(outside.sum()), generator=again)
print(
    f"ψ = 0.5 on z itself: norm {moved.norm(dim=1).mean():.2f}, largest number {moved.abs().max():.2f}, correlation with z {torch.corrcoef(torch.stack([z.flatten(), moved.flatten()]))[0, 1]:.2f}"
)
print(
    f"threshold 0.5:       norm {same.norm(dim=1).mean():.2f}, largest number {same.abs().max():.2f}, correlation with z {torch.corrcoef(torch.stack([z.flatten(), same.flatten()]))[0, 1]:.2f}"
)
assert moved.abs().max() > 1.5 and same.abs().max() <= 0.5

# %% [markdown]
# ### "Truncation is free: choose it where the images look best, and report FID without it"
#
# A table that shows truncated samples beside an untruncated distance describes no generator at all. State threshold or ψ with every number, and with every picture.
#
# ## In your own words

# %%
explain("06.words")

# %%
quiz("06.check")

# %% [markdown]
# ## What to keep
#
# - Truncation draws each number again; deviations 0.284, 0.540, 0.880 at thresholds 0.5, 1, 2. Clipping heaps a third of the numbers on the edge at 1.
# - What is lost is decided by where it lies in latent space, not by its quality.
# - In many dimensions all latents have norm √d, and truncation above all shortens them. A generator that was not trained on short latents may draw them badly, as the DCGAN does.
# - The curve belongs to a generator: the DCGAN gains little at 1.25 and loses everything below 0.5; the fully connected network gains precision and loses coverage. The distance only grows.
# - ψ moves styles towards their mean and keeps the image's identity: another trick.
# - HYPE: the share of wrong answers, with an interval over people; the exposure at which three of four are right, with the exposures really shown.
#
# Further reading: Brock, Donahue, Simonyan 2018 ([arXiv:1809.11096](https://arxiv.org/abs/1809.11096)) for the trick and for models that do not bear it, section 3.1; Karras, Laine, Aila 2018
# ([arXiv:1812.04948](https://arxiv.org/abs/1812.04948)) for ψ, appendix B; Kynkäänniemi et al. 2019 ([arXiv:1904.06991](https://arxiv.org/abs/1904.06991)) for curves,
# section 4; Zhou et al. 2019 ([arXiv:1904.01121](https://arxiv.org/abs/1904.01121)) for HYPE.

# %% id="running-on"
running_on("06")

# %% id="report"
row = {c: next(each for each in record["DCGAN"]["rows"] if each["threshold"] == c) for c in (None, 1.0)}
add_to_report(
    "06",
    f"The recorded DCGAN of chapter 02, all of z against |z| ≤ 1: precision {row[None]['precision']:.3f} and {row[1.0]['precision']:.3f}, recall {row[None]['recall']:.3f} and "
    f"{row[1.0]['recall']:.3f}, coverage {row[None]['coverage']:.3f} and {row[1.0]['coverage']:.3f} (N = 10,000, k = 3, the course's classifier). {hype_said}.",
)

# %% id="progress"
progress("06")
