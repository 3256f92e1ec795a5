# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 04 · From covariance to FID: how far apart are two heaps of images?
#
# Here are 10,000 photographs and there are 10,000 samples, and nobody said which sample should look like which photograph. The
# [Fréchet Inception Distance](../docs/glossary.md#frechet-inception-distance) answers with one number. It is made of four pieces,
# each of them a few lines, and you write them all: by the end the number that chapter 02 leaned on is your own code.
#
# **You will** write the [covariance matrix](../docs/glossary.md#covariance-matrix), the
# [Fréchet distance](../docs/glossary.md#frechet-distance) in one dimension and in many, the
# [trace](../docs/glossary.md#trace) of a matrix root, and FID · **you will know** what its features are, what it sees of
# [fidelity](../docs/glossary.md#fidelity) and [diversity](../docs/glossary.md#diversity), and what it cannot tell apart · **you need**
# chapters 01 and 02, eigenvalues (the primer has them) · **time**: an hour, of which your machine computes under a minute (two where the
# published Inception has been fetched).

# %% id="imports"
import torch
import torch.nn.functional as F
import torchvision
from course_lib import assets, data, metrics, plots, plots_networks, runtime, widgets, zoo
from course_lib.data import degrade
from course_lib.data.normals import Normal, covariance_2d
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
from course_lib.models import inception
from course_lib.zoo.judging import classify
from torch import nn

# %% id="knobs"
# Knobs: how many images this machine measures.
n = runtime.by_profile(ci=2000, laptop=10_000, gpu=10_000)  # on each side of every FID below
inception_images = runtime.by_profile(
    ci=0, laptop=100, gpu=5000
)  # for the optional figure with the real Inception

# %% [markdown]
# ## Two questions on what you know already

# %%
quiz("04.recall")

# %% [markdown]
# ## Why not compare pixels?
#
# To [quantify](../docs/glossary.md#quantify) how alike two images are, the first idea is to subtract them. The
# [pixel distance](../docs/glossary.md#pixel-distance) is $\lVert x - y \rVert$ over all 784 pixels. Take one shoe, the same shoe three pixels
# higher, and another shoe.

# %% id="shoes"
test, train = data.load("fashion-mnist", "test"), data.load("fashion-mnist")


def moved(pixels, right=0, up=0):
    """The images moved by a few pixels, with black coming in."""
    return F.pad(pixels, (8, 8, 8, 8))[:, :, 8 + up : 36 + up, 8 - right : 36 - right]


shoe, other_shoe = test.pixels[[788]], test.pixels[[2914]]  # a pair that was picked
plots.image_grids(
    {"a shoe": shoe, "three pixels higher": moved(shoe, up=3), "another shoe": other_shoe},
    columns=1,
    panel=2.6,
    alt="Three grey photographs: a high sneaker, the same sneaker three pixels higher, and a smooth boot-like shoe in the first one's place.",
)

# %% [markdown]
# **Predict.** In pixels, which of the two is further from the first?

# %%
predict("04.shift", ["the same shoe, three pixels higher", "the other shoe", "both are equally far"])

# %% [markdown]
# A network that was trained to name clothes does well to ignore where in the picture they hang. Drop its last layer, and what is left is a
# [feature extractor](../docs/glossary.md#feature-extractor) $\varphi$: an image goes in, its [embedding](../docs/glossary.md#embedding)
# $\varphi(x)$ comes out. The [feature distance](../docs/glossary.md#feature-distance) is $\lVert \varphi(x) - \varphi(y) \rVert$. `classify` returns
# the 64 features of the course's own classifier of clothes.


# %% id="two-distances"
def pixel_distance(x, y):
    return (data.to_float(x) - data.to_float(y)).flatten(1).norm(dim=1)


def feature_distance(x, y):
    return (classify(x)[0] - classify(y)[0]).norm(dim=1)


in_pixels = [pixel_distance(shoe, y).item() for y in (moved(shoe, up=3), other_shoe)]
in_features = [feature_distance(shoe, y).item() for y in (moved(shoe, up=3), other_shoe)]
print(f"{'':10} {'the same, higher':>17} {'the other shoe':>15}")
print(f"{'pixels':10} {in_pixels[0]:17.2f} {in_pixels[1]:15.2f}")
print(f"{'features':10} {in_features[0]:17.2f} {in_features[1]:15.2f}")

# %% id="reveal-shift"
assert in_features[0] < in_features[1]
reveal(
    "04.shift",
    "the same shoe, three pixels higher" if in_pixels[0] > in_pixels[1] else "the other shoe",
    f"{in_pixels[0]:.1f} against {in_pixels[1]:.1f} in pixels, {in_features[0]:.1f} against {in_features[1]:.1f} in features. Pixels compare place by place: what has "
    "moved counts as gone here and new there.",
)

