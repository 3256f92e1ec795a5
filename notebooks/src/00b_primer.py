# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 00b · Primer: five things the course takes for granted
#
# Optional. One page each, one prediction each. If you predict all five rightly, you are ready; if one surprises you, it is the most useful
# page of the day.
#
# **You will know** why losses take [logits](../docs/glossary.md#logit), what `detach` cuts, why an image can change with its neighbours, what a [density](../docs/glossary.md#probability-density) is and what an average
# of samples is worth, and where repeated steps end · **you need** Python, and to have seen a derivative · **time**: 20 minutes, computing: seconds.

# %% id="imports"
import math

import torch
import torch.nn.functional as F
from course_lib import plots, runtime
from course_lib.data import mixtures
from course_lib.exercises import predict, progress, quiz, reveal
from torch import nn

# %% [markdown]
# ## Logits and log-likelihood
#
# A logit $l$ is any real number; the [sigmoid](../docs/glossary.md#sigmoid) makes a probability of it,
# $\sigma(l) = 1/(1 + e^{-l})$. A forecaster who said "real" with probability $\sigma(l)$ and was right earns the
# [log-likelihood](../docs/glossary.md#log-likelihood) $\log \sigma(l)$: at most 0, and very negative if they were sure and wrong.
#
# **Predict.** A discriminator gives a *real* image the logit −200. On paper, $\log \sigma(-200) = -200$. What does
# `torch.sigmoid(l).log()` say?

# %%
predict("00b.log_sigmoid", ["-200", "-inf", "0", "nan"])

# %% id="log-sigmoid"
l = torch.tensor(-200.0)
naive, safe = torch.sigmoid(l).log().item(), F.logsigmoid(l).item()
assert safe == -200.0
print(
    f"sigmoid, then log: {naive}; F.logsigmoid: {safe}; sigmoid(−200) in float32: {torch.sigmoid(l).item()}"
)

# %% id="reveal-log"
reveal(
    "00b.log_sigmoid",
    str(naive) if math.isinf(naive) else f"{naive:.0f}",
    "In float32 σ(−200) is exactly 0, and log 0 = −∞: a loss that is infinite, and gradients that are NaN. `F.logsigmoid` computes the logarithm "
    "without ever taking the sigmoid. This is why discriminators in this course return logits.",
)

# %% [markdown]
# ## Autograd and `detach`
#
# [Autograd](../docs/glossary.md#autograd) records the operations that made a tensor and runs the chain rule backwards through them.
# `detach` gives the same numbers, cut from that record: for the derivative they are a constant.
#
# **Predict.** $y = x \cdot x$, written as `x * x.detach()`, at $x = 3$. What is `x.grad` after `y.backward()`?

# %%
predict("00b.detach", ["6", "3", "0", "it raises an error"])

# %% id="detach"
x = torch.tensor(3.0, requires_grad=True)
(x * x.detach()).backward()
half = x.grad.item()
x.grad = None
(x * x).backward()
assert x.grad.item() == 6.0

# %% id="reveal-detach"
reveal(
    "00b.detach",
    f"{half:g}",
    f"One factor counts as the constant 3, so the derivative is {half:g} and not {x.grad.item():g}. A discriminator's step treats the fakes in this way: as data, "
    "whoever made them.",
)

# %% [markdown]
# ## BatchNorm has two modes
#
# BatchNorm subtracts a mean and divides by a standard deviation. In [train mode](../docs/glossary.md#train-and-eval-mode) these are the *batch's own*; in
# eval mode they are running averages that were collected before.
#
# **Predict.** The same image, in train mode, once among dark images and once among bright ones. Its output is …

# %%
predict("00b.batchnorm", ["the same both times", "different", "different in eval mode only"])

# %% id="batchnorm"
norm = nn.BatchNorm2d(1)
image = torch.full((1, 1, 4, 4), 0.5)
draw = runtime.keyed_generator("cpu", 0)
dark, bright = (torch.randn(7, 1, 4, 4, generator=draw) + shift for shift in (-2.0, 2.0))
with torch.no_grad():
    in_train = [norm(torch.cat([image, others]))[0].mean().item() for others in (dark, bright)]
    norm.eval()
    in_eval = [norm(torch.cat([image, others]))[0].mean().item() for others in (dark, bright)]
assert in_eval[0] == in_eval[1]
print(
    f"train mode: {in_train[0]:+.2f} among dark ones, {in_train[1]:+.2f} among bright ones; eval mode: {in_eval[0]:+.2f} both times"
)

