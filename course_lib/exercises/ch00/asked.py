"""The quizzes of chapters 00 and 00b."""

from __future__ import annotations

from course_lib.exercises.questions import QUIZZES, Option, Question

QUIZZES["00.check"] = [
    Question(
        "What is the generator shown while it trains?",
        [
            Option("Photographs, one after another", False, "Only the discriminator is shown photographs."),
            Option(
                "Random vectors; what it learns comes through the discriminator's gradient",
                True,
                "The arrows of the playground are that gradient.",
            ),
            Option(
                "The discriminator's mistakes on photographs",
                False,
                "Its own loss is computed on its own samples alone.",
            ),
        ],
    ),
    Question(
        "The discriminator's logit of an image is −3. It thinks the image is …",
        [
            Option("fake, and is fairly sure", True, "σ(−3) = 0.047: under 5 % for real."),
            Option("real with probability 3/4", False, "That is the logit log 3 = 1.1."),
            Option("undecided", False, "Undecided is the logit 0."),
        ],
    ),
    Question(
        "You leave an exercise empty and run everything. What happens?",
        [
            Option("The chapter stops there", False, "It never does: the library's function stands in."),
            Option(
                "The library's function stands in, and the chapter says so",
                True,
                "And as soon as yours is right, the chapter runs on yours.",
            ),
            Option("The answer counts as wrong", False, "It counts as not attempted."),
        ],
    ),
]
QUIZZES["00b.check"] = [
    Question(
        "Why do the course's discriminators return logits and not probabilities?",
        [
            Option(
                "Logits train faster", False, "The numbers mean the same; what differs is what rounding does to them."
            ),
            Option(
                "The loss can then avoid the logarithm of a rounded 0",
                True,
                "σ(−200) is 0 in float32; log σ(−200) = −200 is fine.",
            ),
            Option("Probabilities need a softmax", False, "For two outcomes the sigmoid is one."),
        ],
    ),
    Question(
        "`loss = (d(fake.detach())).mean()`. After `loss.backward()`, whose weights have gradients?",
        [
            Option("D's alone", True, "The fakes are constants for it, so nothing reaches the generator."),
            Option("G's alone", False, "detach cuts exactly the way to G."),
            Option("both", False, "Without detach it would be both."),
            Option("nobody's", False, "detach cuts behind the fakes; D's own weights are still in the graph."),
        ],
    ),
    Question(
        "One step multiplies by a matrix with eigenvalues 0.99 ± 0.1i. Repeated, it …",
        [
            Option("spirals inwards", True, "|λ| = √(0.99² + 0.1²) = 0.995 < 1, and the imaginary part turns it."),
            Option("spirals outwards", False, "√(0.99² + 0.1²) = 0.995, which is below 1."),
            Option("goes straight to 0", False, "It shrinks, but the imaginary part turns it on the way."),
        ],
    ),
]