# %% [markdown]
# One pair proves nothing, least of all one that was picked. So: every image of the first thousand, moved to the right, against another
# image of its own class.

# %% id="shifts"
some = test.subset(slice(0, 1000))
partner = torch.empty(1000, dtype=torch.long)
for label in range(10):
    rows = torch.nonzero(some.labels == label)[:, 0]
    partner[rows] = rows.roll(1)
shifts, shares, boots = [1, 2, 3, 4], {}, {}
for name, distance in (("in pixels", pixel_distance), ("in features", feature_distance)):
    apart = distance(some.pixels, some.pixels[partner])
    further = [distance(some.pixels, moved(some.pixels, right=shift)) > apart for shift in shifts]
    shares[name] = [each.float().mean().item() for each in further]
    boots[name] = further[1][some.labels == 9].float().mean().item()
assert all(a > b for a, b in zip(*shares.values()))
plots.curves(
    shifts,
    shares,
    title=f"Two pixels to the right is further than another image of the class for {shares['in pixels'][1]:.0%} "
    f"in pixels, for {shares['in features'][1]:.0%} in features",
    xlabel="pixels to the right",
    ylabel="share of 1,000 images",
)

# %% id="boots"
assert boots["in features"] > boots["in pixels"]
print(
    f"Ankle boots, two pixels: {boots['in pixels']:.0%} in pixels, {boots['in features']:.0%} in features"
)

# %% [markdown]
# Better, and not good: this extractor never saw a boot out of its place, and for boots it is no better than pixels. Features see what their
# network has learned to see. Choose another network, and every distance built on it changes.

# %% [markdown]
# ## The extractor that everybody uses
#
# FID's $\varphi$ is [Inception-v3](../docs/glossary.md#inception-v3), trained to name the thousand classes of
# [ImageNet](../docs/glossary.md#imagenet). Its idea is in one block: nobody knows which kernel size is right, so take several
# side by side and join the results, an [Inception block](../docs/glossary.md#inception-block). Large kernels are dear, so the later versions
# use [factorised convolutions](../docs/glossary.md#factorised-convolution): smaller kernels in sequence that see the same field.


# %% id="inception-figure"
def weights_of(*kernels):
    """Weights for one channel to one channel."""
    return sum(nn.Conv2d(1, 1, kernel, bias=False).weight.numel() for kernel in kernels)


torch.manual_seed(0)
network = torchvision.models.inception_v3(weights=None, init_weights=False)  # the architecture, untrained
count = {name: sum(p.numel() for p in part.parameters()) for name, part in network.named_children()}
trunk = sum(count.values()) - count["AuxLogits"] - count["fc"]
plots_networks.inception_blocks(
    {
        "v1": "v1 (2014): kernels of several sizes side by side",
        "v2": f"v2 (2015): a 5×5 as two 3×3, {weights_of(3, 3)} weights for {weights_of(5)}",
        "v3": f"v2 and v3: a 7×7 as 1×7 and 7×1, {weights_of((1, 7), (7, 1))} weights for {weights_of(7)}",
        "whole": f"v3, whole: {trunk / 1e6:.1f} million weights are left below the cut",
    },
    title="An Inception block looks with several kernels at one input; 11 of them make the network",
    alt="Four diagrams. Version 1: branches with 1×1, 3×3, 5×5 kernels and pooling side by side, joined along the channels. Version 2: the 5×5 is two 3×3 "
    f"({weights_of(3, 3)} weights for {weights_of(5)}). Versions 2 and 3: 7×7 as 1×7 and 7×1 ({weights_of((1, 7), (7, 1))} for {weights_of(7)}). The whole "
    f"version 3: 3, 5 and 3 blocks, an auxiliary classifier beside the 17×17 blocks, the mean over places with 2048 features, and a cut before the last layer; "
    f"{trunk / 1e6:.1f} million weights below it.",
)

# %% [markdown]
# The [auxiliary classifier](../docs/glossary.md#auxiliary-classifier) is a second head half-way up. It was meant to carry gradient to the early layers;
# it acts as a regulariser, and after training it is not used. Version 3 is version 2 with BatchNorm in that head, a factorised 7×7 at the entrance, RMSprop and label
# smoothing.
#
# The [feature layer](../docs/glossary.md#feature-layer) is the last one before the head, so the head goes: `fc = nn.Identity()`. Many texts say that
# `fc` "outputs probabilities", and leave out `eval()`. Look at what comes out.

