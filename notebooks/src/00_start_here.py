# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 00 · Start here: what does a generator do, and how does this course work?
#
# Two networks play against each other, and one of them learns to draw. In a quarter of an hour you will have moved the finished one,
# watched a small one learn, fooled it into failing, and written your first answer.
#
# **How it works.** *Predict* before you run; *run* (Shift+Enter); *look*; then *explain*. Where a cell says `...  # your code`, you
# write a few lines, and the course judges them by their properties, says which mistake they look like, and **goes on with your
# code**. A cell that you leave empty is filled by the library, so *Run → Run All Cells* always works. Nothing you do is sent anywhere, and
# nothing here can be broken: your copy of the chapters is yours.

# %% id="imports"
import torch
from course_lib import doctor, plots, widgets, zoo
from course_lib.exercises import chapter_map, exercise, predict, progress, quiz, reveal
from course_lib.training.game2d import SHAPES, Game2D

# %% [markdown]
# ## Is everything there?
#
# One line for each thing the course needs. A line that says FAIL also says the one command that mends it.

# %% id="doctor"
problems = doctor.main(doctor.FOR_LEARNERS)

# %% [markdown]
# ## One minute with a finished generator
#
# A [generator](../docs/glossary.md#generator) takes a list of random numbers, a [latent vector](../docs/glossary.md#latent-vector), and returns an
# image. This one has seen no photograph in its life: it learned from a [discriminator](../docs/glossary.md#discriminator), a second network that was
# shown 60,000 photographs of clothes and told it, again and again, what gave its fakes away. Together they are a
# [generative adversarial network](../docs/glossary.md#generative-adversarial-network). Chapter 02 trains it; here you only move it.
#
# Drag **A → B**: you walk from one vector to another. The boot does not fade away behind a pullover: it changes its shape until it is one.

# %% id="explorer"
generator, card = zoo.load("dcgan-fashion")
explorer = widgets.latent_explorer(generator, directions=3, seed=8)
explorer

# %% [markdown]
# Every trained network here has a card that says how it came to be. Numbers in this course carry what they were measured on:

# %% id="card"
metrics = card["metrics"]
print(card["summary"])
print(
    f"{card['minutes']:.0f} minutes on {card['hardware']['device']}, data {card['data']['name']} ({card['data']['sha256'][:12]}…)"
)
print(
    f"a classifier is sure of {metrics['sure']:.0%} of {metrics['n']:,} of its images; of {metrics['real_sure']:.0%} of as many photographs"
)

# %% [markdown]
# Walking works because what was learned is a whole [latent space](../docs/glossary.md#latent-space), in which every point is an image, and not a list of
# memories. A model that new samples can be drawn from is a [generative model](../docs/glossary.md#generative-model).

# %% [markdown]
# ## Your first answer
#
# What a discriminator returns is one number for each image, a **logit**: above 0 it leans towards *real*, below 0 towards *fake*. The
# probability of real is $\sigma(l) = 1/(1 + e^{-l})$. Write it for a tensor of logits. Then try it wrong on purpose: write
# `torch.exp(logits) / (1 + torch.exp(logits))`, run, and read what the card says.


# %%
@exercise("00.probability")
def probability(logits):
    """The probability of "real" for each logit, 1 / (1 + exp(−logit)).

    logits: tensor of any shape, any numbers, also ±200.  Returns a tensor of the same shape, between 0 and 1."""
    ...  # your code


# %% id="probability-figure"
logits = torch.linspace(-8, 8, 161)
at_two = probability(torch.tensor([2.0])).item()
plots.curves(
    logits.tolist(),
    {"probability of real": probability(logits).tolist()},
    title=f"At a logit of 0 it cannot tell, at 2 it is {at_two:.0%} sure",
    xlabel="logit",
    ylabel="probability",
)

# %% [markdown]
# ## A game you can watch
#
# The same game with points instead of photographs. Blue circles are the data. Orange diamonds are what the generator makes of 256
# latent vectors. The colour says what the discriminator thinks of each place, blue for real, orange for fake, and the arrows say where
# the generator's loss would move its points. **Press play.**
#
# Try: another data shape, your own points, *one step* at a time. Then try to break it: a learning rate of the generator a hundred times
# that of the discriminator, say. *start over* mends everything.

# %% id="playground"
playground = widgets.playground("ring of 8")
playground

# %% [markdown]
# **Predict.** The same game without a window: after 1,500 steps, how many of the eight humps will the generator have found?

# %%
predict("00.modes", ["one or two", "about half", "all eight"])

# %% id="count-modes"
game = Game2D(SHAPES["ring of 8"]())
found = {}
for step in range(1, 1501):
    game.step()
    if step in (100, 300, 1500):
        found[step] = game.modes_found()[0]
found

# %% id="reveal-modes"
at_end = found[1500]
reveal(
    "00.modes",
    "all eight" if at_end == 8 else "about half" if at_end > 2 else "one or two",
    f"{found[100]} after 100 steps, {found[300]} after 300, {at_end} after 1,500: a hump counts as found when one of 256 samples lies within three standard "
    "deviations of its middle. Chapter 03b counts over five seeds, where it goes wrong, and why.",
)

# %% [markdown]
# ## Check yourself

# %%
quiz("00.check")

# %% [markdown]
# ## The map
#
# In this order, or follow your curiosity: what a chapter needs stands at its top. Chapter 00b is a primer of five pages, for whoever wants to be
# sure of logits, `detach`, BatchNorm, densities and eigenvalues first.

# %% id="map"
chapter_map()

# %% [markdown]
# Each term of the course, in one line. Terms are linked where a chapter first uses them; here you can search all of them (in a terminal:
# `gan-course glossary`).

# %% id="glossary"
widgets.glossary()

# %% [markdown]
# ## What to keep
#
# - The generator turns random vectors into images and is shown no photograph; all it learns comes through the discriminator.
# - The discriminator returns logits; σ makes probabilities of them.
# - Predict, run, look, explain. The chapters run on your code.
#
# Further reading: Goodfellow et al. 2014 ([arXiv:1406.2661](https://arxiv.org/abs/1406.2661)), the paper that began it, is short and good
# to have read once before chapter 01 and once after.

# %% id="progress"
progress("00")
