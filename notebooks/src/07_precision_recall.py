# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 07 · Precision and recall: is it the fidelity that is missing, or the diversity?
#
# A Fréchet distance says how far two sets of images are apart. It does not say why: ugly samples and missing ones end up in one number. Here the two faults are
# measured apart, by a method that fits in a sentence (put a ball around every image and count who lies inside), and then the
# measure itself is measured: what one image can do to it, what $k$ and $N$ do, and in which eyes a blurred image is a good one.
#
# **You will** write neighbour radii, membership, [precision](../docs/glossary.md#precision) and [recall](../docs/glossary.md#recall), density and
# [coverage](../docs/glossary.md#coverage), and [PRD curves](../docs/glossary.md#prd-curve) · **you will know** what each of them counts, which of them one image can ruin, and what must stand
# beside the numbers · **you need** chapters 01 and 02, distances between
# vectors; chapter 04 helps · **time**: an hour, of which your machine computes half a minute.

# %% id="imports"
import torch
from course_lib import data, metrics, plots, runtime, widgets, zoo
from course_lib.data import degrade
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
# Knobs: images of each kind. Every number below carries the N that it was computed with.
n = 2000
k = 3
draws = runtime.by_profile(ci=4, laptop=10, gpu=20)  # of points from a known world
truncated = runtime.by_profile(ci=500, laptop=2000, gpu=2000)  # samples at each threshold
prd_runs = runtime.by_profile(ci=3, laptop=10, gpu=10)  # of k-means, averaged

# %% [markdown]
# ## Two questions on what you know already

# %%
quiz("07.recall")

# %% [markdown]
# ## One distance, two faults
#
# Two sets of $n$ images, both made from held-out photographs of Fashion-MNIST. Set A has no shoes at all: three of ten classes are missing, and every image is a
# photograph. Set B has all classes, and a share of its images is inverted, chosen so that both sets have the same distance to the data. Images are seen
# through 64 features of the course's own classifier, as in chapter 02.

# %% id="one-distance"
test = data.load("fashion-mnist", "test")
features = classify(test.pixels)[0]  # (10000, 64)
real, held_out = features[:n], features[n : 2 * n]
rest = torch.arange(2 * n, len(features))
shoes = torch.tensor([test.class_names.index(name) for name in ("sandal", "sneaker", "ankle boot")])
without_shoes = rest[~torch.isin(test.labels[rest], shoes)][:n]
set_a = features[without_shoes]
target = metrics.fid(real, set_a)

