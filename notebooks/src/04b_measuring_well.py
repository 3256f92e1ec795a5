# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 04b · Measuring well: what does a distance of 7.3 mean?
#
# A GAN has no test loss. Everything that is said about its quality rests on a number that somebody computed with some tool, at some sample
# size, against some images. In this chapter you take such numbers apart: what they owe to the sample size, to the tool, to chance; and what they do not
# see at all.
#
# **You will** extrapolate a FID to infinitely many samples, write an unbiased [KID](../docs/glossary.md#kernel-inception-distance), put an interval around a number and catch a generator that copies
# · **you will know** what to ask whoever sends you a FID · **you need** chapter 04 · **time**: an hour, of which your machine computes half a minute.
#
# Distances here are Fréchet distances of the course's own classifier's features (64 of them), not of Inception's 2048: they compare generators within
# this course. What is shown about their behaviour holds for both.

# %% id="imports"
import torch
from course_lib import data, metrics, plots, runtime, widgets, zoo
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
from course_lib.zoo.judging import classify

# %% id="knobs"
# Knobs: how many samples and repetitions.
many = runtime.by_profile(ci=3000, laptop=10_000, gpu=10_000)
repeats = runtime.by_profile(ci=4, laptop=12, gpu=20)

# %% [markdown]
# ## Two questions on what you know already

# %%
quiz("04b.recall")

# %% [markdown]
# ## The same generator, another sample size
#
# Take real photographs only: two disjoint sets of test images, N in each. Both come from one distribution, so the true distance is 0.
#
# **Predict.** The distance computed at N = 200, compared with N = 2,000, is …

# %%
predict("04b.bias", ["the same, but noisier", "smaller", "larger"])

# %% id="bias"
features, probabilities = classify(data.load("fashion-mnist", "test").pixels)
sizes = [200, 300, 500, 1000, 2000]
draw = runtime.keyed_generator("cpu", 0)


def distance_at(size):
    """Mean over repetitions of the distance between two disjoint random sets of real images."""
    found = []
    for _ in range(repeats):
        order = torch.randperm(len(features), generator=draw)
        found.append(metrics.fid(features[order[:size]], features[order[size : 2 * size]]))
    return sum(found) / len(found)


between_real = [distance_at(size) for size in sizes]
plots.curves(
    sizes,
    {
        "two sets of real images": between_real,
        "c/N": [between_real[-1] * sizes[-1] / size for size in sizes],
    },
    title=f"Real against real: {between_real[0]:.2f} at N = {sizes[0]}, {between_real[-1]:.2f} at N = {sizes[-1]:,}, and the truth is 0",
    xlabel="images in each set, N",
    ylabel="Fréchet distance",
    log_x=True,
    log_y=True,
)

# %% id="reveal-bias"
ratio = between_real[0] / between_real[-1]
reveal(
    "04b.bias",
    "larger" if ratio > 1.5 else "smaller" if ratio < 0.67 else "the same, but noisier",
    f"{ratio:.1f} times larger for a tenth of the images. It is not noise, which would average out: it is a bias, about c/N. Means and covariances of "
    "small samples differ, and every difference adds to the distance.",
)

# %% [markdown]
# The constant $c$ depends on the distributions, the generator's too. So two generators can change places when N changes, and a FID at N = 5,000 cannot
# be set beside one at N = 50,000. But a bias with a known shape can be removed: against $1/N$ it is a straight line, and N = ∞ is where $1/N = 0$
# (Chong, Forsyth 2020).


# %%
@exercise("04b.fid_infinity")
def fid_infinity(counts, fids):
    """FID at N = ∞: the intercept of the least-squares line through FID against 1/N.

    counts: (K,) tensor of sample sizes;  fids: (K,) tensor, the value at each.  Returns one number."""
    ...  # your code


