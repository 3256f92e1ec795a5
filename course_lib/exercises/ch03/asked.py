"""Chapter 03's quizzes and its explanation."""

from __future__ import annotations

from course_lib.exercises.questions import EXPLANATIONS, QUIZZES, Explanation, Option, Question

QUIZZES["03.recall"] = [
    Question(
        "Chapter 01: D is sure of a fake, its logit is −4. The slope of the saturating loss there, and that of the non-saturating one?",
        [
            Option("−0.018 and −0.982", True, "−σ(−4) and −(1 − σ(−4)). This chapter draws such a curve for six losses."),
            Option("−0.982 and −0.018", False, "The other way round: it is the saturating loss that dies where D is sure."),
            Option("−0.5 for both", False, "That is the slope at a logit of 0, where D cannot decide."),
        ],
    ),
    Question(
        "Chapters 01 and 02: nothing can be told apart. The loss of D (both terms added) and that of a non-saturating G?",
        [
            Option("0 and 0", False, "0 would be a D that is always right and sure, and a G that always fools it."),
            Option("1.386 and 0.693", True, "log 4 and log 2, in nats. Other losses have other numbers there, as you will see."),
            Option("0.5 and 0.5", False, "½ is the probability that D says. Its cost is −log ½ = 0.693 for each kind."),
        ],
    ),
]  # fmt: skip
QUIZZES["03.check"] = [
    Question(
        "Data and samples do not touch. The generator moves half of the way towards the data. JSD and W₁ …",
        [
            Option("both halve", False, "JSD knows overlap only: log 2 before and after."),
            Option("JSD stays log 2, W₁ halves", True, "That is why one of them has a slope for the generator and the other has none."),
            Option("JSD halves, W₁ stays", False, "The other way round."),
        ],
    ),
    Question(
        "A log of a WGAN with clipped weights says: critic's loss −0.0065. So W₁ between data and samples is …",
        [
            Option("0.0065", False, "Only a critic of slope 1, and the best of those, has the loss −W₁. Clipping leaves a slope that nobody chose."),
            Option("unknown from this number", True, "The claim is slope times distance, and less than that if the critic is not the best: clipped at 0.1 instead of 0.01, the same heaps gave a number about a thousand times as large."),
            Option("at least 0.0065", False, "It would be if the slope were at most 1. At 0.1 the same critic claimed more than W₁."),
        ],
    ),
    Question(
        "A penalty on the critic returns 4 for a linear critic with ‖w‖ = 3 at batch 1, and 121 at batch 16. What was computed?",
        [
            Option("The gradient of the mean logit", False, "That divides slopes by the batch size: it falls to 0.66 at batch 16."),
            Option("One norm over all images together", True, "3·√16 = 12, and (12 − 1)² = 121. Each image has a slope of its own."),
            Option("Nothing wrong: larger batches, larger penalties", False, "A mean over images does not grow with their number: 4 at any batch."),
        ],
    ),
    Question(
        "Why can the hinge loss not tell how far disjoint heaps are apart, if its critic is unbounded?",
        [
            Option("Because its generator has no hinge", False, "The generator's loss is the Wasserstein one, −E D(G(z)). It is the critic's loss that stops."),
            Option("Because ±1 everywhere satisfies it", True, "The best critic says +1 on one heap and −1 on the other, at any distance: least loss 0. With a bounded slope, it needs room for the step from −1 to 1."),
            Option("It can: it is a version of the Wasserstein loss", False, "Its least value is 2·(1 − total variation): an overlap, like JSD, not a distance."),
        ],
    ),
    Question(
        "Run A (hinge) ends with a critic's loss of 1.6, run B (least squares) with 0.24. Which one is nearer to its equilibrium?",
        [
            Option("B: 0.24 is smaller", False, "The numbers are in different units: undecided is 2 for the hinge and ¼ for least squares."),
            Option("A: 1.6 is larger", False, "Larger and smaller mean nothing across losses; each has its own value where nothing can be told apart."),
            Option("B: 0.24 of 0.25 against 1.6 of 2", True, "Each against its own undecided value. And neither number says anything about the samples' quality or diversity."),
        ],
    ),
]  # fmt: skip
EXPLANATIONS["03.words"] = Explanation(
    prompt="A friend says: «I switched from cross-entropy to the Wasserstein loss, so my critic's loss is now a distance and mode collapse is solved.» Answer in a few sentences.",
    rubric=[
        "The difference of mean scores is a distance (W₁) only for the best critic among those of slope at most 1 everywhere.",
        "Clipping bounds the slope by an unknown number, and a penalty lets it exceed 1: the claim is a multiple of something, and the multiple changes with architecture and training.",
        "What W₁ does give is a slope where real and fake do not overlap, where JSD is flat at log 2.",
        "Without any bound the Wasserstein critic's loss has no lower end, and an unbounded hinge critic sees an overlap only.",
        "Mode collapse is a matter of measurement: modes counted, recall, several seeds; the loss curve does not show it, and no loss rules it out.",
    ],
    example="Your critic's loss would be minus the earth mover's distance if it were the best of all critics whose slope is nowhere above 1. Clipped weights give it some other slope, "
    "nobody knows which, and it is seldom the best one, so compare its loss with nothing, not even with another run of yours. What you did gain is a slope: where samples and "
    "data do not touch, the cross-entropy's divergence is log 2 and flat, and W₁ still says which way to go. As for collapse, count: which modes, how many seeds, what recall. "
    "The loss does not say.",
)