# %% id="cut"
images = torch.randn(2, 3, 299, 299, generator=runtime.keyed_generator("cpu", 1))
with torch.no_grad():
    in_train_mode = network(images)
    network.eval()
    logits = network(images)
    network.dropout.train()  # as it is where `eval()` was forgotten
    by_chance = (network(images) - logits).abs().max().item()
    network.eval()
    network.fc = nn.Identity()
    embedding = network(images)
assert by_chance > 0.01 and embedding.shape == (2, 2048)
assert abs(logits[0].sum() - 1) > 0.1
print(f"train mode:    {type(in_train_mode).__name__}, {[tuple(each.shape) for each in in_train_mode]}")
print(f"dropout left on: the same image differs by up to {by_chance:.2f} from call to call")
print(f"eval mode:     {tuple(logits.shape)}, from {logits[0].min():.2f} to {logits[0].max():.2f}: logits")
print(f"fc = Identity: {tuple(embedding.shape)}: features")

# %% [markdown]
# So is a distance between *these* features the FID? No. FID's network is the TensorFlow file of 2015, with its own weights and 1008 outputs; it resizes
# images differently; it pools by maximum in its last block; and its averages do not count the padding. That last one alone, on a map of ones:

# %% id="pooling"
ones = torch.ones(1, 1, 3, 3)
torchvisions, tensorflows = (
    F.avg_pool2d(ones, 3, 1, 1, count_include_pad=counted)[0, 0, 0, 0].item() for counted in (True, False)
)
assert tensorflows == 1.0
print(f"in the corner: torchvision's pooling {torchvisions:.3f}, that of FID's Inception {tensorflows:.3f}")

# %% [markdown]
# A distance in torchvision's features is a sound distance. It compares with no published number. The same holds for the course's classifier: its
# distances compare generators of clothes within this course, and nothing else. With that said, the rest of the chapter is about the distance.

# %% [markdown]
# ## Variance, covariance
#
# Each heap of images is now a cloud of points in 64 dimensions. What is kept of a cloud? Its mean, and how it varies. In one dimension that is the
# [variance](../docs/glossary.md#variance) $\mathbb E(x - \mu)^2$. Two features can also vary together, and that is their
# [covariance](../docs/glossary.md#covariance):
#
# $$\Sigma_{ij} = \mathbb E\,(x_i - \mu_i)(x_j - \mu_j), \qquad \text{estimated by } \frac{1}{N-1}\sum_{n=1}^{N} (x_{ni} - \bar x_i)(x_{nj} - \bar x_j)$$
#
# All of them together are a symmetric matrix $\Sigma$: variances on the diagonal, covariances off it. A
# [correlation](../docs/glossary.md#correlation) is a covariance that has been divided by both standard deviations; texts that write
# "correlation matrix" in FID's formula mean covariances.


# %%
@exercise("04.covariance")
def covariance(features):
    """The covariance matrix of a set of features, with N − 1 below the line.

    features: (N, d), N > 1, one row for each image; it is left as it was.  Returns (d, d)."""
    ...  # your code


# %% id="covariance-check"
real = classify(test.pixels[:n])[0].double()  # (n, 64): the features of n test images
moments = metrics.GaussianMoments()
for batch in real.split(300):
    moments.update(batch)  # the library's way: batch by batch, nothing kept but sums
torch.testing.assert_close(covariance(real), moments.cov())
variances = covariance(real).diagonal()
print(
    f"64 features of {n:,} images: variances from {variances.min():.2f} to {variances.max():.2f}; a matrix of {tuple(moments.cov().shape)}"
)

# %% [markdown]
# In the plane a covariance matrix can be seen. Its [covariance ellipse](../docs/glossary.md#covariance-ellipse) has half-axes along the eigenvectors, as long
# as the roots of the eigenvalues. Three things to try, with the keyboard or the mouse:
#
# 1. Correlation to 0.95, then to 1: one eigenvalue goes to 0, and the cloud is a line.
# 2. Bring the blue ellipse onto the dashed one and watch $d^2$, the distance that you are about to write, go to 0.
# 3. From there, flip only the sign of the correlation. No variance has changed, and $d^2$ is far from 0.

# %% id="ellipse"
ellipse = widgets.covariance_ellipse()
ellipse

# %% [markdown]
# **Predict.** $x$ is standard normal and $y = x^2$: whoever knows $x$ knows $y$. Their covariance is …

# %%
predict("04.zero", ["0", "1", "about 1.4: the standard deviation of x²"])

