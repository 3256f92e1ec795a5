"""Chapter 02's quizzes and its explanation."""

from __future__ import annotations

from course_lib.exercises.questions import EXPLANATIONS, QUIZZES, Explanation, Option, Question

QUIZZES["02.recall"] = [
    Question(
        "A discriminator cannot tell real from fake at all. What is its loss, the sum of both cross-entropy terms?",
        [
            Option("0", False, "0 is the loss of a discriminator that is always right and always sure."),
            Option("0.693", False, "log 2 is one of the two terms: each is −log ½."),
            Option(
                "1.386",
                True,
                "log 4: both terms are −log ½ = 0.693. A plotted 0.69 is usually the mean of both: read the axis.",
            ),
        ],
    ),
    Question(
        "At a fake's logit of −4 (D is sure), which generator loss still has a slope worth following?",
        [
            Option(
                "log(1 − D(G(z))), the saturating one",
                False,
                "Its slope there is −σ(−4) = −0.018: it dies where it is needed.",
            ),
            Option("−log D(G(z)), the non-saturating one", True, "Its slope is −(1 − σ(−4)) = −0.982."),
            Option(
                "both alike, they have the same optimum",
                False,
                "The same fixed point, but another field: −0.018 against −0.982.",
            ),
        ],
    ),
]
QUIZZES["02.check"] = [
    Question(
        "Why does a DCGAN's generator end in Tanh?",
        [
            Option(
                "Training images are scaled to [−1, 1], and so must its output be",
                True,
                "A range that D could tell apart by would be a give-away.",
            ),
            Option(
                "Tanh has larger gradients than ReLU",
                False,
                "Near ±1 its gradient vanishes; it is there for the range.",
            ),
            Option(
                "BatchNorm needs it",
                False,
                "There is no BatchNorm at the output: it would tie the images of a batch together.",
            ),
        ],
    ),
    Question(
        "Samples of the same latent differ from call to call. What was forgotten?",
        [
            Option("A fixed seed", False, "The latent is the same; a seed changes nothing after it."),
            Option(
                "eval()",
                True,
                "In train mode BatchNorm normalises with the batch, so each image depends on its neighbours, and every call "
                "moves the running statistics.",
            ),
            Option("detach()", False, "detach changes gradients, never values."),
        ],
    ),
    Question(
        "In the recorded run the generator's loss rises while its images get better. How can that be?",
        [
            Option("The run has diverged", False, "Then the images would suffer too."),
            Option(
                "The loss is measured against an opponent that improves as well",
                True,
                "It says how today's D fares against today's G: a score against a moving opponent, not a height.",
            ),
            Option(
                "The images only seem better",
                False,
                "The Fréchet distance of the recorded run fell all the while: see the figure.",
            ),
        ],
    ),
]
EXPLANATIONS["02.why_no_convergence"] = Explanation(
    prompt="Lesson exercise: does either loss of a GAN converge, and what does that tell you about the game?",
    rubric=[
        "Neither loss falls to a minimum of its own: each player's loss depends on the other's weights.",
        "A loss is therefore no measure of image quality; another measure is needed for that (samples, a distance).",
        "The value where nothing can be told apart (1.386 for D's sum, 0.693 for G) is a reference, and the run's place against it says who leads.",
        "A steady loss may mean balance or a standstill: the curve alone cannot tell, nor can it show missing variety.",
    ],
    example="Each network's loss is computed with the other one's present weights, so a better turn for one is a worse one for the other and neither has a "
    "minimum of its own to settle in. In the recorded run D's loss is below 1.386 at nearly every logged step: D is ahead, while the distance between "
    "samples and data keeps falling. So the curves tell who is ahead, not how good the images are, and nothing about variety.",
)
