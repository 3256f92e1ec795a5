"""Chapter 09b's quizzes and its explanation."""

from __future__ import annotations

from course_lib.exercises.questions import EXPLANATIONS, QUIZZES, Explanation, Option, Question

QUIZZES["09b.recall"] = [
    Question(
        "Chapter 09: mapping layers with default initialisation. From one latent to another, an entry of w varied by about …",
        [
            Option("0.6", False, "That was StyleGAN's own mapping: scaled weights, √2 behind the leaky ReLU."),
            Option("0.03", False, "Eight layers keep 0.42 of the deviation each."),
            Option(
                "0.0005",
                True,
                "All latents arrive at one point. In this chapter the middle of W is sought on purpose, and approached as far as one likes.",
            ),
        ],
    ),
    Question(
        "Chapter 09: you multiplied what enters AdaIN by 7. What came out …",
        [
            Option(
                "was the same",
                True,
                "Each AdaIN overwrites what the style before it had set. So a layer can be given another latent's style, and nothing of the first one's scale leaks past it.",
            ),
            Option("was 7 times as large", False, "The deviation it is divided by grows by 7 too."),
            Option("depended on the batch", False, "Instance statistics look at one map of one image."),
        ],
    ),
]
QUIZZES["09b.check"] = [
    Question(
        "Two images share w and differ in their noise. They differ in …",
        [
            Option(
                "hair and skin",
                False,
                "Those follow w: with other noise the classifier changed far fewer of its names than with another latent.",
            ),
            Option(
                "local detail",
                True,
                "Noise is added map by map, and the next layers make small local differences of it. Diversity at large comes from z.",
            ),
            Option("nothing", False, "The map of deviations is not black."),
        ],
    ),
    Question(
        "Crossover 3 of 8. Layer 5 takes its style from …",
        [
            Option("both, more from the second", False, "No layer sees a blend."),
            Option("the first latent", False, "Layers below the crossover, 0 to 2, do."),
            Option("the second latent", True, "From layer 3 on, every layer does, and the first has no say there."),
        ],
    ),
    Question(
        "mapping(0) and the mean of w …",
        [
            Option(
                "are equal, since 0 is the mean of z",
                False,
                "The mapping is not linear, and no z that is drawn lies near 0.",
            ),
            Option(
                "differ: one is a mapped point, the other a mean of mapped points",
                True,
                "Pixel norm leaves 0 at 0, so mapping(0) shows the layers' biases and nothing else.",
            ),
            Option("differ by rounding", False, "Their distance was measured above."),
        ],
    ),
    Question(
        "ψ falls from 1 to 0. Which is certain before measuring?",
        [
            Option("precision rises", False, "The mean style need not give a good image. It is measured."),
            Option(
                "at 0 all images are one, up to their noise",
                True,
                "Every latent has the style w̄ then. What precision does on the way is a finding about one network.",
            ),
            Option("recall stays", False, "One image covers next to nothing."),
        ],
    ),
    Question(
        "«Other style, same content»: in the mixing table, coarse layers decide …",
        [
            Option("colours only", False, "Look at the first columns of the table."),
            Option(
                "shape too, such as hair and clothes as far as they follow the first parent",
                True,
                "Every layer's style is style, and some of it is what people call content. Which attribute follows which layers is read off the table.",
            ),
            Option("nothing that can be named", False, "The classifier names it."),
        ],
    ),
]
EXPLANATIONS["09b.words"] = Explanation(
    prompt="A video says: «In StyleGAN the noise gives diversity, and the style changes the look while the content stays, like a painting by Monet of the same face.» Correct it with what you measured.",
    rubric=[
        "Noise with w held: how little the image and its attributes change, with the number from the run.",
        "Diversity at large comes from z, through w.",
        "There is no content beside the styles: the synthesis starts from one constant for all images.",
        "Early layers' styles change shape as well: the table says which attribute follows which layers in this network.",
        "Mixing is a crossover: each layer takes one of two styles whole; interpolation gives every layer a blend.",
        "Truncation buys typical images with diversity, towards w̄, which is not mapping(0).",
    ],
    example="With w held fixed, other noise moved a pixel by a few hundredths of what another latent does, and the classifier changed far fewer of its names: noise is for local detail. Diversity comes from z by way of w. Nor is there a content that a style "
    "leaves alone: the bottom is a constant, the same for every image, so all that differs between two images is style (and noise). What happens if the style of some layers is replaced was measured: which attributes follow the early layers and which the late ones stands in a table, as far as "
    "this network separates them. Mixing gives each layer one of two styles, whole; it is no blend.",
)
