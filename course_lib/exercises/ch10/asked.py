"""Chapter 10's quizzes and its explanation."""

from __future__ import annotations

from course_lib.exercises.questions import EXPLANATIONS, QUIZZES, Explanation, Option, Question

QUIZZES["10.recall"] = [
    Question(
        "Chapter 06: a truncated normal with threshold 1 has a standard deviation of 0.540. A latent of 100 such numbers has a norm of about …",
        [
            Option("0.54", False, "That is one coordinate. The squares of 100 of them add up."),
            Option("5.4", True, "0.540·√100, where latents from the whole normal have about √100 = 10."),
            Option("10", False, "That is the norm of untruncated latents, √100."),
        ],
    ),
    Question(
        "Chapter 04: the means of two unit normals on a line are 2 apart, so d² = 4. The means of two others are 4 apart. Their d² is …",
        [
            Option("6", False, "Nothing is added."),
            Option("8", False, "A distance would double. d² is a squared distance."),
            Option("16", True, "Twice as far, four times d². LPIPS is a squared distance as well, and that is why ε² stands below it in this chapter."),
        ],
    ),
]  # fmt: skip
QUIZZES["10.check"] = [
    Question(
        "z₁ and z₂ are two latents from N(0, I) in 100 dimensions. ‖(z₁ + z₂)/2‖² is on average …",
        [
            Option("100", False, "That is ‖z₁‖². Each half contributes a quarter of it: 25 + 25, and the product is 0 on average."),
            Option("50", True, "d/2: the middle of the straight way is shorter by √½ than its ends."),
            Option("0", False, "The mean of (z₁ + z₂)/2 is 0; its squared norm is not."),
        ],
    ),
    Question(
        "A generator normalises z before it does anything else. Lerp or slerp in Z?",
        [
            Option("slerp, or the images in the middle are poor", False, "The norm is thrown away at once: the middle of the straight way is as good a latent as any."),
            Option("it makes no difference at all", False, "The images are the same ones, but lerp passes the middle of them faster."),
            Option("the same images, at another pace", True, "Normalised, both run along one arc. Only slerp does so evenly."),
        ],
    ),
    Question(
        "The path length of a generator is 400, of another 100, same distance, same protocol. The second …",
        [
            Option("draws better images", False, "A generator that draws one image for everything has 0."),
            Option("moves half as fast along its paths, in the mean of squares", True, "√400 = 20, √100 = 10 units of √d for a whole path at an even pace. What the images look like is another question."),
            Option("has paths whose ends are a quarter as far apart", False, "The ends only set the least that a way between them can have. A detour or a jump between the same two images costs more."),
        ],
    ),
    Question(
        "With ε = 10⁻⁴, a tool rounds the images to 256 grey levels before it compares them. Its path length, against one on floats, is …",
        [
            Option("the same: LPIPS does not see half a grey level", False, "Divided by ε² = 10⁻⁸ it sees nothing else."),
            Option("0: nothing moves", False, "Most pixels do not; those near a rounding border jump by a whole level."),
            Option("many times larger, and larger still for a smaller ε", True, "A move of δ grey levels becomes one whole level with probability δ: the mean square is δ instead of δ²."),
        ],
    ),
    Question(
        "Linear separability 2.0 for one attribute that half of the images have. The plane …",
        [
            Option("tells it perfectly", False, "That would be exp(0) = 1."),
            Option("tells nothing", True, "exp(log 2) = 2: which side a latent lies on leaves the attribute as open as before."),
            Option("tells half of the images", False, "A plane that is right for half of them by chance has told nothing."),
        ],
    ),
]  # fmt: skip
EXPLANATIONS["10.words"] = Explanation(
    prompt="The lesson asks: «Explain why spherical interpolation tends to produce smoother transitions than linear interpolation for Gaussian latents.» Answer it with what you "
    "measured: what slerp keeps, what was smoother here, and where the sentence does not hold.",
    rubric=[
        "In d dimensions nearly all latents have a norm close to √d; half-way on a straight line between two of them the squared norm is d/2.",
        "Such a short latent is one that the generator hardly ever met in training; slerp keeps the norm at what it was trained on.",
        "Lerp turns fastest in the middle, slerp at an even rate; on average over many pairs its steps are of more even size.",
        "For a single pair slerp's largest step need not be smaller: the generator, not the path, decides where an image jumps.",
        "A generator that normalises z, like StyleGAN, shows the same images on both ways, at another pace.",
        "In W nothing says that norms are typical: there the straight line is the standard, and is what the path length in W uses.",
    ],
    example="A normal latent in 100 dimensions has a norm near 10, and the mean of two has about 7.1: a straight line leaves the shell on which all training latents lie. Slerp stays on "
    "it and turns evenly, where lerp hurries through the middle. In my runs that made the steps of even size on average, and images in the middle a little surer; the largest step "
    "of a pair was as large with slerp as with lerp, and often stood at a border between two kinds of clothes, which both ways cross at nearly the same place. StyleGAN divides z by its norm, so both ways show the same "
    "images. And w is not normal: a straight line in W is what everybody uses, and what PPL in W measures.",
)
