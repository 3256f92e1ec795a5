"""Chapter 01's quizzes and its explanation."""

from __future__ import annotations

from course_lib.exercises.questions import EXPLANATIONS, QUIZZES, Explanation, Option, Question

QUIZZES["01.recall"] = [
    Question(
        "A discriminator returns the logit 0. Which probability of «real» is that?",
        [
            Option("0", False, "σ(0) is not 0: probability 0 would be the logit −∞."),
            Option("½", True, "σ(0) = 1/(1 + e⁰) = ½. Negative logits mean fake, positive ones real."),
            Option(
                "it depends on the threshold",
                False,
                "A threshold turns a probability into a verdict; σ(0) is ½ before any.",
            ),
        ],
    ),
    Question(
        "In the playground of chapter 00, what does the generator see of the blue circles, the real points?",
        [
            Option("All of them, in every step", False, "Only the discriminator is shown real points."),
            Option(
                "Nothing: what it learns comes through the discriminator's gradient",
                True,
                "The arrows on its samples are all it gets.",
            ),
            Option(
                "Their mean", False, "Nobody computes it. The arrows, D's gradient at the samples, are all it gets."
            ),
        ],
    ),
]
QUIZZES["01.check"] = [
    Question(
        "D is optimal and V = −1.386. What do you know?",
        [
            Option("D has not learned anything", False, "It is optimal: no discriminator does better here."),
            Option(
                "Samples and data have the same distribution",
                True,
                "V(D*, G) = 2·JSD − log 4, so JSD = 0. Without «optimal» it could as well be a poor discriminator.",
            ),
            Option(
                "The generator has collapsed",
                False,
                "A collapsed generator leaves JSD > 0, and an optimal D would show it.",
            ),
        ],
    ),
    Question(
        "Data and samples do not overlap. The generator moves its samples half the way towards the data. JSD …",
        [
            Option(
                "halves", False, "JSD knows only how much they overlap, not how far apart they are: it stays log 2."
            ),
            Option(
                "stays at log 2", True, "It has no slope there: a perfect D would give the generator nothing to follow."
            ),
            Option("falls a little", False, "Not before they overlap. W₁, chapter 03's distance, does fall."),
        ],
    ),
    Question(
        "The saturating and the non-saturating loss …",
        [
            Option(
                "are one game, written in two ways",
                False,
                "Same fixed point, another field: the slopes at a logit of −4 are −0.018 and −0.982.",
            ),
            Option(
                "have the same fixed point and different slopes",
                True,
                "And the second is no longer a zero-sum game: G's loss is not minus D's.",
            ),
            Option(
                "lead to different generators at the optimum", False, "Where D says ½ everywhere, both are satisfied."
            ),
        ],
    ),
    Question(
        "Dirac-GAN, simultaneous steps, no penalty. A step size ten times smaller …",
        [
            Option("makes it converge", False, "Each step still multiplies the distance by √(1 + h²) > 1."),
            Option("makes it circle", False, "Only in the limit h → 0. Any h > 0 spirals outwards."),
            Option(
                "makes it leave more slowly",
                True,
                "√(1 + h²): for the same number of steps about a hundredth of the growth.",
            ),
        ],
    ),
]
EXPLANATIONS["01.words"] = Explanation(
    prompt="Lesson exercise: explain the min-max game to a friend who knows what a probability is. Who wants what, and when is it over?",
    rubric=[
        "D sees real and generated points and says for each how probable «real» is; it wants a high log-likelihood of the truth (not merely many right verdicts).",
        "G turns noise into points and wants D to be wrong about them; it never sees the data, only D's gradient.",
        "For a fixed G the best D is p/(p + q), which depends on both densities and is neither 0 nor 1 where they overlap.",
        "With the best D, the game measures the Jensen-Shannon divergence; it is over where q = p and D says ½ everywhere.",
        "That such an end exists does not mean that taking turns leads there (Dirac-GAN).",
    ],
    example="A forger and an expert. The expert looks at a note and bets how likely it is to be genuine, and is paid by the logarithm of the probability she "
    "gave to the truth, so being sure and wrong is ruinous. Her best bet at each kind of note is the share of genuine ones among all that look like it, "
    "p/(p + q). The forger never sees a genuine note; he sees only which change of his own would have fooled her more. When his notes are distributed like "
    "the genuine ones she can only say one half. Whether their quarrel ends there is another matter: two players who each improve can go round in circles.",
)