# %% id="zero"
draw = runtime.keyed_generator("cpu", 2)
x = torch.randn(200_000, generator=draw, dtype=torch.float64)
sign = torch.randint(0, 2, (200_000,), generator=draw) * 2.0 - 1
worlds = {
    "jointly normal": torch.stack([x, torch.randn(200_000, generator=draw, dtype=torch.float64)], 1),
    "y = x²": torch.stack([x, x**2], 1),
    "y = ±x, by a coin": torch.stack([x, sign * x], 1),  # x and y are normal, each by itself
}
zero = {name: covariance(points)[0, 1].item() for name, points in worlds.items()}
squares = {name: torch.corrcoef(points.T.square())[0, 1].item() for name, points in worlds.items()}
assert all(abs(value) < 0.02 for value in zero.values())
one, _, three = worlds.values()
torch.testing.assert_close(covariance(one), covariance(three), atol=0.02, rtol=0)
plots.clouds(
    {
        f"{name}: covariance {zero[name]:+.3f}, correlation of the squares {squares[name]:.2f}": points[
            :1500
        ]
        for name, points in worlds.items()
    },
    title="Three covariances of 0, and independence in the first world only",
    alt="Three clouds with covariances near 0: a round one; a parabola; a cross of two diagonal lines. Correlations of x² and y²: "
    + ", ".join(f"{name} {value:.2f}" for name, value in squares.items()),
)

# %% id="reveal-zero"
reveal(
    "04.zero",
    "0"
    if abs(zero["y = x²"]) < 0.1
    else "1"
    if zero["y = x²"] < 1.2
    else "about 1.4: the standard deviation of x²",
    f"Measured {zero['y = x²']:+.3f}. E x·x² = E x³ = 0 by symmetry: what the right half adds, the left half takes away. Zeros off the diagonal mean uncorrelated. For "
    "jointly normal ones independent would follow; in general it does not: in the third world each is normal by itself, and they are not independent either.",
)

# %% [markdown]
# [Independence](../docs/glossary.md#independence) says $p(x, y) = p(x)\,p(y)$ everywhere, which is far more than one number can. FID will look at mean and
# covariance only, the first two [moments](../docs/glossary.md#moment): the first and the third world share both, and it would not tell them apart.

# %% [markdown]
# ## How far apart are two normals? One dimension
#
# Carry the points of one distribution to the points of the other so that the mean squared journey is as short as it can be. In one
# dimension the best plan is known: keep the order, smallest to smallest. For two normals, $x = \mu_x + \sigma_x u$ goes to
# $y = \mu_y + \sigma_y u$ with the same $u \sim \mathcal N(0, 1)$, and the mean of $(x - y)^2$ is
#
# $$d^2 = (\mu_x - \mu_y)^2 + (\sigma_x - \sigma_y)^2$$
#
# the squared Fréchet distance, which is $W_2^2$, the squared Wasserstein distance of order two.


# %%
@exercise("04.frechet_1d")
def frechet_1d(mean_x, std_x, mean_y, std_y):
    """The squared Fréchet distance between N(mean_x, std_x²) and N(mean_y, std_y²).

    Four numbers; standard deviations ≥ 0, also 0.  Returns a number."""
    ...  # your code


# %% id="sorted"
draws_x, draws_y = (
    spread * torch.randn(20_000, generator=draw, dtype=torch.float64) + at
    for at, spread in ((0.0, 1.0), (1.0, 2.5))
)
as_drawn = (draws_x - draws_y).square().mean().item()
in_order = (draws_x.sort().values - draws_y.sort().values).square().mean().item()
d2 = float(frechet_1d(0.0, 1.0, 1.0, 2.5))
assert abs(in_order - d2) < 0.05 * d2 < abs(as_drawn - d2)
ranks = [(rank + 0.5) / 200 for rank in range(200)]
plots.curves(
    ranks,
    {
        name: draws.sort().values.reshape(200, 100).mean(1).tolist()
        for name, draws in (("x from N(0, 1)", draws_x), ("y from N(1, 2.5²)", draws_y))
    },
    title=f"The mean squared gap between equal ranks is {in_order:.2f}, the formula says {d2:.2f} (paired as drawn: {as_drawn:.2f})",
    xlabel="rank, from the smallest draw to the largest",
    ylabel="value",
)

# %% [markdown]
# $d^2$ is a **squared** distance. Many texts write $d(X, Y)$ for it, and then it breaks the rule that every distance keeps, that a detour is never
# shorter:

# %% id="triangle"
direct, first_leg, second_leg = (
    float(frechet_1d(*each)) for each in ((0, 1, 2, 1), (0, 1, 1, 1), (1, 1, 2, 1))
)
assert direct > first_leg + second_leg  # so this is no distance
assert direct**0.5 <= first_leg**0.5 + second_leg**0.5  # and its root is one
print(
    f"N(0, 1) to N(2, 1): {direct:g}. By way of N(1, 1): {first_leg:g} + {second_leg:g}. With roots: {direct**0.5:g} and {first_leg**0.5:g} + {second_leg**0.5:g}"
)

# %% [markdown]
# Nobody takes the root of an FID. Just do not add FIDs up, and do not read "half the FID" as "half as far".

# %% [markdown]
# ## Many dimensions: a root that is not what it looks like
#
# For two [multivariate normals](../docs/glossary.md#multivariate-normal-distribution) the formula keeps its shape:
#
# $$d^2 = \lVert \mu_x - \mu_y \rVert^2 + \operatorname{Tr}\bigl(\Sigma_x + \Sigma_y - 2\,(\Sigma_x \Sigma_y)^{1/2}\bigr)$$
#
# The [matrix square root](../docs/glossary.md#matrix-square-root) $S = A^{1/2}$ is a matrix with $S S = A$. `torch.sqrt` takes the root of every entry,
# which is something else. Failure first: the distance of a covariance to *itself*, computed with the entries' roots.

# %% id="elementwise"
sigma = torch.tensor([[2.0, 1.0], [1.0, 2.0]], dtype=torch.float64)
entrywise, true_root = sigma.sqrt(), Normal(torch.zeros(2), sigma).root
torch.testing.assert_close(true_root @ true_root, sigma)
to_itself = (2 * sigma.trace() - 2 * (sigma @ sigma).sqrt().trace()).item()
assert to_itself < -0.1
print("entry by entry, squared:", [[round(v, 3) for v in row] for row in (entrywise @ entrywise).tolist()])
print("matrix root, squared:   ", [[round(v, 3) for v in row] for row in (true_root @ true_root).tolist()])
print(f"d² of Σ to itself with the roots of the entries: {to_itself:.3f}, which is below 0")

# %% [markdown]
# How to get the trace of the right root? The root of a matrix has the roots of its eigenvalues, and a trace is the sum of the eigenvalues. The product $\Sigma_x\Sigma_y$
# of two symmetric matrices is not symmetric unless they commute, so a solver for symmetric matrices must not be used on it; but it has the
# same eigenvalues as $\Sigma_x^{1/2}\,\Sigma_y\,\Sigma_x^{1/2}$, which is.


# %%
@exercise("04.trace_of_root")
def trace_of_root(cov_x, cov_y):
    """The trace of (cov_x · cov_y)^½, a real number ≥ 0.

    cov_x, cov_y: (d, d) float64, symmetric, no negative eigenvalues but for rounding, zeros allowed; they need not commute.
    Returns a scalar tensor."""
    ...  # your code


# %%
@exercise("04.frechet_distance")
def frechet_distance(mean_x, cov_x, mean_y, cov_y):
    """The squared Fréchet distance d² between two multivariate normals.

    mean_x, mean_y: (d,);  cov_x, cov_y: (d, d); all float64.  Returns a number or a scalar tensor."""
    ...  # your code


# %% [markdown]
# **Predict.** Two clouds in the plane with mean 0 and variance 1 in $x$ and in $y$. In one the correlation is 0.9, in the other −0.9.
# Moving one cloud by 1.5 to the right would cost $d^2 = 2.25$. These two are apart by …

# %%
predict("04.lean", ["0: equal means, equal variances", "about 0.2", "about 2.3, like that move"])

# %% id="lean"
nowhere = torch.zeros(2, dtype=torch.float64)
right, left = (Normal(nowhere, covariance_2d(1, 1, correlation)) for correlation in (0.9, -0.9))
leaning = float(frechet_distance(nowhere, right.cov, nowhere, left.cov))
assert abs(leaning - metrics.frechet_distance(nowhere, right.cov, nowhere, left.cov)) < 1e-9

# %% id="reveal-lean"
options = {0.0: "0: equal means, equal variances", 0.2: "about 0.2", 2.3: "about 2.3, like that move"}
reveal(
    "04.lean",
    options[min(options, key=lambda value: abs(value - leaning))],
    f"d² = {leaning:.3f} = 2·(√1.9 − √0.1)². The eigenvalues are 1.9 and 0.1 in both, and they have changed places: each long axis has to become a short one. Whoever compares "
    "feature by feature, variances alone, sees nothing.",
)

