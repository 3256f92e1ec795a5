"""Chapter 09's quizzes and its explanation."""

from __future__ import annotations

from course_lib.exercises.questions import EXPLANATIONS, QUIZZES, Explanation, Option, Question

QUIZZES["09.recall"] = [
    Question(
        "Chapter 02: a DCGAN in training mode draws one latent twice, each time beside other latents. The two images are …",
        [
            Option(
                "equal: the same z and the same weights",
                False,
                "BatchNorm takes its mean and deviation over the batch, so the neighbours have a say. In eval mode the images would be equal.",
            ),
            Option(
                "different",
                True,
                "BatchNorm's statistics are the batch's. In this chapter you meet normalisations that look at one image only.",
            ),
            Option("different, because dropout is on", False, "DCGAN has no dropout. It is BatchNorm."),
        ],
    ),
    Question(
        "Chapter 07: the fully connected GAN had a higher precision than photographs and a recall of about a quarter. It lacks …",
        [
            Option("fidelity", False, "Precision is the share of samples where photographs lie: more than enough."),
            Option(
                "diversity",
                True,
                "Three quarters of the photographs lie where none of its samples do. Whether a new architecture gains fidelity or diversity is asked with the same two numbers.",
            ),
            Option("nothing: precision counts", False, "A generator of one perfect image has precision 1."),
        ],
    ),
]
QUIZZES["09.check"] = [
    Question(
        "Two attributes are read off two directions of a normal z, at a right angle to each other. In the data they are …",
        [
            Option("correlated", False, "Coordinates of a normal vector along such directions are independent."),
            Option(
                "independent",
                True,
                "So a generator of data where they are dependent cannot be read off z like that; W may be, since its distribution is learned.",
            ),
            Option("anything, depending on training", False, "Training cannot make independent coordinates dependent."),
        ],
    ),
    Question(
        "Eight nn.Linear with default initialisation and leaky ReLUs. Two latents' w differ by about …",
        [
            Option(
                "1", False, "Not even StyleGAN's mapping keeps all of it: with scaled weights and √2 about 0.6 is left."
            ),
            Option("0.1", False, "Each layer keeps about 0.42 of the deviation, and eight of them 0.42⁸."),
            Option(
                "a thousandth",
                True,
                "0.42⁸ = 0.0009. The biases stay, so every latent arrives at nearly the same w.",
            ),
        ],
    ),
    Question(
        "A layer draws its weights with deviation 1/√inputs and multiplies by nothing. It has …",
        [
            Option(
                "an equalised learning rate",
                False,
                "Adam's step does not know how small the weights were drawn: a wide layer is changed by a larger share.",
            ),
            Option(
                "the same initialisation, and another learning rate",
                True,
                "The factor must act at every forward pass, on weights that are stored with deviation 1.",
            ),
            Option("neither", False, "At the start it computes the same distribution."),
        ],
    ),
    Question(
        "All maps that enter AdaIN are multiplied by 7. What comes out …",
        [
            Option("grows by 7", False, "It is divided by its own deviation, which has grown by 7 too."),
            Option(
                "does not change",
                True,
                "So nothing of a layer's style outlives the next AdaIN, and relative strengths of maps are lost, which StyleGAN2 mended.",
            ),
            Option("grows by √7", False, "The deviation is a root already: it grows by 7."),
        ],
    ),
    Question(
        "α = 0 in both networks. The critic's logit for a generated 32×32 image is …",
        [
            Option(
                "what it was for the 16×16 image before growing",
                True,
                "The generator enlarges the old image, the critic averages it down again: exactly the stage before.",
            ),
            Option("random, since the new layers are untrained", False, "They have weight 0 in both networks."),
            Option("0", False, "The old part of the critic answers as before."),
        ],
    ),
]
EXPLANATIONS["09.words"] = Explanation(
    prompt="Somebody says: «StyleGAN is a DCGAN with eight extra layers in front, and AdaIN copies the statistics of a style image.» Explain what the mapping network is for and what AdaIN does.",
    rubric=[
        "z never enters the synthesis network at the bottom: a learned constant does; w reaches it only through the styles.",
        "w's distribution is learned, so it can have the shape of the data's variations; a normal z cannot (independent coordinates).",
        "Whether a given W is less tangled than Z is to be measured.",
        "The mapping works only if scales are kept: z normalised, weights scaled at every call, √2 behind the leaky ReLU.",
        "AdaIN takes away each map's own mean and deviation and puts a scale and a shift in their place, per image and channel.",
        "Scale and shift are learned linear functions of w: no style image, and the scale may be negative.",
    ],
    example="The bottom of StyleGAN's synthesis is a constant, the same for all images. What makes images differ is w: at every layer a learned linear function of w says how strong each map is and where its zero lies. "
    "AdaIN carries that out: it removes a map's own mean and deviation, multiplies by the style's scale, which may be negative, and adds its shift. No second image is involved. The mapping network makes w from z. "
    "Coordinates of a normal z are independent, so a z cannot hold attributes of which one combination is missing along directions of its own. W can, because training shapes it; whether it did is a measurement. "
    "Eight default layers would shrink everything z says to a thousandth, so z is normalised, and weights are scaled at every call.",
)