# %% id="extrapolated"
generator, card = zoo.load("dcgan-fashion")
samples = zoo.sample(generator, many, seed=5)
sample_features, _ = classify(samples)
cuts = [many // 8, many // 5, many // 3, many // 2, many]
shuffled = torch.randperm(many, generator=draw)
fids = torch.tensor(
    [
        metrics.fid(features[torch.randperm(10_000, generator=draw)[:cut]], sample_features[shuffled[:cut]])
        for cut in cuts
    ]
)
at_infinity = float(fid_infinity(torch.tensor(cuts), fids))
theirs = metrics.fid_infinity(
    real=features, fake=sample_features
)  # the library's own line, on subsets of its own
again = float(fid_infinity(torch.tensor(theirs.sizes), torch.tensor(theirs.fids)))
assert abs(again - theirs.fid) < 1e-3
plots.curves(
    [1 / cut for cut in cuts],
    {"DCGAN": fids.tolist()},
    title=f"The DCGAN: {fids[0]:.2f} at N = {cuts[0]:,}, {fids[-1]:.2f} at {cuts[-1]:,}, and {at_infinity:.2f} at infinity",
    xlabel="1/N",
    ylabel="Fréchet distance",
)

# %% [markdown]
# ## A distance without that bias
#
# KID, the kernel inception distance, compares the two sets by a kernel, $k(x, y) = (x \cdot y/d + 1)^3$: the mean of $k$ within the real set, plus
# that within the fake set, minus twice that across. If no row is compared with itself, its expectation is right at every N.


# %%
@exercise("04b.kid")
def kid(real, fake):
    """Unbiased squared MMD with the kernel (x·y/d + 1)³.

    real: (N, d);  fake: (M, d) features.  Returns one number; it may be negative."""
    ...  # your code


# %% id="kid-unbiased"
kids = {}
for size in (100, 400):
    found = []
    for _ in range(10 * repeats):
        order = torch.randperm(len(features), generator=draw)
        found.append(float(kid(features[order[:size]].double(), features[order[size : 2 * size]].double())))
    kids[size] = torch.tensor(found)
for size, found in kids.items():
    error = found.std().item() / len(found) ** 0.5
    print(
        f"N = {size}: mean {found.mean():+.4f} ± {error:.4f}, negative in {(found < 0).double().mean():.0%} of {len(found)} pairs of sets"
    )
    assert abs(found.mean()) < 4 * error

a, b = features[:500].double(), sample_features[:400].double()
assert abs(float(kid(a, b)) - metrics.kid_unbiased(a, b).kid) < 1e-9 * abs(float(kid(a, b))) + 1e-9

# %% [markdown]
# ## How sure is a number?
#
# The classifier is sure (p > 0.9) of a share of the DCGAN's samples. How much would that share move with other samples? The **bootstrap** asks the sample itself:
# draw as many values from it, with replacement, again and again.


# %%
@exercise("04b.bootstrap_interval")
def bootstrap_interval(values, draws=1000, level=0.95):
    """Interval for the mean of `values`: where a share `level` of the means of resampled sets lies.

    values: (N,);  each of `draws` sets has N values, drawn with replacement.  Returns (low, high)."""
    ...  # your code


# %% id="interval"
top = classify(samples)[1].amax(1)
sure = (top > 0.9).double()
intervals = {size: bootstrap_interval(sure[:size]) for size in (200, many)}
for size, (low, high) in intervals.items():
    print(f"N = {size:,}: sure of {sure[:size].mean():.1%}, 95 % interval {low:.1%} to {high:.1%}")
assert intervals[many][1] - intervals[many][0] < intervals[200][1] - intervals[200][0]

# %% [markdown]
# ## The microscope
#
# Photographs on the left, sliders to spoil them, and every metric at once, against 2,000 training images. **First say it, then move it:**
# for each slider, which metrics go up, which go down, and which will not notice?
#
# 1. *blur*. 2. *lost classes*, up to 5. 3. *duplicates*. 4. *memorised*: a share of the images becomes exact copies of training images.
# Then choose the DCGAN's samples, and move *truncation*.
#
# **Predict.** Half of the images become exact copies of training images (*memorised* at 0.5) …

# %%
predict(
    "04b.copies",
    ["every metric gets worse", "some look better, some worse", "every metric looks better or stays"],
)

# %% id="microscope"
microscope = widgets.metric_microscope(count=runtime.by_profile(ci=500, laptop=2000, gpu=2000))
microscope

# %% id="copies"
untouched = dict(microscope.values)
microscope.copies.value = 0.5
copied = dict(microscope.values)
microscope.copies.value = 0.0
for name in untouched:
    print(
        f"{name:18} {untouched[name]:8.3f}  with half of the images copied from the training set {copied[name]:8.3f}"
    )
assert (
    copied["FID (classifier)"] < untouched["FID (classifier)"]
    and copied["coverage"] >= untouched["coverage"]
)

# %% id="reveal-copies"
higher_is_worse = {"FID (classifier)", "KID (classifier)"}
worse = [  # by more than a twentieth
    name
    for name in untouched
    if (copied[name] - untouched[name]) * (1 if name in higher_is_worse else -1)
    > 0.05 * abs(untouched[name])
]
reveal(
    "04b.copies",
    {0: "every metric looks better or stays", len(untouched): "every metric gets worse"}.get(
        len(worse), "some look better, some worse"
    ),
    f"Half of the images are copies of the set they are compared with, and the distance falls from {untouched['FID (classifier)']:.2f} to "
    f"{copied['FID (classifier)']:.2f}, coverage goes from {untouched['coverage']:.2f} to {copied['coverage']:.2f}; {len(worse)} of {len(untouched)} metrics got worse by more "
    "than a twentieth. Nothing in a comparison of two sets punishes copying.",
)

# %% [markdown]
# So copies need a question of their own: is a generated image closer to a *training* image than new photographs are?


# %%
@exercise("04b.memorised_share")
def memorised_share(fake, train, test):
    """Share of generated rows closer to their nearest training row than 99 % of the test rows are to their nearest training row.

    fake: (M, d);  train: (N, d);  test: (K, d) features.  Returns one number; about 0.01 for new images."""
    ...  # your code


# %% id="memorisation"
train_features, _ = classify(data.load("fashion-mnist", "train").pixels[:many])
copier = sample_features[:1000].clone()
copier[:300] = train_features[:300]
shares = {
    "DCGAN": float(memorised_share(sample_features[:1000], train_features, features[:1000])),
    "DCGAN, 30 % replaced by training images": float(
        memorised_share(copier, train_features, features[:1000])
    ),
}
assert shares["DCGAN, 30 % replaced by training images"] > shares["DCGAN"] + 0.2
checked = metrics.memorisation(train=train_features, test=features[:1000], fake=copier, quantile=0.01)
assert abs(checked.share - shares["DCGAN, 30 % replaced by training images"]) < 0.01
plots.bars(
    {name: 100 * share for name, share in shares.items()},
    ylabel="share in %",
    title=f"Closer to a training image than 99 % of new photographs: {shares['DCGAN']:.1%} of the DCGAN's samples",
    reference=("new photographs, by definition", 1.0),
)

# %% [markdown]
# Mind what this does not show: only the training images loaded above were searched, not all 60,000, in one network's features. A near-copy that these features hold for
# something else goes unseen.

# %% [markdown]
# ## What people get wrong
#
# ### "FID 0 means identical"
#
# FID compares two moments. Here are two distributions in the plane with the same mean and the same covariance:

# %% id="two-moments"
ring = mixtures.ring(8, std=0.1)
spread = (ring.weights @ (ring.stds**2 + ring.means.square().sum(1) / 2)).sqrt().item()
blob = mixtures.mixture([[0.0, 0.0]], spread)
on_ring, in_blob = (
    world.sample(4000, runtime.keyed_generator("cpu", index)).double()
    for index, world in enumerate((ring, blob))
)
distance = metrics.fid(on_ring, in_blob)
floor = metrics.fid(on_ring, ring.sample(4000, runtime.keyed_generator("cpu", 9)).double())
recall = metrics.precision_recall(real=on_ring[:1000], fake=in_blob[:1000])
assert distance < 0.02 and recall.precision < 0.7
print(
    f"Fréchet distance {distance:.4f} (two samples of the ring: {floor:.4f}); precision {recall.precision:.2f}, recall {recall.recall:.2f}: not at all the same"
)

# %% [markdown]
# ### "A FID is a FID"
#
# The tool decides how an image comes to the network's size, how its values are scaled and rounded, and which network it is. The smallest of these choices:
# pixels cut off instead of rounded, half a grey level.

# %% id="tools"
floats = samples[:1000]
rounded = data.to_uint8(floats)
cut = ((floats + 1) * 127.5).clamp(0, 255).to(torch.uint8)  # no rounding: what one much-used package does
blurred = data.to_uint8(degrade.blur(data.to_float(rounded), 0.3))
base, by_cut, by_blur = (
    metrics.fid(features[:1000], classify(pixels)[0]) for pixels in (rounded, cut, blurred)
)
print(
    f"same samples, N = 1,000: rounded {base:.4f}, cut off {by_cut:.4f}, blurred by σ = 0.3 pixels {by_blur:.4f}"
)
assert by_cut != base and by_blur != base

# %% [markdown]
# ### "A small N only adds noise"
#
# The first figure of this chapter: averaging over repetitions takes the noise away and leaves the bias.

# %% [markdown]
# ## In your own words

# %%
explain("04b.trust")

# %%
quiz("04b.check")

# %% [markdown]
# ## What to keep
#
# - FID is biased by about $c/N$, upwards. Compare at one N, or extrapolate over $1/N$.
# - KID is unbiased and may be negative. A number without an interval is half a number.
# - A FID belongs to its tool, its reference set and its N. Beside it belongs the floor: training against test images at the same N.
# - No comparison of two sets sees copying. Ask for nearest neighbours.
#
# Further reading: Chong, Forsyth 2020 ([arXiv:1911.07023](https://arxiv.org/abs/1911.07023)) for the bias and its removal; Bińkowski et al. 2018
# ([arXiv:1801.01401](https://arxiv.org/abs/1801.01401)) for KID, section 4; Parmar, Zhang, Zhu 2021
# ([arXiv:2104.11222](https://arxiv.org/abs/2104.11222)) for what resizing and compression do to FID.

# %% id="running-on"
running_on("04b")

# %% id="report"
add_to_report(
    "04b",
    f"Chapter 02's generator has a Fréchet distance of {fids[-1]:.2f} at N = {cuts[-1]:,} and of {at_infinity:.2f} extrapolated to infinity; {shares['DCGAN']:.1%} of its samples "
    "are closer to a training image than 99 % of new photographs are.",
)

# %% id="progress"
progress("04b")
