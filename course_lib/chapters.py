"""The course as one table: every chapter in order, written or still to come. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass

from course_lib.files import ROOT


@dataclass(frozen=True)
class Chapter:
    """One notebook of the course.

    number:          as in its file name and in the ids of its exercises, such as "03b"
    question:        what the chapter answers;  you_build: what the learner writes in it
    minutes_reading: a sitting with its exercises, computing included, as the chapter's first cell says; its authors'
                     estimate, no class has been timed
    seconds:         of computing, measured on two cores in the laptop profile; None until measured
    stem:            of the file in notebooks/; None while nobody has begun it
    """

    number: str
    title: str
    question: str
    you_build: str
    minutes_reading: int | None = None
    seconds: int | None = None
    stem: str | None = None

    @property
    def written(self) -> bool:
        """Whether its notebook is there."""
        return self.stem is not None and (ROOT / "notebooks" / f"{self.stem}.ipynb").exists()

    @property
    def name(self) -> str:
        """Number and title, as every list of chapters says them."""
        return f"{self.number} {self.title}"


CHAPTERS: tuple[Chapter, ...] = (
    Chapter(
        "00",
        "Start here",
        "What does a generator do, and how does this course work?",
        "your first answer, from logits to probabilities; you move a trained generator and watch a small one learn",
        minutes_reading=15,
        seconds=10,
        stem="00_start_here",
    ),
    Chapter(
        "00b",
        "Primer",
        "Which five things does the course take for granted?",
        "nothing: one prediction on each",
        minutes_reading=20,
        seconds=5,
        stem="00b_primer",
    ),
    Chapter(
        "01",
        "The min-max game",
        "What are the two players playing for?",
        "the game's value, its best discriminator, JSD, both generator losses, two steps of the smallest GAN",
        minutes_reading=60,
        seconds=20,
        stem="01_min_max_game",
    ),
    Chapter(
        "02",
        "DCGAN",
        "How does noise learn to become a shoe?",
        "both players' steps, the upsampling block, the initialisation",
        minutes_reading=60,
        seconds=120,
        stem="02_dcgan",
    ),
    Chapter(
        "03",
        "Losses",
        "What should a critic be asked, if real and fake do not even touch?",
        "W₁ on a line, three pairs of losses, weight clipping, the gradient penalty",
        minutes_reading=60,
        seconds=40,
        stem="03_losses",
    ),
    Chapter(
        "03b",
        "Stability",
        "Which remedies lead home, and which only look as if they did?",
        "the growth of a game, power iteration, label smoothing, a count of modes, averaged weights, minibatch standard deviation",
        minutes_reading=75,
        seconds=35,
        stem="03b_stability",
    ),
    Chapter(
        "04",
        "From covariance to FID",
        "How far apart are two heaps of images?",
        "covariance, the Fréchet distance in one and many dimensions, the trace of a matrix root, FID",
        minutes_reading=60,
        seconds=92,
        stem="04_covariance_to_fid",
    ),
    Chapter(
        "04b",
        "Measuring well",
        "What does a distance of 7.3 mean?",
        "FID at infinity, an unbiased KID, a bootstrap interval, a test for memorised images",
        minutes_reading=60,
        seconds=11,
        stem="04b_measuring_well",
    ),
    Chapter(
        "05",
        "KL and the Inception Score",
        "How surprised is one distribution by another?",
        "entropy, cross-entropy, KL, the Inception Score, its splits, and a set of images that games it",
        minutes_reading=60,
        seconds=21,
        stem="05_kl_inception_score",
    ),
    Chapter(
        "06",
        "Sampling and truncation",
        "What does a better-looking sample cost?",
        "the truncated normal, ψ-truncation, the trade-off curve, HYPE's estimator",
        minutes_reading=60,
        seconds=30,
        stem="06_truncation",
    ),
    Chapter(
        "07",
        "Precision and recall",
        "Is it the fidelity that is missing, or the diversity?",
        "neighbour radii, manifold membership, precision and recall, density and coverage, PRD curves",
        minutes_reading=60,
        seconds=16,
        stem="07_precision_recall",
    ),
    Chapter(
        "08",
        "VAE and the ELBO",
        "What can a model without an opponent do that a GAN cannot?",
        "reparameterisation, the Gaussian KL, the reconstruction term, the ELBO, the importance-weighted bound",
        minutes_reading=75,
        seconds=60,
        stem="08_vae_and_elbo",
    ),
    Chapter(
        "09",
        "StyleGAN: architecture",
        "What is gained by mapping the noise first?",
        "AdaIN, fade-in, pixel normalisation and mapping, the equalised learning rate",
        minutes_reading=60,
        seconds=60,
        stem="09_stylegan",
    ),
    Chapter(
        "09b",
        "StyleGAN: control",
        "Which layer decides what?",
        "noise injection, style mixing, the mean of w and truncation",
        minutes_reading=45,
        seconds=30,
        stem="09b_stylegan_control",
    ),
    Chapter(
        "10",
        "Interpolation and perceptual path length",
        "Is the way between two images a smooth one?",
        "lerp, slerp, the normalisation of LPIPS, perceptual path length",
        minutes_reading=75,
        seconds=40,
        stem="10_interpolation_and_ppl",
    ),
    Chapter(
        "11",
        "Exploring the latent space",
        "Can one thing be changed without changing the rest?",
        "a direction from labels, orthogonal directions, a step of inversion, the score of an edit",
    ),
    Chapter(
        "12",
        "Bias",
        "What does a generator make of a skewed data set?",
        "a corrected prevalence, a bootstrap interval, reweighting",
    ),
    Chapter(
        "13",
        "Capstone: your own images",
        "What may you say about a generator that you trained yourself?",
        "a filter that hides nothing, a memorisation check, the reading of three reports",
    ),
)


def get(number: str) -> Chapter:
    """The chapter of that number. raises: ValueError if there is none"""
    for chapter in CHAPTERS:
        if chapter.number == number:
            return chapter
    raise ValueError(f"number: expected one of {', '.join(each.number for each in CHAPTERS)}, got {number!r}")
