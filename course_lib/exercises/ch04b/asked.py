"""Chapter 04b's quizzes and its explanation."""

from __future__ import annotations

from course_lib.exercises.questions import EXPLANATIONS, QUIZZES, Explanation, Option, Question

QUIZZES["04b.recall"] = [
    Question(
        "The squared Fréchet distance between N(0, I₈) and N(½, 4I₈), every mean ½, is …",
        [
            Option("2", False, "That is the means' part alone: 8·(½)²."),
            Option("10", True, "8·(½)² + 8·(2 − 1)² = 2 + 8."),
            Option(
                "26",
                False,
                "8·(4 − 1)… is the difference of the variances. The distance takes that of the deviations: 8·(2 − 1)² = 8.",
            ),
        ],
    ),
    Question(
        "In chapter 02's recorded run the generator's loss rose while the distance to the data fell. What follows?",
        [
            Option(
                "The loss is a poor measure of image quality",
                True,
                "It is a score against an opponent that learns too. So something else must measure: this chapter.",
            ),
            Option("The distance is wrong", False, "The images did get better: look at the scrubber."),
            Option("The run diverged", False, "Then the images would suffer."),
        ],
    ),
]
QUIZZES["04b.check"] = [
    Question(
        "Paper A reports FID 12.1 at N = 5,000, paper B 11.4 at N = 50,000, same data and tool. Which generator is better?",
        [
            Option("B's", False, "The smaller N adds a positive bias of its own: A may well be better."),
            Option("A's", False, "It may be, but these numbers do not say so."),
            Option(
                "These numbers cannot tell",
                True,
                "The bias is about c/N with a c that depends on the generator. Compare at one N, or extrapolate both.",
            ),
        ],
    ),
    Question(
        "A set of samples has FID 0 to the training set. It could be …",
        [
            Option(
                "the training set itself",
                True,
                "Copies have the same two moments. FID does not know what was in the training set.",
            ),
            Option(
                "only a perfect generator",
                False,
                "Two moments of one network's features agree; images may differ in anything else, or be copies.",
            ),
            Option("nothing: FID is never 0", False, "For copies it is, to rounding."),
        ],
    ),
    Question(
        "Why is KID allowed to be negative?",
        [
            Option("A bug of the implementation", False, "A clipped KID would be biased."),
            Option(
                "It is an unbiased estimate of a number near 0",
                True,
                "If the truth is 0, some estimates must lie below, or their mean would be above it.",
            ),
            Option(
                "The kernel can be negative",
                False,
                "It can, but even with a positive kernel the unbiased estimate goes below 0.",
            ),
        ],
    ),
]
EXPLANATIONS["04b.trust"] = Explanation(
    prompt="A colleague sends you one line: «our FID is 7.3». Which questions do you ask before you believe that it is good, and why each?",
    rubric=[
        "How many samples, and how many real images: FID is biased upwards by about c/N.",
        "Which tool or protocol: resize, network, weights and scaling change the digits.",
        "Against which set: training or test images, and what the floor between those two is at the same N.",
        "How much it varies between seeds, or an interval.",
        "What it cannot see: copies of the training set, anything beyond two moments of these features.",
    ],
    example="N and protocol first: at N = 1,000 a perfect generator would have a larger FID than that. Then the reference set, and the distance between training and test "
    "images at the same N, since no generator need go below it. Then seeds. And at last a check that FID cannot make: are the samples new, or near-copies of training images?",
)