# %% [markdown]
# Is $d^2$ the mean squared journey here too? The best plan is one matrix, $x \mapsto \mu_y + A(x - \mu_x)$ with
# $A = \Sigma_x^{-1/2}\bigl(\Sigma_x^{1/2}\Sigma_y\Sigma_x^{1/2}\bigr)^{1/2}\Sigma_x^{-1/2}$. Many other matrices take the first cloud to the second one as well. They make
# longer journeys.

# %% id="journeys"
start = Normal(nowhere, covariance_2d(1.6, 0.6, 0.8))
goal = Normal(torch.tensor([1.0, 0.5], dtype=torch.float64), covariance_2d(0.7, 1.5, -0.6))
root = start.root
best = root.inverse() @ Normal(nowhere, root @ goal.cov @ root).root @ root.inverse()
turn = torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64)  # a quarter turn on the way
another_plan = goal.root @ turn @ root.inverse()
clouds, journeys = {}, []
points = start.sample(120, runtime.keyed_generator("cpu", 3))
for name, plan in (("the best plan", best), ("another plan", another_plan)):
    torch.testing.assert_close(plan @ start.cov @ plan.T, goal.cov)  # it arrives
    move = plan - torch.eye(2, dtype=torch.float64)
    journeys.append((goal.mean.square().sum() + (move @ start.cov @ move.T).trace()).item())
    clouds[f"{name}: mean squared journey {journeys[-1]:.3f}"] = (points, goal.mean + points @ plan.T)
d2 = float(frechet_distance(start.mean, start.cov, goal.mean, goal.cov))
assert abs(journeys[0] - d2) < 1e-9 and journeys[1] > d2
plots.clouds(
    clouds,
    size=4.4,
    together=True,
    title=f"Both plans arrive at the same normal; the shorter one costs d² = {d2:.3f}",
    alt=f"Two pictures of 120 blue points joined by lines to 120 orange ones, with the same two ellipses. Mean squared journeys {journeys[0]:.3f} and {journeys[1]:.3f}; "
    f"the formula says {d2:.3f}.",
)

# %% [markdown]
# ## FID
#
# Four pieces, one line each: features of both sets, a mean and a covariance for each, and the distance between the two normals that have
# them. The paper assumes that the features are normally distributed (Heusel et al. 2017). Nothing here needs it:
# two moments are compared, and a normal is what two moments determine.


# %%
@exercise("04.fid")
def fid(real_features, fake_features):
    """The squared Fréchet distance between normals fitted to two sets of features.

    real_features: (N, d);  fake_features: (M, d);  float32 or float64, N and M > 1 and not always equal.
    Computed in float64, covariances with N − 1.  Returns a number or a scalar tensor."""
    ...  # your code


# %% [markdown]
# And what do two heaps of *real* images give? That number is the floor: no generator can be asked for less at this $N$ with these features.

# %% id="fid-figure"
dcgan, mlp = zoo.load("dcgan-fashion")[0], zoo.load("mlp-fashion")[0]
held_out = classify(train.pixels[:n])[0]
sets = {
    f"{n:,} training images": held_out,
    "DCGAN": classify(zoo.sample(dcgan, n))[0],
    "fully connected": classify(zoo.sample(mlp, n))[0],
}
measured = {name: float(fid(real, features)) for name, features in sets.items()}
floor, dcgan_fid, mlp_fid = measured.values()
assert abs(dcgan_fid - metrics.fid(real, sets["DCGAN"])) < 1e-6 and 0 < floor < dcgan_fid < mlp_fid
few = metrics.fid(real[:250], held_out[:250])
plots.bars(
    measured,
    title=f"Real images are {floor:.2f} from real images; the DCGAN is {dcgan_fid:.2f} away, the fully connected one {mlp_fid:.2f}",
    ylabel=f"squared Fréchet distance, N = {n:,}",
)

# %% id="few"
assert few > 2 * floor and few > dcgan_fid
print(
    f"The floor at N = 250: {few:.2f}; at N = {n:,}: {floor:.3f}. The same photographs, the same formula."
)

# %% [markdown]
# The floor at 250 images would be beyond the DCGAN's value at $N$. So an FID without its $N$ is not a measurement: small samples do not just add
# noise, they add *distance*. Chapter 04b takes that apart.
#
# These are distances in the features of the course's classifier. The published FID needs the published network. If
# `gan-course fetch fid-inception` (87 MB, once) has brought it to this machine, here are the same three sets in its eyes, with pytorch-fid's resizing and scaling.

# %% id="inception-fid"
fetched = assets.cached("fid-inception", "weights").exists()


@torch.inference_mode()
def by_inception(images, eyes):
    """(N, 1, 28, 28) float in [−1, 1] → (N, 2048)."""
    features = []
    for batch in images.split(25):
        large = F.interpolate(batch.to(runtime.device()), (299, 299), mode="bilinear")
        features.append(eyes(large.expand(-1, 3, -1, -1)).cpu())
    return torch.cat(features)


