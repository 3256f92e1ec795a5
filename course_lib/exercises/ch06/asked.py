"""Chapter 06's quizzes and its explanation."""

from __future__ import annotations

from course_lib.exercises.questions import EXPLANATIONS, QUIZZES, Explanation, Option, Question

QUIZZES["06.recall"] = [
    Question(
        "Chapter 04: the Fréchet distance compares means and covariances of features. Samples are all perfect, but half of the classes are missing. The distance is …",
        [
            Option(
                "0: every sample is perfect", False, "It looks at no single sample, only at the whole set's moments."
            ),
            Option(
                "large",
                True,
                "Mean and covariance of half of the classes are not those of all: diversity is in the number, mixed with fidelity.",
            ),
            Option("negative", False, "It is a squared distance."),
        ],
    ),
    Question(
        "Chapter 05: ten classes, all equally frequent among the samples. The entropy of the class shares?",
        [
            Option("0", False, "0 is a single class."),
            Option("log 10 = 2.303", True, "The most that ten classes can have; this chapter watches it fall."),
            Option("1", False, "That would be the entropy divided by its largest value."),
        ],
    ),
]
QUIZZES["06.check"] = [
    Question(
        "A colleague samples with z.clamp(-1, 1) and writes «truncation 1.0». Compared with truncation at 1 the latents are …",
        [
            Option(
                "the same",
                False,
                "A third of the numbers stand exactly on the edge, where the truncated normal has next to none.",
            ),
            Option(
                "longer, and less strongly cut",
                True,
                "Deviation 0.72 instead of 0.54, because what lies outside goes to the edge and not back into the middle.",
            ),
            Option("shorter", False, "What lies outside is put at the outermost place that is allowed."),
        ],
    ),
    Question(
        "The mode of a 512-dimensional normal distribution is at 0. Is G(0) a typical image?",
        [
            Option(
                "yes, the most typical one",
                False,
                "The most probable point is not where the probability is: norms are near √512 = 22.6.",
            ),
            Option(
                "no: no latent of training was near 0",
                True,
                "Nearly all of the mass lies in a thin shell. What the network draws at 0 was never judged.",
            ),
            Option(
                "yes, if the generator has BatchNorm",
                False,
                "BatchNorm in eval mode uses running statistics; it does not move a latent.",
            ),
        ],
    ),
    Question(
        "With ψ = 0 a StyleGAN gives …",
        [
            Option(
                "the image of z = 0",
                False,
                "w̄ is the mean of mapped latents, and a mapping is not linear: it is not mapping(0).",
            ),
            Option(
                "one and the same image for every z",
                True,
                "All styles are w̄. Precision of one image, and no diversity at all.",
            ),
            Option("noise", False, "The mean style is a style like others, often a very plain image."),
        ],
    ),
    Question(
        "Two generators: HYPE-time 80 ms and 400 ms. Which is better?",
        [
            Option("80 ms: it is faster", False, "It is seen through after a glance."),
            Option("400 ms", True, "People need five times as long until three of four answers are right."),
            Option(
                "they are equal if HYPE∞ is",
                False,
                "They measure different things: what a glance shows, and what patience shows.",
            ),
        ],
    ),
    Question(
        "You alone answered 100 images, 30 wrongly. What does the bootstrap interval over the answers tell?",
        [
            Option(
                "what other people would score",
                False,
                "Only one person was drawn; nothing here knows how people differ.",
            ),
            Option(
                "what you would score on other images",
                True,
                "The images were drawn at random, so they are what can be redrawn.",
            ),
            Option("nothing", False, "It tells how far 100 images are from all images, for you."),
        ],
    ),
]
EXPLANATIONS["06.words"] = Explanation(
    prompt="A paper shows samples «with truncation 0.5» and says: «Truncation removes low-quality samples.» Explain what truncation does, and what you would ask for.",
    rubric=[
        "It draws latents from a narrower distribution: each number again until it lies inside the threshold.",
        "It selects by place in latent space, not by quality; what lies near the middle stays, good or bad.",
        "In many dimensions it makes every latent shorter than those of training.",
        "Fidelity may rise or fall: that is a measurement for this generator, as a curve over thresholds.",
        "The price is diversity: coverage or recall, class entropy, and a larger Fréchet distance.",
        "Ask which trick (threshold in z or ψ in W), its value, and whether the reported numbers were measured with it.",
    ],
    example="Truncation does not look at images at all. It draws each latent number again until it lies between −0.5 and 0.5, so latents come from a narrower distribution than in "
    "training, with less than a third of their usual length. If this generator happens to be good there, precision rises; the DCGAN of the course gets worse. What is "
    "certain is the loss: fewer photographs are covered, class shares shift, the Fréchet distance grows. I would ask for precision and coverage over several thresholds, for the distance "
    "at the very threshold of the pictures, and whether the 0.5 is a threshold in z or a factor ψ in W.",
)