inverted = classify(255 - test.pixels[n : 2 * n])[0]
for count in range(0, n, n // 100):
    set_b = torch.cat([inverted[:count], held_out[count:]])
    if metrics.fid(real, set_b) >= target:
        break
distances = {"A": target, "B": metrics.fid(real, set_b)}
assert len(set_a) == len(set_b) == n and abs(distances["A"] - distances["B"]) < 0.1 * target
mixed = torch.cat([255 - test.pixels[n : n + count], test.pixels[n + count : 2 * n]])
shown = torch.randperm(n, generator=runtime.keyed_generator("cpu", 7))[:40]
plots.image_grids(
    {
        f"A: no shoes, distance {distances['A']:.1f}": test.pixels[without_shoes[shown]],
        f"B: {count / n:.0%} inverted, distance {distances['B']:.1f}": mixed[shown],
    },
    alt=f"Set A: clothes and bags, no shoes, distance {distances['A']:.1f}. Set B: all classes, {count / n:.0%} of the images inverted, "
    f"distance {distances['B']:.1f}.",
    title=f"Two faults, one distance (N = {n:,})",
)

# %% [markdown]
# What is wanted are two numbers, one for each fault: **precision**, the share of *generated* images that lie where real ones lie,
# and **recall**, the share of *real* images that lie where generated ones lie. The word "where" needs a meaning.
#
# ## Where is "where"? Overlap of supports
#
# The first answer is the support: the set that holds all of a distribution's mass. Take a world in which it is known. Real points are uniform on the unit square,
# generated ones on a rectangle twice as long that starts in its middle.


# %% id="rectangles"
def rectangles(count, seed):
    """(real, fake): uniform on [0, 1]² and on [0.5, 2.5] × [0, 1]."""
    draw = runtime.keyed_generator("cpu", seed, "rectangles")
    real = torch.rand(count, 2, generator=draw)
    fake = torch.rand(count, 2, generator=draw) * torch.tensor([2.0, 1.0]) + torch.tensor([0.5, 0.0])
    return real, fake


exact_precision = 0.25  # a quarter of the rectangle lies in the square
exact_recall = 0.5  # half of the square lies in the rectangle
points, others = rectangles(4000, 0)
in_square = ((others >= 0) & (others <= 1)).all(1).double().mean().item()
in_rectangle = (points[:, 0] >= 0.5).double().mean().item()
assert abs(in_square - exact_precision) < 0.02 and abs(in_rectangle - exact_recall) < 0.02
print(
    f"precision {in_square:.3f} (exact {exact_precision}), recall {in_rectangle:.3f} (exact {exact_recall})"
)

# %% [markdown]
# Two troubles. Nobody hands us the rectangle of the photographs, only points from it. And a normal distribution has all of space as its support: by this
# definition any two normals have precision 1 and recall 1, however far apart. So the support is *estimated*, and the estimate is what the number really is about.
#
# ## A ball around every point
#
# [Improved precision and recall](../docs/glossary.md#improved-precision-and-recall) (Kynkäänniemi et al. 2019) estimate it without a grid and without a density. Around each point stands a
# ball that just reaches its $k$-th [nearest neighbour](../docs/glossary.md#k-nearest-neighbours), the point itself not counted. The union of the balls is called the
# [manifold](../docs/glossary.md#manifold), a grand word for it. Where points are dense the balls are small, where they are sparse they are wide.
#
# First the radii. For 50,000 images the table of all distances takes 10 GB, so go through its rows in blocks.


# %%
@exercise("07.neighbour_radii")
def neighbour_radii(features, k, *, block=1024):
    """Distance of each row to its k-th nearest other row.

    features: (N, d), N > k, also far from 0 in float32;  block: rows of distances held at a time.  Returns (N,)."""
    ...  # your code


# %% [markdown]
# A point lies in the manifold if it lies in at least one ball, the edge included:
#
# $$f(x, \Phi) = 1 \text{ if } \|x - \phi\| \le r_\phi \text{ for at least one } \phi \in \Phi, \text{ else } 0$$


# %%
@exercise("07.in_manifold")
def in_manifold(points, centres, radii):
    """Whether each point lies in at least one ball.

    points: (M, d);  centres: (N, d);  radii: (N,), one for each centre, may be 0.  Returns (M,) of True and False."""
    ...  # your code


# %% [markdown]
# How good is the estimate where the truth is known? Some draws of the rectangles at each $N$:

# %% id="estimated-precision"
sizes = [50, 100, 200, 500, 1000]
estimates = {each: [] for each in (1, 3, 10)}
for each, row in estimates.items():
    for count_here in sizes:
        shares = []
        for seed in range(draws):
            points, others = rectangles(count_here, seed + 1)
            inside = in_manifold(others, points, neighbour_radii(points, each))
            shares.append(inside.double().mean().item())
        row.append(sum(shares) / len(shares))
assert estimates[1][-1] < exact_precision < estimates[10][-1]
plots.curves(
    sizes,
    {**{f"k = {each}": row for each, row in estimates.items()}, "exact": [exact_precision] * len(sizes)},
    title="At N = 1,000: "
    + ", ".join(f"{row[-1]:.2f} with k = {each}" for each, row in estimates.items())
    + f"; exact {exact_precision}",
    xlabel="N, points of each kind",
    ylabel="estimated precision",
    log_x=True,
)

# %% [markdown]
# With $k = 1$ the balls leave holes, at any number of points. With $k = 10$ they reach over the border, and more so the fewer points there are. This is in two
# dimensions. Keep it in mind for 64.
#
# ## Precision and recall
#
# With $\Phi_r$ the real features and $\Phi_g$ the generated ones:
#
# $$\text{precision} = \frac{1}{|\Phi_g|} \sum_{\phi \in \Phi_g} f(\phi, \Phi_r), \qquad \text{recall} = \frac{1}{|\Phi_r|} \sum_{\phi \in \Phi_r} f(\phi, \Phi_g)$$


# %%
@exercise("07.precision_recall")
def precision_recall(*, real, fake, k=3):
    """Improved precision and recall, inside if d ≤ r.

    real: (N, d), fake: (M, d), N and M > k.  Returns precision, then recall: two numbers from 0 to 1."""
    ...  # your code


# %% id="two-faults"
faults = {name: precision_recall(real=real, fake=each, k=k) for name, each in (("A", set_a), ("B", set_b))}
yardstick = precision_recall(real=real, fake=held_out, k=k)
for mine, each in ((faults["A"], set_a), (faults["B"], set_b)):
    library = metrics.precision_recall(real=real, fake=each, k=k)
    assert max(abs(a - b) for a, b in zip(mine, library)) < 2 / n
print(f"{'':22} {'distance':>8} {'precision':>10} {'recall':>8}    (k = {k}, N = {n:,} of each)")
for name, what in (("A", "A: no shoes"), ("B", "B: some inverted")):
    print(f"{what:22} {distances[name]:8.2f} {faults[name][0]:10.3f} {faults[name][1]:8.3f}")
print(
    f"{'held-out photographs':22} {metrics.fid(real, held_out):8.2f} {yardstick[0]:10.3f} {yardstick[1]:8.3f}"
)
assert faults["A"][0] > faults["B"][0] + 0.1 and faults["B"][1] > faults["A"][1] + 0.1

# %% [markdown]
# The same distance, and now the faults are told apart: A lacks recall, B lacks precision. Note the last line. Photographs of the same kind do not reach 1: the
# yardstick for a generator is what held-out real images get under the same protocol, not 1.
#
# ## The balls under your hand
#
# Real points on a ring of six humps, 36 of them, and what a faulty generator makes of it. Left the balls of the real points with the generated ones over them, right the
# other way round. Filled: inside. Crossed: outside. Four things to try:
#
# 1. `humps dropped` from 0 to 5: recall falls, precision stays. `spread of fakes` up to 4: precision falls, and recall is 1 all the while.
# 2. `spread of fakes` at 0: every fake is a repeated point. Precision and coverage are high, the fakes' balls have shrunk to nothing, recall is gone.
# 3. Spread 3, and move the [outlier](../docs/glossary.md#outlier) from 1.6 to 0: one real point, in the empty middle, and its ball makes right what was wrong.
# 4. Three humps dropped, `the outlier is` fake, move it to −3: one stray sample "covers" a hump that the generator never makes. Density and
#    coverage, which have no balls around fakes, do not move.

# %% id="balls"
balls = widgets.neighbour_balls()
balls

# %% [markdown]
# ## Two generators of the zoo
#
# Chapter 02's two recorded networks: the DCGAN, Fréchet distance 0.44, and the fully connected one, 5.96 (N = 10,000). You have seen their samples.
#
# **Predict.** Precision against $n$ photographs, of three sets: $n$ other photographs, $n$ samples of the DCGAN, $n$ of the fully connected GAN. The highest have …

# %%
predict("07.most_precise", ["the photographs", "the DCGAN's samples", "the fully connected GAN's samples"])

# %% id="zoo"
samples = {
    "DCGAN": zoo.sample(zoo.load("dcgan-fashion")[0], n, seed=7),
    "fully connected": zoo.sample(zoo.load("mlp-fashion")[0], n, seed=7),
}
drawn = {name: classify(images)[0] for name, images in samples.items()}
table = {"photographs": precision_recall(real=real, fake=held_out, k=k)}
table |= {name: precision_recall(real=real, fake=each, k=k) for name, each in drawn.items()}
print(f"{'':16} {'precision':>10} {'recall':>8}    (k = {k}, N = {n:,} of each, classifier features)")
for name, (p, r) in table.items():
    print(f"{name:16} {p:10.3f} {r:8.3f}")
assert table["fully connected"][0] > table["photographs"][0] > table["DCGAN"][0]
plots.image_grids(
    {f"{name}: {table[name][0]:.2f} and {table[name][1]:.2f}": each[:24] for name, each in samples.items()},
    alt="; ".join(
        f"24 samples of the {name} network, precision {table[name][0]:.2f}, recall {table[name][1]:.2f}"
        for name in samples
    ),
    title=f"Precision and recall, k = {k}, N = {n:,}",
)

# %% id="reveal-zoo"
best = max(table, key=lambda name: table[name][0])
balls_around = {
    name: k * metrics.density_coverage(real=real, fake=each, k=k).density
    for name, each in (("photographs", held_out), ("fully connected", drawn["fully connected"]))
}
assert balls_around["fully connected"] > balls_around["photographs"] + 0.5
reveal(
    "07.most_precise",
    {"photographs": "the photographs", "DCGAN": "the DCGAN's samples"}.get(
        best, "the fully connected GAN's samples"
    ),
    f"{table['fully connected'][0]:.3f}, where photographs get {table['photographs'][0]:.3f} and the DCGAN {table['DCGAN'][0]:.3f}. Its recall is "
    f"{table['fully connected'][1]:.3f} against {table['photographs'][1]:.3f} and {table['DCGAN'][1]:.3f}. Its samples crowd where balls are many: one of them lies in "
    f"{balls_around['fully connected']:.1f} balls on average, a photograph in {balls_around['photographs']:.1f}. "
    "Real photographs also live at the rim. A precision above that of photographs says no more than that, and never alone.",
)

# %% [markdown]
# Numbers in papers come from other features (VGG-16 or Inception, trained on photographs of everything) and 50,000 images of each kind. Nothing here
# compares with them.
#
# ## Truncation, redrawn
#
# Chapter 06 draws latents from a truncated normal, to buy fidelity with diversity. With two numbers the trade can be drawn.

# %% id="truncation"
thresholds = [None, 1.0, 0.5, 0.25]
trade = {}
for name, network in (("DCGAN", "dcgan-fashion"), ("fully connected", "mlp-fashion")):
    generator = zoo.load(network)[0]
    trade[name] = [
        metrics.precision_recall(
            real=real, fake=classify(zoo.sample(generator, truncated, seed=7, threshold=threshold))[0], k=k
        )
        for threshold in thresholds
    ]
tight = {name: row[-1].precision for name, row in trade.items()}
whole, at_one = trade["DCGAN"][:2]
assert at_one.precision > whole.precision and at_one.recall < whole.recall
assert tight["DCGAN"] < whole.precision - 0.3 and trade["DCGAN"][-1].recall < at_one.recall
assert trade["fully connected"][-1].recall < trade["fully connected"][0].recall
assert tight["fully connected"] > trade["fully connected"][0].precision
plots.precision_recall_plane(
    {name: [(r, p) for p, r in row] for name, row in trade.items()},
    labels={name: ["all of z", *(f"{threshold:g}" for threshold in thresholds[1:])] for name in trade},
    title=f"Cut at 0.25: precision {trade['fully connected'][0].precision:.2f} to {tight['fully connected']:.2f} (fully connected), "
    f"{trade['DCGAN'][0].precision:.2f} to {tight['DCGAN']:.2f} (DCGAN)",
)

# %% [markdown]
# Cut at 1, the DCGAN trades as promised: it gains some precision and gives more recall for it. Cut harder it loses both, for latents as short as those hardly occur in training.
# The fully connected network gains precision, and its recall falls, though not at every step. A trade-off is a measurement, not a law.
#
# ## ≤ or <?
#
# The paper counts the edge of a ball, the package prdc does not. With features from a network nobody can tell. With whole numbers everybody can: here are photographs
# reduced to 4×4 pixels of 2, 4 and 256 grey levels.


# %% id="ties"
def coarse(images, levels):
    return (images[:, 0, 3::7, 3::7] // (256 // levels)).float().flatten(1)  # (N, 16)


rule = {}
for levels in (2, 4, 256):
    two = {"real": coarse(test.pixels[:500], levels), "fake": coarse(test.pixels[500:1000], levels)}
    rule[f"{levels} levels"] = [
        metrics.precision_recall(**two, k=k, strict=strict) for strict in (False, True)
    ]
two = {"real": real[:500], "fake": held_out[:500]}
rule["classifier"] = [metrics.precision_recall(**two, k=k, strict=strict) for strict in (False, True)]
print(f"{'':12} {'precision, ≤':>13} {'<':>7} {'recall, ≤':>11} {'<':>7}   (k = {k}, N = 500 of each)")
for name, (loose, strict) in rule.items():
    print(f"{name:12} {loose[0]:13.3f} {strict[0]:7.3f} {loose[1]:11.3f} {strict[1]:7.3f}")
assert (
    rule["classifier"][0] == rule["classifier"][1] and rule["2 levels"][0][0] - rule["2 levels"][1][0] > 0.5
)

# %% [markdown]
# Where many images share one point, radii are 0, and `<` says that a point does not lie in its own place. The rule belongs to the protocol: say which.
#
# ## One image
#
# Normals in 64 dimensions, 1,000 points each; the generated ones are shifted by 1 in every dimension, which is 8 in all. Hardly one of them lies among the real ones. Now
# replace **one** real point by an outlier, the point $(3, 3, \dots, 3)$.
#
# **Predict.** Precision was below 0.01. With one outlier among 1,000 it is …

# %%
predict("07.one_outlier", ["still below 0.01", "about 0.1", "above 0.9"])

# %% [markdown]
# Two measures were made with this in mind (Naeem et al. 2020). Both have balls around the *real* points only, with radii $r_j$ to the $k$-th neighbour, and count with $<$. The
# [density](../docs/glossary.md#density-metric) of the samples $y_i$ (nothing to do with a probability density) counts in how many balls a sample lies, and may exceed 1; the
# coverage is the share of real balls that are not empty:
#
# $$\text{density} = \frac{1}{kM} \sum_{i=1}^{M} \sum_{j=1}^{N} 1[\|y_i - x_j\| < r_j], \qquad
# \text{coverage} = \frac1N \sum_{j=1}^{N} 1\bigl[\min_i \|y_i - x_j\| < r_j\bigr]$$


# %%
@exercise("07.density_coverage")
def density_coverage(*, real, fake, k=5):
    """Density and coverage, inside if d < r.

    real: (N, d), N > k;  fake: (M, d).  Returns density, then coverage: density ≥ 0, coverage from 0 to 1."""
    ...  # your code


# %% id="one-outlier"
def normals(shift=0.0, spread=1.0, count=1000, dim=64, seed=3):
    draw = runtime.keyed_generator("cpu", seed, "normals")
    return shift + spread * torch.randn(count, dim, generator=draw)


clean, shifted = normals(seed=1), normals(shift=1.0, seed=2)
with_one, with_one_fake = clean.clone(), shifted.clone()
with_one[0] = 3.0  # on the fakes' side
with_one_fake[0] = -2.0  # on the data's side
cases = {
    "no outlier": (clean, shifted),
    "one real outlier": (with_one, shifted),
    "one fake outlier": (clean, with_one_fake),
}
one = {
    name: [*precision_recall(real=a, fake=b, k=3), *density_coverage(real=a, fake=b, k=5)]
    for name, (a, b) in cases.items()
}
print(
    f"{'':18} {'precision':>10} {'recall':>8} {'density':>9} {'coverage':>9}   (N = 1,000; k = 3, 3, 5, 5)"
)
for name, row in one.items():
    print(f"{name:18} {row[0]:10.3f} {row[1]:8.3f} {row[2]:9.3f} {row[3]:9.3f}")
for name, (a, b) in cases.items():
    library = metrics.density_coverage(real=a, fake=b)
    assert max(abs(float(mine) - its) for mine, its in zip(one[name][2:], library)) < 2e-3
rise = one["one real outlier"][2] - one["no outlier"][2]
assert rise <= 1 / 5 + 0.02 and one["one fake outlier"][3] <= one["no outlier"][3] + 0.002

# %% id="reveal-outlier"
now = one["one real outlier"][0]
reveal(
    "07.one_outlier",
    "above 0.9" if now > 0.9 else "about 0.1" if now > 0.05 else "still below 0.01",
    f"{one['no outlier'][0]:.3f} becomes {now:.3f}: the outlier's ball reaches back to its third neighbour and holds nearly every sample, and one ball is enough. Density rises by "
    f"{rise:.3f}, which is 1/k: one ball of k. Coverage rises by {one['one real outlier'][3] - one['no outlier'][3]:.3f}, one real point. A fake outlier does to recall what the "
    f"real one did to precision ({one['no outlier'][1]:.3f} to {one['one fake outlier'][1]:.3f}) and nothing to the other two.",
)

# %% [markdown]
# Is that what happens with images? One white picture and one of noise, in the place of one photograph or of one sample of the fully connected GAN:

# %% id="odd-images"
odd = torch.stack(
    [
        torch.full((1, 28, 28), 255, dtype=torch.uint8),
        torch.randint(0, 256, (1, 28, 28), generator=runtime.keyed_generator("cpu", 4)).to(torch.uint8),
    ]
)
white, noisy = classify(odd)[0]
fakes = drawn["fully connected"]
moved = {"as it is": (real, fakes)}
for name, each in (("white", white), ("noise", noisy)):
    moved[f"{name} as a real"] = torch.cat([each[None], real[1:]]), fakes
    moved[f"{name} as a fake"] = real, torch.cat([each[None], fakes[1:]])
scores = {name: metrics.prdc(real=a, fake=b, k=k, strict=False) for name, (a, b) in moved.items()}
print(f"{'':18} {'precision':>10} {'recall':>8} {'density':>9} {'coverage':>9}   (k = {k}, N = {n:,})")
for name, row in scores.items():
    print(f"{name:18} {row[0]:10.3f} {row[1]:8.3f} {row[2]:9.3f} {row[3]:9.3f}")
largest = max(abs(row[i] - scores["as it is"][i]) for row in scores.values() for i in (0, 1))
print(f"largest change of precision or recall: {largest:.3f}, or {largest * n:.0f} images of {n:,}")
assert largest * n <= 40

# %% [markdown]
# Here one image moves a few dozen of 2,000 verdicts at most: this classifier puts such pictures not far from the clothes it knows. That is a property of these features, to be measured
# for each extractor. And the remedy has a blind spot of its own. Fakes with the right centre and half the spread, in 64 dimensions:

# %% id="blind-spot"
narrow = normals(spread=0.5, seed=2)
blind = [*precision_recall(real=clean, fake=narrow, k=3), *density_coverage(real=clean, fake=narrow, k=5)]
print("precision {:.3f}, recall {:.3f}, density {:.1f}, coverage {:.3f}".format(*blind))
assert blind[1] < 0.05 and blind[3] > 0.95 and blind[2] > 10

# %% [markdown]
# Coverage is all but 1 where recall is all but 0: a few points near the centre lie in *every* ball. Density, far above 1, gives the crowding away. Read the four
# together.
#
# ## Choosing k and N
#
# Both sets are photographs, drawn alike: the truth is precision 1 and recall 1. What do the balls say?

# %% id="k-and-n"
counts = [n // 8, n // 4, n // 2, n]
same = {
    each: [metrics.prdc(real=real[:c], fake=held_out[:c], k=each, strict=False) for c in counts]
    for each in (1, 3, 5, 10)
}
print("photographs against photographs: precision / recall / coverage")
print("      " + "".join(f"{f'N = {c:,}':>22}" for c in counts))
for each, row in same.items():
    print(
        f"k = {each:<2}"
        + "".join(f"{f'{s.precision:.2f} / {s.recall:.2f} / {s.coverage:.2f}':>22}" for s in row)
    )
spread = same[1][-1].precision, same[10][-1].precision
assert spread[1] - spread[0] > 0.25

# %% [markdown]
# From k = 1 to k = 10 the same two sets get a precision between about a half and nearly 1. Small $k$: holes, and a noisy estimate. Large $k$: everything is inside, and
# nothing is told apart. $k = 3$ and $k = 5$ are conventions. Now vary only the number of *generated* samples.
#
# **Predict.** Draw 100 samples of the DCGAN, or twenty times as many, against the same photographs. With more samples, recall …

# %%
predict("07.more_fakes", ["rises", "stays about the same", "falls"])

# %% id="more-fakes"
amounts = [100, n // 8, n // 4, n // 2, n]
sets = {"photographs": held_out, **drawn}
by_amount = {
    name: [metrics.prdc(real=real, fake=each[:m], k=k, strict=False) for m in amounts]
    for name, each in sets.items()
}
first, last = (by_amount["DCGAN"][i] for i in (0, -1))
plots.curves(
    amounts,
    {
        **{f"recall, {name}": [s.recall for s in row] for name, row in by_amount.items()},
        "coverage, DCGAN": [s.coverage for s in by_amount["DCGAN"]],
    },
    title=f"From 100 to {n:,} samples of the same DCGAN: recall {first.recall:.2f} to {last.recall:.2f}, coverage {first.coverage:.2f} to {last.coverage:.2f}",
    xlabel=f"generated samples, against {n:,} photographs (k = {k})",
    ylabel="recall or coverage",
    log_x=True,
    legend_beside=True,
)

# %% id="reveal-more"
change = last.recall - first.recall
ends = {name: (row[0].recall, row[-1].recall) for name, row in by_amount.items()}
reveal(
    "07.more_fakes",
    "falls" if change < -0.03 else "rises" if change > 0.03 else "stays about the same",
    f"{ends['DCGAN'][0]:.3f} to {ends['DCGAN'][1]:.3f}, and {ends['fully connected'][0]:.3f} to {ends['fully connected'][1]:.3f} for the fully connected GAN; photographs, which leave nothing "
    f"out, {ends['photographs'][0]:.3f} to {ends['photographs'][1]:.3f}. Few samples stand far apart, so their balls are wide and bridge what the generator leaves out: at 100 samples the "
    "DCGAN can hardly be told from photographs. Coverage rises, because more samples fill more balls. Neither belongs to the generator alone: equal N on both "
    "sides, stated, always.",
)

# %% [markdown]
# ## A curve instead of a pair
#
# The first precision and recall for generators (Sajjadi et al. 2018) had no balls. Cluster real and generated features together, count each set's share of every cluster, and compare the two
# histograms $p$ (real) and $q$ (generated). For every slope $\lambda = \tan\theta$, a point of the curve:
#
# $$\alpha(\lambda) = \sum_i \min(\lambda p_i, q_i) \;\text{(precision)}, \qquad \beta(\lambda) = \sum_i \min(p_i, q_i / \lambda) \;\text{(recall)}$$


# %%
@exercise("07.prd_from_histograms")
def prd_from_histograms(*, real, fake, angles=1001):
    """Precision and recall along the curve of two histograms.

    real, fake: (K,) probabilities over the same K cells, float64;  angles: so many, equally spaced from 10⁻¹⁰ to π/2 − 10⁻¹⁰.
    Returns precision (angles,), then recall (angles,)."""
    ...  # your code


# %% id="prd"
p, q = torch.tensor([0.5, 0.3, 0.2, 0.0]).double(), torch.tensor([0.1, 0.3, 0.2, 0.4]).double()
mine, library = prd_from_histograms(real=p, fake=q), metrics.prd_from_histograms(real=p, fake=q)
torch.testing.assert_close(mine[0], library.precision)
torch.testing.assert_close(mine[1], library.recall)


def f_score(precision, recall, beta):
    return (
        ((1 + beta**2) * precision * recall / (beta**2 * precision + recall).clamp(min=1e-10)).max().item()
    )


assert (
    abs(f_score(*mine[:2], 8) - library.f8) < 1e-6 and abs(f_score(*mine[:2], 1 / 8) - library.f1_8) < 1e-6
)

curves = {
    name: metrics.prd_curve(real=real, fake=each, runs=prd_runs)
    for name, each in (
        ("photographs", held_out),
        ("A: no shoes", set_a),
        ("B: some inverted", set_b),
        ("fully connected", drawn["fully connected"]),
    )
}
print(f"{'':18} {'F8 (recall)':>12} {'F1/8 (precision)':>17}   (20 clusters, {prd_runs} runs, N = {n:,})")
for name, curve in curves.items():
    print(f"{name:18} {curve.f8:12.3f} {curve.f1_8:17.3f}")
assert curves["A: no shoes"].f8 < curves["B: some inverted"].f8 - 0.1
assert curves["B: some inverted"].f1_8 < curves["A: no shoes"].f1_8 - 0.1
plots.precision_recall_plane(
    {name: list(zip(curve.recall.tolist(), curve.precision.tolist())) for name, curve in curves.items()},
    title=f"A curve bends in on the side of its fault: F8 of A {curves['A: no shoes'].f8:.2f}, F1/8 of B {curves['B: some inverted'].f1_8:.2f}",
)

# %% [markdown]
# $F_8$ is the largest $F_\beta$ on the curve with $\beta = 8$, which weighs recall; $F_{1/8}$ weighs precision. The two faults stand apart again. But look at the fully
# connected GAN: F8 close to 1, where the balls gave it a recall of a quarter. Twenty clusters are two for each class. A histogram sees which classes are there, and nothing of
# what happens within one. No number here is *the* recall: each names what it looks at.
#
# ## In whose eyes?
#
# Take photographs and blur them.
#
# **Predict.** In **pixel** space, 2,000 blurred photographs against 2,000 others. As the blur grows from 0 to 1 pixel, precision …

# %%
predict("07.blur", ["falls", "stays about the same", "rises"])

# %% id="blur"
sigmas = [0.0, 0.5, 1.0]
sharp, others = test.pixels[:2000], data.to_float(test.pixels[2000:4000])
blurred = {sigma: degrade.blur(others, sigma) for sigma in sigmas}
reference = data.to_float(sharp).flatten(1)
radii = metrics.neighbour_radii(reference, k)
in_pixels = {
    sigma: metrics.prdc(real=reference, fake=images.flatten(1), k=k, strict=False, real_radii=radii)
    for sigma, images in blurred.items()
}
in_features = {
    sigma: metrics.prdc(real=features[:2000], fake=classify(images)[0], k=k, strict=False)
    for sigma, images in blurred.items()
}
print(
    f"{'σ':>4} {'pixels: precision':>19} recall density {'features: precision':>22} recall density   (k = {k}, N = 2,000)"
)
for sigma in sigmas:
    (p, r, d, _), (fp, fr, fd, _) = in_pixels[sigma], in_features[sigma]
    print(f"{sigma:4.1f} {p:19.3f} {r:6.3f} {d:7.2f} {fp:22.3f} {fr:6.3f} {fd:7.2f}")
assert (
    in_pixels[1.0][0] > 0.95
    and in_pixels[1.0][1] < 0.05
    and in_features[1.0][0] < in_features[0.0][0] - 0.1
)
plots.precision_recall_plane(
    {
        "pixels": [(each.recall, each.precision) for each in in_pixels.values()],
        "classifier's features": [(each.recall, each.precision) for each in in_features.values()],
    },
    labels={name: [f"σ = {sigma:g}" for sigma in sigmas] for name in ("pixels", "classifier's features")},
    title=f"The same blur: precision {in_pixels[0.0][0]:.2f} to {in_pixels[1.0][0]:.2f} in pixels, {in_features[0.0][0]:.2f} to {in_features[1.0][0]:.2f} in features",
)

# %% id="reveal-blur"
gain = in_pixels[1.0][0] - in_pixels[0.0][0]
reveal(
    "07.blur",
    "rises" if gain > 0.03 else "falls" if gain < -0.03 else "stays about the same",
    f"{', '.join(f'{in_pixels[sigma][0]:.2f}' for sigma in sigmas)} at σ = 0, 0.5, 1. Blurring draws images towards the middle of the data: at σ = 1 one of them lies in "
    f"{k * in_pixels[1.0].density:.1f} balls, a sharp one in {k * in_pixels[0.0].density:.1f}. Recall tells: "
    f"{', '.join(f'{in_pixels[sigma][1]:.3f}' for sigma in sigmas)}. In the classifier's features precision falls: "
    f"{', '.join(f'{in_features[sigma][0]:.2f}' for sigma in sigmas)}. So «blur lowers precision» is a sentence about an extractor.",
)

# %% [markdown]
# ## What people get wrong
#
# ### Swapping the two
#
# In a classifier's precision and recall "positive" is a label. Here precision is about *generated* images and recall about *real* ones, and exchanging the arguments
# exchanges the numbers: a generator without shoes turns into one without fidelity. In this library the arguments have names, and it refuses to guess.

# %% id="swapped"
right = metrics.precision_recall(real=real, fake=set_a, k=k)
wrong = metrics.precision_recall(real=set_a, fake=real, k=k)
assert tuple(right) == tuple(wrong)[::-1]
print(
    f"real=real, fake=A: precision {right[0]:.3f}, recall {right[1]:.3f}; exchanged: {wrong[0]:.3f}, {wrong[1]:.3f}"
)
try:
    metrics.precision_recall(real, set_a)
except TypeError as error:
    print(f"without names: {error}")

# %% [markdown]
# ### Comparing across k or N
#
# Paper X states both numbers at $k = 10$ and $N = 250$, paper Y at $k = 3$ and $N = 2000$. Here they are, for the two networks of the zoo:

# %% id="across"
x = metrics.precision_recall(real=real[: n // 8], fake=drawn["fully connected"][: n // 8], k=10)
y = metrics.precision_recall(real=real, fake=drawn["DCGAN"], k=3)
fair = metrics.precision_recall(real=real, fake=drawn["fully connected"], k=3)
print(f"X, fully connected, k = 10, N = {n // 8:,}: precision {x[0]:.3f}, recall {x[1]:.3f}")
print(f"Y, DCGAN,           k = 3,  N = {n:,}: precision {y[0]:.3f}, recall {y[1]:.3f}")
print(f"X's generator under Y's protocol:      precision {fair[0]:.3f}, recall {fair[1]:.3f}")
assert x[0] > y[0] and x[1] > y[1] and fair[1] < y[1]

# %% [markdown]
# X wins in both, and has the generator with hardly any recall.
#
# ### "High recall: the samples are as varied as the data"
#
# In 64 dimensions, fakes half as wide again as the data:

# %% id="wide"
wide = normals(spread=1.5, seed=2)
too_wide = metrics.prdc(real=clean, fake=wide, k=3, strict=False)
print(
    f"precision {too_wide.precision:.3f}, recall {too_wide.recall:.3f}, density {too_wide.density:.3f}, coverage {too_wide.coverage:.3f}"
)
assert too_wide.precision < 0.02 and too_wide.recall > 0.98 and too_wide.coverage < 0.05

far = held_out + 40 * normals(count=n, seed=5)
half_noise = metrics.prdc(real=real, fake=torch.cat([held_out[: n // 2], far[n // 2 :]]), k=k, strict=False)
print(f"held-out photographs: precision {yardstick[0]:.3f}, recall {yardstick[1]:.3f}")
print(
    f"half of them replaced by noise in feature space: precision {half_noise.precision:.3f}, recall {half_noise.recall:.3f}"
)
assert half_noise.recall > yardstick[1] + 0.02 and half_noise.precision < yardstick[0] - 0.3

# %% [markdown]
# Next to no wide fake lies among the data, and recall is 1: samples that stand far apart have balls that hold everything. And replacing half of the photographs by noise
# *raises* recall. Recall without precision means nothing, and the other way round.
#
# ### "Precision 1 and recall 1: a perfect generator"
#
# A generator that hands out the training images has both, and so has none to its name. Neither measure can see it, because both look for nearness to the data.

# %% id="memorised"
copied = metrics.prdc(real=real, fake=real.clone(), k=k, strict=False)
assert copied.precision == copied.recall == copied.coverage == 1.0
nearest = metrics.nearest_distances(real.clone(), real), metrics.nearest_distances(held_out, real)
print(
    f"copies: precision {copied.precision:.2f}, recall {copied.recall:.2f}; distance to the nearest photograph {nearest[0].median():.2f}, of other photographs {nearest[1].median():.2f}"
)

# %% [markdown]
# The distance to the nearest photograph shows it (chapter 04b).
#
# ## In your own words

# %%
explain("07.words")

# %%
quiz("07.check")

# %% [markdown]
# ## What to keep
#
# - Precision: the share of generated images in the balls of real ones. Recall: the share of real images in the balls of generated ones.
# - The yardstick is not 1 but what held-out real images get with the same $k$, $N$ and features.
# - Larger $k$ and fewer points widen the balls. More samples of one generator *lower* its recall, where it leaves something out, and raise its coverage.
# - One outlier can take precision or recall from 0 to 1; density by $1/k$, coverage by $1/N$. Coverage has its own blind spot: read the four together.
# - Blur raises precision in pixels and lowers it in a classifier's features. Name the features.
# - A number without $k$, both $N$s, the features and the rule at the edge is not a number.
#
# Further reading: Kynkäänniemi et al. 2019 ([arXiv:1904.06991](https://arxiv.org/abs/1904.06991)) for the definition, section 2, and truncation curves, section 4;
# Naeem et al. 2020 ([arXiv:2002.09797](https://arxiv.org/abs/2002.09797)) for outliers and for how to choose $k$, sections 3 and 4; Sajjadi et al. 2018
# ([arXiv:1806.00035](https://arxiv.org/abs/1806.00035)) for curves, with the histogram algorithm in section 3.

# %% id="running-on"
running_on("07")

# %% id="report"
p, r = table["DCGAN"]
add_to_report(
    "07",
    f"The recorded DCGAN of chapter 02: precision {p:.3f}, recall {r:.3f} (k = {k}, N = {n:,} of each, features of the course's classifier); held-out photographs "
    f"{table['photographs'][0]:.3f} and {table['photographs'][1]:.3f}.",
)

# %% id="progress"
progress("07")
