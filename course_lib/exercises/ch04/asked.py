"""Chapter 04's quizzes and its explanation."""

from __future__ import annotations

from course_lib.exercises.questions import EXPLANATIONS, QUIZZES, Explanation, Option, Question

QUIZZES["04.recall"] = [
    Question(
        "Two narrow humps that do not overlap: at a distance of 2 their JSD is log 2 = 0.693. At a distance of 4?",
        [
            Option("1.386", False, "JSD is never more than log 2, however far apart they are."),
            Option("0.693", True, "It sees overlap, not distance. This chapter's measure does see distance."),
            Option("0.347", False, "Further apart cannot be more alike; and it stays where it is, at log 2."),
        ],
    ),
    Question(
        "In the recorded run of chapter 02, G's loss rose while its samples got better. By which number did the chapter know that they did?",
        [
            Option("D's loss, which fell", False, "A score against an opponent that learns too: it says who is ahead."),
            Option(
                "A distance between features of 10,000 samples and 10,000 test images, which fell to 0.44",
                True,
                "The promise was that this chapter would build it.",
            ),
            Option("The share of samples that D took for real", False, "That is D's loss in other words."),
        ],
    ),
]
QUIZZES["04.check"] = [
    Question(
        "Two features have covariance 0. They are …",
        [
            Option("independent", False, "For jointly normal ones it would follow; in general it does not. x and x² have covariance 0 here, and x says all there is to say about x²."),
            Option("uncorrelated, and no more is known", True, "Covariance sees how well a straight line describes them."),
            Option("both of variance 0", False, "Variances stand on the diagonal; this is about an entry off it."),
        ],
    ),
    Question(
        "One paper reports an FID of 3.1, another one 2.9, each with its own tool and its own N. The second generator …",
        [
            Option("is better", False, "Another tool and another N change the digits by more than that: chapter 04b measures it."),
            Option("cannot be compared by these numbers", True, "A distance is named with its network, its N and its tool, or it is not a measurement."),
            Option("is better in features, perhaps not in pixels", False, "Even in features nothing follows: the features may be another network's."),
        ],
    ),
    Question(
        "A generator draws flawless images of eight of the ten classes. Its FID is …",
        [
            Option("0, since each image is perfect", False, "FID looks at no single image. Mean and covariance of the features miss two classes."),
            Option("above the floor, because the features' mean and covariance have moved", True, "That is the part of diversity that FID sees."),
            Option("above the floor, and the number says that classes are missing", False, "It is above the floor, but some noise on complete images gives the same number: FID cannot tell which of the two."),
        ],
    ),
    Question(
        "Σ_x and Σ_y have the same diagonal, and the means are equal. The Fréchet distance is …",
        [
            Option("0", False, "It would be if nothing stood off the diagonals. Ellipses that lean left and right are not the same."),
            Option("above 0 unless what stands off the diagonal is equal too", True, "With correlations of 0.9 and −0.9 it is 2.26."),
            Option("not defined, since they do not commute", False, "The product's eigenvalues are real and not negative, whether or not they commute."),
        ],
    ),
    Question(
        "torchvision's Inception-v3, cut before `fc`, gives 2048 features. A Fréchet distance between them is …",
        [
            Option("FID", False, "FID's network is the TensorFlow one of 2015: other weights, other pooling, 1008 outputs, another resize."),
            Option("a sound distance that compares with no published FID", True, "Any extractor gives a distance; only the one that everybody uses gives everybody's number."),
            Option("FID up to a constant factor", False, "Other features, other geometry: no factor takes one to the other."),
        ],
    ),
]  # fmt: skip
EXPLANATIONS["04.words"] = Explanation(
    prompt="Explain FID to somebody who knows means and variances: what goes in, what is compared, what does the number not say?",
    rubric=[
        "Two sets of images go in; no image is paired with another, and no single image has an FID.",
        "A trained classifier without its last layer turns each image into a vector of features; what it was not trained to see, FID does not see.",
        "Of each set of vectors only mean and covariance matrix are kept, as if it were normally distributed; the distance is that between these two normals.",
        "The covariance term makes it react to missing variety; but fidelity and diversity enter one number and cannot be read apart.",
        "It is a squared distance, it is above 0 for two sets of real images, and it compares only at the same network, N and tool.",
    ],
    example="Take a heap of photographs and a heap of generated images. A classifier that was trained for another purpose looks at each and, instead of an answer, we keep "
    "the numbers it would have answered from. Each heap is now a cloud of points; of each cloud keep the middle and the covariance ellipse, and ask how far one has "
    "to carry the points of the first, in the mean of squares, to get the second. Clothes of a missing kind move the middle and squeeze the ellipse, and so does "
    "blur: the number says that something is off, not what. Two heaps of real photographs are not 0 apart either, so I would ask for that number first.",
)