# %% id="reveal-batchnorm"
reveal(
    "00b.batchnorm",
    "different" if abs(in_train[0] - in_train[1]) > 1e-3 else "the same both times",
    f"{in_train[0]:+.2f} and {in_train[1]:+.2f}: in train mode an image's output depends on its neighbours, and every call moves the running averages. "
    "Whoever forgets `eval()` before sampling gets images that change with the batch.",
)

# %% [markdown]
# ## Densities and expectations
#
# A probability density says how much probability there is *per unit of length*; the area below it is 1. An
# [expectation](../docs/glossary.md#expectation) $\mathbb E f(x)$ is the mean of $f$ under a [probability distribution](../docs/glossary.md#probability-distribution);
# from $N$ samples it is estimated by their average.
#
# **Predict.** From 100 samples the average is off by about 0.1. How many samples does an error of 0.01 take?

# %%
predict("00b.samples", ["1,000", "10,000", "it depends on the dimension"])

# %% id="density"
narrow = mixtures.mixture([0.0], stds=0.1)
peak = narrow.log_prob(torch.zeros(1, 1, dtype=torch.float64)).exp().item()
assert peak > 1  # a density is no probability
world = mixtures.mixture([0.0], stds=1.0)
errors = {}
for count in (100, 1_000, 10_000):
    means = torch.stack(
        [world.sample(count, runtime.keyed_generator("cpu", count, trial)).mean() for trial in range(200)]
    )
    errors[count] = means.square().mean().sqrt().item()  # the typical error of an average
plots.curves(
    list(errors),
    {"measured, 200 trials each": list(errors.values()), "1/√N": [count**-0.5 for count in errors]},
    title=f"A hundred times the samples, a tenth of the error: {errors[100]:.3f} and {errors[10_000]:.4f}",
    xlabel="samples N",
    ylabel="typical error of the average",
    log_x=True,
    log_y=True,
)

# %% id="reveal-samples"
wanted = min(errors, key=lambda count: abs(math.log(errors[count] / 0.01)))
reveal(
    "00b.samples",
    f"{wanted:,}",
    f"The error falls as 1/√N: {errors[100]:.3f}, {errors[1_000]:.3f}, {errors[10_000]:.4f}. (And a density may well exceed 1: N(0, 0.1²) "
    f"has {peak:.2f} at 0.)",
)

# %% [markdown]
# ## Eigenvalues: where do repeated steps end?
#
# A step that multiplies a vector by a matrix, taken again and again, stretches it by the modulus of the matrix's
# [eigenvalues](../docs/glossary.md#eigenvalue), $|\lambda|^n$ after $n$ steps. A complex eigenvalue turns as it stretches.
#
# **Predict.** The step $(x, y) \mapsto (x + 0.1y,\; y - 0.1x)$ looks like a small rotation. After 500 steps from (1, 0), the distance from the
# origin is …

# %%
predict("00b.rotation", ["1: it goes round in a circle", "about 12", "nearly 0"])

# %% id="eigenvalues"
matrix = torch.tensor([[1.0, 0.1], [-0.1, 1.0]], dtype=torch.float64)
values = torch.linalg.eigvals(matrix)
end = (torch.linalg.matrix_power(matrix, 500) @ torch.tensor([1.0, 0.0], dtype=torch.float64)).norm().item()
assert abs(end - values[0].abs().item() ** 500) < 1e-9
print(
    f"eigenvalues {values[0]:.2f} and {values[1]:.2f}, modulus {values[0].abs():.5f}; to the power of 500: {end:.2f}"
)

# %% id="reveal-rotation"
reveal(
    "00b.rotation",
    "about 12" if end > 2 else "nearly 0" if end < 0.5 else "1: it goes round in a circle",
    f"|λ| = √(1 + 0.1²) = {values[0].abs():.5f}, and {values[0].abs():.5f}⁵⁰⁰ = {end:.1f}. A modulus a hair above 1 is enough. Chapter 01's smallest GAN takes exactly "
    "this step.",
)

# %% [markdown]
# ## Check yourself

# %%
quiz("00b.check")

# %% [markdown]
# ## What to keep
#
# - Losses are computed from logits, so that no logarithm of a rounded 0 is ever taken.
# - `detach`: same numbers, no gradient.
# - BatchNorm in train mode ties the images of a batch together. Sample in eval mode.
# - A density may exceed 1. An average of $N$ samples is off by about $1/\sqrt N$ standard deviations.
# - Repeated linear steps end where the largest $|\lambda|$ says.
#
# Further reading: PyTorch's own notes *Autograd mechanics* for what is recorded and when; Ioffe, Szegedy 2015
# ([arXiv:1502.03167](https://arxiv.org/abs/1502.03167)), section 3, for BatchNorm's two modes in the authors' words.

# %% id="progress"
progress("00b")
