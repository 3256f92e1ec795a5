"""Chapter 03b's quizzes and its explanation."""

from __future__ import annotations

from course_lib.exercises.questions import EXPLANATIONS, QUIZZES, Explanation, Option, Question

QUIZZES["03b.recall"] = [
    Question(
        "Chapter 01: both players of the Dirac game step at once, step size h = 0.1, no penalty. In 200 steps the distance from home grows by a factor of about …",
        [
            Option("1: a circle", False, "The arrows point along a circle, but a step along a tangent ends outside of it: √(1 + h²) further out, every time."),
            Option("2.7", True, "√(1.01) a step, so 1.01¹⁰⁰ = 2.70. This chapter asks which remedies bring that factor below 1."),
            Option("21", False, "1.1 a step would give far more, and h·200 = 20 would be steps added up in one direction. They turn: the growth is √(1 + h²) a step."),
        ],
    ),
    Question(
        "Chapter 03: a linear critic has ‖w‖ = 3. Its gradient penalty (without λ) at batch 64, and its R1 penalty (without γ)?",
        [
            Option("4 and 4.5", True, "(3 − 1)² and 3²/2, at any batch size: one slope for each image. One penalty wants a slope of 1, the other a slope of 0."),
            Option("529 and 4.5", False, "529 = (3·8 − 1)² takes one norm over the whole batch. Each image has a slope of its own."),
            Option("4 and 0", False, "R1 is half the squared slope at real images. It is 0 only for a critic that is flat there."),
        ],
    ),
]  # fmt: skip
QUIZZES["03b.check"] = [
    Question(
        "One simultaneous turn of a game multiplies (θ, ψ) by a matrix with the eigenvalues 0.9 ± 0.5i. The game …",
        [
            Option("comes home: 0.9 is below 1", False, "The modulus counts, √(0.9² + 0.5²) = 1.03. The part that turns lengthens too."),
            Option("leaves", True, "√(0.81 + 0.25) = 1.03 a turn, so ten times as far after about 80 turns."),
            Option("circles: the eigenvalues are a pair", False, "A pair only says that it turns. It circles if the modulus is exactly 1."),
        ],
    ),
    Question(
        "Every layer of a critic of four 3×3 convolutions is spectrally normalised. Its slope is …",
        [
            Option("at most 1", False, "That is so for matrices. Of a convolution the *reshaped kernel* is normalised, and patches overlap: the operator may stretch up to √9 = 3 times as much."),
            Option("at most 3⁴ = 81, and in practice far less", True, "√(h·w) for each layer is the worst case. Measured kernels reach about half of it, and the layers' worst directions do not line up."),
            Option("not bounded at all", False, "It is: by the product of the operators' norms, each of them at most 3."),
        ],
    ),
    Question(
        "Noisy labels, uniform in [0.7, 1], in place of a fixed 0.85. What changes in expectation?",
        [
            Option("D is regularised more strongly", False, "The loss is linear in the target, so the mean gradient is that of 0.85 exactly. What the noise adds is noise."),
            Option("Nothing: the expected gradient is the same", True, "Linear in t. Where it matters is the gradient's variance, a little larger."),
            Option("The best D becomes 0.7·p/(p + q)", False, "It becomes 0.85·p/(p + q): the mean of the targets."),
        ],
    ),
    Question(
        "For a week the losses of a run have stood at 1.2 and 0.8, hardly moving. What do you know about mode collapse?",
        [
            Option("It has not happened: a collapse would be seen", False, "A generator of one perfect image and a D that cannot tell it from the data give losses as steady as any. In the museum hangs a collapse whose losses stand near log 4 and log 2, as the healthy run's do."),
            Option("It has happened: healthy losses move", False, "They need not; in a healthy run they often settle."),
            Option("Nothing. Count modes, or measure recall", True, "A loss is a score against an opponent. Neither player is paid for variety, so neither loss shows it."),
        ],
    ),
    Question(
        "Samples jump from mode to mode as training goes on. You sample from averaged weights instead, and the picture is calm. The game …",
        [
            Option("has become stable", False, "The average does not play: the weights jump exactly as before."),
            Option("is as it was; you look at it through a slower lens", True, "Averaging does not change one step of the game. The mean of a circling path lies inside, which is worth having."),
            Option("is worse, since the average lags behind", False, "It lags, but it has no part in the game, for better or worse."),
        ],
    ),
]  # fmt: skip
EXPLANATIONS["03b.words"] = Explanation(
    prompt="A colleague writes: «We moved to WGAN-GP with averaged weights and two learning rates. The losses are flat now, so training is stable and mode collapse is gone.» Answer in a few sentences.",
    rubric=[
        "Flat losses are no evidence of diversity: neither player is paid for it. Count modes or measure recall, for several seeds.",
        "A gradient penalty bounds slopes. It does not prevent collapse: with a generator that is too fast, WGAN-GP puts all samples on one spot.",
        "Averaged weights do not take part in the game; they show its running mean.",
        "Two learning rates change the balance and can matter a great deal in practice, but on the Dirac game they leave the modulus at √(1 + h·h_d): the field is not bent inwards.",
        "What does lead home there is R1 with γ above the step size h (and below about 2/h), or, with alternating steps, negative momentum: a remedy is judged by its eigenvalues, or by a count.",
        "The critic must not use BatchNorm under the penalty, since its images are then coupled.",
    ],
    example="Flat losses say that neither player is gaining on the other, no more: neither is paid for variety, so a generator with a single image can have them too. The penalty bounds your critic's slope, which keeps "
    "gradients useful, but a generator that is too fast for its critic collapses all the same. Averaged weights are a calmer look at the same game, and two learning rates shift its balance without turning it inwards; on the "
    "Dirac game its modulus stays above 1. So count: which modes, what recall, five seeds. And check that there is no BatchNorm in the critic.",
)
