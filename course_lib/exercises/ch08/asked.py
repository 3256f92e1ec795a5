"""Chapter 08's quizzes and its explanation."""

from __future__ import annotations

from course_lib.exercises.questions import EXPLANATIONS, QUIZZES, Explanation, Option, Question

QUIZZES["08.recall"] = [
    Question(
        "Chapter 05: one normal is fitted to two humps by least KL(model‖data). It …",
        [
            Option("covers both humps", False, "That is the forward direction, KL(data‖model), which maximum likelihood minimises."),
            Option(
                "settles on one hump and pays log 2 for equal humps",
                True,
                "The reverse direction seeks: 0.693 nats for the half that it leaves out. In this chapter q(z|x) is fitted to a posterior in just this direction.",
            ),
            Option("has an infinite divergence", False, "Both densities are positive everywhere, so it is finite."),
        ],
    ),
    Question(
        "Chapter 07: the fully connected GAN of chapter 02 has precision 0.87 and recall 0.08 (k = 3, N = 10,000, the course's classifier). So it …",
        [
            Option("draws poor images of every kind", False, "Precision is the share of its images that lie among real ones: 0.87 is more than other photographs reach."),
            Option("draws plausible images of few kinds", True, "Most photographs lie in no ball of its samples. Remember both numbers: the VAE will give up precision and keep more recall."),
            Option("was measured wrongly, since both should be alike", False, "They are two different shares: of fakes among the real, and of real among the fakes."),
        ],
    ),
]  # fmt: skip
QUIZZES["08.check"] = [
    Question(
        "The gap between log p(x) and the ELBO is …",
        [
            Option("KL(q(z|x)‖p(z)), the second term", False, "That term is inside the ELBO. What is lost is the divergence from the posterior, which nobody sees."),
            Option("KL(q(z|x)‖p(z|x))", True, "So the bound is tight exactly where q is the posterior, whatever the KL to the prior is."),
            Option("the reconstruction error", False, "A perfect encoder still has a reconstruction error, and no gap."),
        ],
    ),
    Question(
        "Somebody averages squared error over 784 pixels and the KL over 20 latent dimensions, adds 0.1 times the one to the other, and writes β = 0.1. For σ² = ½ it is …",
        [
            Option("0.1", False, "Only if both terms are summed, as logarithms of products are."),
            Option("3.92", True, "784 · 0.1 / 20: relative to the sums the KL is weighed 39.2 times as much as the 0.1 says."),
            Option("0.0026", False, "The other way round: a mean over pixels makes the reconstruction light, and the KL heavy."),
        ],
    ),
    Question(
        "A latent dimension has a KL of 0.0005 nats on average over the test images. It …",
        [
            Option("is the best one: cheap and useful", False, "It carries next to nothing: q is the prior for every image."),
            Option("has collapsed: q ignores the image there", True, "The decoder learned to do without it, because its use would have cost more nats than it saves in reconstruction."),
            Option("shows mode collapse", False, "That is a GAN's generator that leaves data out. Here a dimension is unused."),
        ],
    ),
    Question(
        "The ELBO of one network on the same photographs is −238 nats with grey levels as probabilities and −137 nats with pixels cut to black and white. The network …",
        [
            Option("is 100 nats better on black and white", False, "Two different data sets: nats can be compared only where pixels mean the same."),
            Option("was asked two different questions", True, "A grey pixel under a Bernoulli costs its own entropy at least; a black or white one need not cost anything."),
            Option("was trained wrongly for one of them", False, "It was trained on grey levels, but the larger part of the difference is in the data: grey cannot be predicted for nothing."),
        ],
    ),
    Question(
        "Samples of a VAE with Bernoulli pixels are blurred because …",
        [
            Option("the decoder is too small", False, "A larger one helps a little. Where many images share a latent, even the best decoder answers with their mean."),
            Option("at one z many images have a share, and their mean is the least surprising answer", True, "The KL makes the posteriors overlap, the likelihood averages over who overlaps."),
            Option("binary cross-entropy is the wrong loss", False, "Squared error averages as well. What averages is any likelihood that treats pixels one by one, given z."),
        ],
    ),
]  # fmt: skip
EXPLANATIONS["08.words"] = Explanation(
    prompt="A friend trains a VAE and says: «the loss went down to 238, so the images must be good». What is that number, and what does it not say?",
    rubric=[
        "It is minus the ELBO in nats per image: reconstruction error plus KL, both summed, averaged over images only.",
        "It bounds −log p(x) from above; the gap is KL(q‖posterior) and is not known without an oracle or a tighter bound.",
        "It depends on the likelihood and on what a pixel means (grey, binarised, scaled), so it compares models on one reading of one data set.",
        "It says little about samples: a model can have a good bound and blurred samples, and the other way round (a GAN has no bound at all).",
        "Samples need metrics of their own: distance in features, precision, recall, coverage, at a stated N.",
    ],
    example="238 is what the model asks at most, in nats, to tell one of these images: so much for naming its latent (the KL), the rest for the pixels once the latent is "
    "known. The true −log p(x) is lower, by the divergence of the encoder's q from the posterior; with importance weights the bound comes nearer. The number is "
    "for 784 Bernoulli pixels with grey levels as probabilities; cut to black and white the same network has 137. And nothing in it looks at a sample: drawn "
    "from the prior, images come out as averages of whoever shares a latent. I would ask for the distance, precision and recall of 10,000 samples beside it.",
)
