"""Chapter 07's quizzes and its explanation."""

from __future__ import annotations

from course_lib.exercises.questions import EXPLANATIONS, QUIZZES, Explanation, Option, Question

QUIZZES["07.recall"] = [
    Question(
        "Chapter 02: the recorded DCGAN has a Fréchet distance of 0.44 to the test images, the fully connected GAN 5.96. Which of the two lacks diversity?",
        [
            Option(
                "the fully connected one: its distance is larger",
                False,
                "Its distance could as well come from ugly images: one number adds both faults up.",
            ),
            Option(
                "the numbers do not say",
                True,
                "A difference of means or of covariances has many causes. This chapter measures fidelity and diversity apart.",
            ),
            Option(
                "neither: both are trained on all classes",
                False,
                "What a generator was shown is not what it makes; collapse is just that.",
            ),
        ],
    ),
    Question(
        "Chapter 01: data and samples are two narrow humps that do not overlap. JSD at a distance of 2, and at 4?",
        [
            Option("1.39, then 2.77", False, "JSD never exceeds log 2."),
            Option("0.35, then 0.69", False, "It does not grow with distance once the humps are apart."),
            Option(
                "0.693 both times",
                True,
                "log 2. It asks how much two distributions overlap, as this chapter does, not how far apart they are.",
            ),
        ],
    ),
]
QUIZZES["07.check"] = [
    Question(
        "A generator repeats one perfect image 10,000 times. Precision and recall?",
        [
            Option("high and high", False, "Nearly all of the data lie in none of its balls, whose radii are 0."),
            Option("low and high", False, "Each of its samples lies in a real ball: precision is 1."),
            Option("high and low", True, "Precision 1, recall close to 0: perfect fidelity, no diversity."),
        ],
    ),
    Question(
        "Precision 0.95 with k = 10 and N = 2,000 in one paper, 0.88 with k = 3 and N = 10,000 in another. Which generator is more faithful?",
        [
            Option("the first", False, "Larger k and smaller N both widen the balls, so both raise the number."),
            Option("the second", False, "It may be, but these numbers do not show it."),
            Option(
                "cannot be told",
                True,
                "Compute both with one k, one N and one extractor, beside the same figures for held-out real images.",
            ),
        ],
    ),
    Question(
        "One real image in 1,000 is an outlier. Which measure can it ruin alone?",
        [
            Option(
                "precision",
                True,
                "Its ball is as wide as its distance to the k-th neighbour, and one ball is enough to be inside.",
            ),
            Option("density", False, "One ball adds at most 1/k to it: moved, not ruined."),
            Option("coverage", False, "It is one of 1,000 real points: at most 1/1,000."),
        ],
    ),
    Question(
        "Half of the fakes are replaced by noise far from everything. Recall …",
        [
            Option(
                "falls by about a half",
                False,
                "Recall asks about the real points; the good fakes still stand beside them.",
            ),
            Option(
                "does not fall much, and may rise",
                True,
                "Half of the balls remain, wider ones, and balls around the noise may be wide enough to hold data.",
            ),
            Option("falls to 0", False, "The other half still covers the data."),
        ],
    ),
    Question(
        "Blurred real images get a precision of 0.99 in pixel space. What do you conclude?",
        [
            Option(
                "blurring improves images",
                False,
                "In the classifier's features the same blur lowers precision: look at both.",
            ),
            Option(
                "the metric is broken",
                False,
                "It answers its question: blurred images lie inside the balls of sharp ones.",
            ),
            Option(
                "in pixel space the blurred ones lie near the middle of the data, where balls overlap",
                True,
                "Precision sees positions in one feature space. Name the space with the number.",
            ),
        ],
    ),
]
EXPLANATIONS["07.words"] = Explanation(
    prompt="A colleague writes: «Our GAN reaches precision 0.9 and recall 0.3, so 90 % of the images are realistic and we cover 30 % of the data.» Explain what the "
    "two numbers are, and what is missing.",
    rubric=[
        "Precision is a share of *generated* samples (inside the union of balls around real ones), recall a share of *real* samples (inside balls around generated ones).",
        "Balls are widest where samples are sparse: inside a ball is not the same as realistic.",
        "Both depend on k and on both Ns; they must be stated, and compared only where they agree.",
        "They depend on the extractor: blur raises precision in pixels and lowers it in features.",
        "The yardstick is not 1 but what held-out real images get under the same protocol.",
        "One outlier can raise either; density and coverage, with balls around the real points only, move less.",
    ],
    example="Around every real image, in some network's features, stands a ball that reaches its third neighbour. 0.9 is the share of generated images that lie in at "
    "least one of them; 0.3 is the share of real images that lie in at least one ball around a generated one. Neither is a share of realistic images: a ball is "
    "wide where data are sparse, and one outlier's ball can hold nearly everything. Tell me k, how many images of each kind, which features, and what held-out real "
    "images get, because that is seldom 1. A precision above theirs, with such a recall, says that the samples crowd in the middle of the data.",
)