if fetched and inception_images:
    eyes, m = inception.fold(inception.load()).to(runtime.device()), inception_images
    seen, training, fakes, plain = (
        by_inception(images, eyes)
        for images in (
            data.to_float(test.pixels[:m]),
            data.to_float(train.pixels[:m]),
            data.centre(zoo.sample(dcgan, m), 28),
            zoo.sample(mlp, m),
        )
    )
    by_name = {f"{m:,} training images": training, "DCGAN": fakes, "fully connected": plain}
    published = {name: metrics.fid(seen, features) for name, features in by_name.items()}
    figure = plots.bars(
        published,
        title=f"In the published network's eyes, N = {m:,}: DCGAN {published['DCGAN']:.0f}, photographs "
        f"{published[f'{m:,} training images']:.0f}",
        ylabel=f"FID, N = {m:,}",
    )
    if m < 2048:
        print(
            f"{m} images in {seen.shape[1]} dimensions: most of each number comes from the small N (04b)."
        )
else:
    figure = None
    print(
        "Not shown:",
        "this profile leaves it out." if fetched else "gan-course fetch fid-inception gets it.",
    )
figure

# %% [markdown]
# With 10,000 images a side, where papers use 10,000 to 50,000, this takes a processor most of an hour. It was done once, and stands on the DCGAN's card:

# %% id="inception-recorded"
on_card = zoo.card("dcgan-fashion")["measured"]["fid-inception"]
told = {side: on_card["metrics"]["fid"][side]["value"] for side in ("samples", "floor")}
assert on_card["n"] == 10_000 and told["floor"] < told["samples"]
print(
    f"FID by {on_card['protocol']}'s protocol, N = {on_card['n']:,} against {on_card['real']}, network in {on_card['precision']}: "
    f"DCGAN {told['samples']:.2f}; floor ({on_card['floor']}) {told['floor']:.2f}"
)

# %% [markdown]
# ## What people get wrong
#
# Four were run on the way: covariance 0 as independence, the roots of the entries, $d(X, Y)$ as a distance, and `fc` as probabilities. Here are the others.
#
# ### "FID does not measure diversity"
#
# Every image in the next sets is a photograph: fidelity is perfect. What is taken away is variety: images of one class after the other are replaced by more of
# the rest.
#
# **Predict.** Three classes of ten are missing, every image is real. Its distance is …

# %%
predict(
    "04.missing",
    [
        "at the floor: every image is real",
        "above the floor, below the DCGAN's",
        "above the DCGAN's, below the fully connected generator's",
        "above the fully connected generator's",
    ],
)

# %% id="missing"
pool = train.subset(slice(0, n))
dropped = list(range(8))
lacking = [float(fid(real, held_out[degrade.without_classes(pool.labels, k)])) for k in dropped]
assert lacking[3] > lacking[1] > lacking[0]
plots.curves(
    dropped,
    {
        "photographs": lacking,
        "DCGAN, all classes": [dcgan_fid] * 8,
        "fully connected, all classes": [mlp_fid] * 8,
    },
    title=f"Flawless photographs without three of ten classes: {lacking[3]:.1f}",
    xlabel="classes that are missing",
    ylabel=f"squared Fréchet distance, N = {n:,}",
)

# %% id="reveal-missing"
reveal(
    "04.missing",
    "at the floor: every image is real"
    if lacking[3] < 1.5 * floor
    else "above the floor, below the DCGAN's"
    if lacking[3] < dcgan_fid
    else "above the DCGAN's, below the fully connected generator's"
    if lacking[3] < mlp_fid
    else "above the fully connected generator's",
    f"{lacking[3]:.1f}, where the floor is {floor:.2f}, the DCGAN has {dcgan_fid:.2f} and the fully connected generator {mlp_fid:.2f}. Missing classes move the mean and squeeze the covariance, and "
    "FID sees both. It does measure diversity.",
)

# %% [markdown]
# ### "So a high FID tells me that diversity is missing"
#
# It does not say what is missing. Blur *all* ten classes until the number is the same:

# %% id="same-number"
lacks = degrade.without_classes(pool.labels, 3)
floats = data.to_float(pool.pixels)
few_floats, few_lacks = floats[:2000], degrade.without_classes(pool.labels[:2000], 3)
wanted = metrics.fid(real[:2000], held_out[:2000][few_lacks])
low, high = 0.3, 2.0
for _ in range(7):  # how much blur? by halving the interval, on 2,000 images
    middle = (low + high) / 2
    found = metrics.fid(real[:2000], classify(degrade.blur(few_floats, middle))[0])
    low, high = (middle, high) if found < wanted else (low, middle)
blurred = degrade.blur(floats, middle)
blurred_fid = metrics.fid(real, classify(blurred)[0])
assert abs(blurred_fid - lacking[3]) < 0.1 * lacking[3]
plots.image_grids(
    {
        f"Sharp, three classes missing: {lacking[3]:.1f}": pool.pixels[lacks][:64],
        f"All classes, blurred: {blurred_fid:.1f}": blurred[:64],
    },
    title="Two faults, one number",
    alt=f"Two sheets of 64 images. Left: sharp photographs without sneakers, bags and boots, distance {lacking[3]:.1f}. "
    f"Right: photographs of all classes, blurred with a deviation of {middle:.2f} pixels, distance {blurred_fid:.1f}.",
)

# %% [markdown]
# Fidelity and diversity enter one number together and cannot be read out of it again. Chapter 07 measures them apart.

# %% [markdown]
# ### "The correlation matrix of the features"
#
# A generator whose features vary half as much as they should, around the right mean: a model of timidity. With correlations in place of
# covariances, nothing is wrong with it.

# %% id="correlations"
timid = real.mean(0) + 0.5 * (real - real.mean(0))
by_covariance = float(fid(real, timid))
by_correlation = metrics.frechet_distance(
    real.mean(0), torch.corrcoef(real.T), timid.mean(0), torch.corrcoef(timid.T)
)
assert (
    by_correlation < 1e-6
    and abs(by_covariance - covariance(real).trace().item() / 4) < 1e-6 * by_covariance
)
print(f"by covariances {by_covariance:.2f}, a quarter of Tr Σ; by correlations {by_correlation:.6f}")

# %% [markdown]
# ### "An FID of 0 means that the sets are equal"
#
# It means that mean and covariance are. Here is a set with exactly those of the real features, made of coin flips.

# %% id="coins"
draw = runtime.keyed_generator("cpu", 4)
flips = 2.0 * torch.randint(0, 2, real.shape, generator=draw).double() - 1
centred = flips - flips.mean(0)
white = centred @ Normal(torch.zeros(64), covariance(centred)).root.inverse()
coins = real.mean(0) + white @ Normal(torch.zeros(64), covariance(real)).root
from_coins = float(fid(real, coins))
assert from_coins < 1e-6 and (coins < -0.5).any() and (real >= 0).all()
print(
    f"distance {from_coins:.1e}; yet {(coins < 0).double().mean():.0%} of these features are negative, and a real one never is"
)

# %% [markdown]
# ## In your own words

# %%
explain("04.words")

# %%
quiz("04.check")

# %% [markdown]
# ## What to keep
#
# - Distances between images are taken between features, and features see what their network was trained to see. Name the network.
# - $\Sigma$: variances on the diagonal, covariances off it. Covariance 0 means uncorrelated, not independent.
# - $d^2 = \lVert\mu_x - \mu_y\rVert^2 + \operatorname{Tr}(\Sigma_x + \Sigma_y - 2(\Sigma_x\Sigma_y)^{1/2})$ is the shortest mean squared journey between two normals: a squared
#   distance, with a matrix root that is found on eigenvalues.
# - FID fits two normals to two sets of features. It sees missing variety and it sees blur, and cannot say which. Ask for $N$, for the tool, and for the
#   floor.
#
# Further reading: Heusel et al. 2017 ([arXiv:1706.08500](https://arxiv.org/abs/1706.08500)), equation 6, and for FID under six kinds of
# damage; Szegedy et al. 2014 ([arXiv:1409.4842](https://arxiv.org/abs/1409.4842)), figure 2, for the first block, and 2015
# ([arXiv:1512.00567](https://arxiv.org/abs/1512.00567)), sections 3 and 4, for the factorised ones and a candid word on auxiliary classifiers; Parmar, Zhang, Zhu 2021
# ([arXiv:2104.11222](https://arxiv.org/abs/2104.11222)) for what resizing alone does to an FID; Peyré, Cuturi 2018
# ([arXiv:1803.00567](https://arxiv.org/abs/1803.00567)) for the formula as optimal transport.

# %% id="running-on"
running_on("04")

# %% id="report"
add_to_report(
    "04",
    f"By the course's classifier, the recorded DCGAN is {dcgan_fid:.2f} away from {n:,} test images (squared Fréchet distance), and {n:,} training images are "
    f"{floor:.2f} away: {dcgan_fid / floor:.1f} times the floor.",
)

# %% id="progress"
progress("04")
