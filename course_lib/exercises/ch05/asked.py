"""Chapter 05's quizzes and its explanation."""

from __future__ import annotations

from course_lib.exercises.questions import EXPLANATIONS, QUIZZES, Explanation, Option, Question

QUIZZES["05.recall"] = [
    Question(
        "Chapter 01: two distributions share nothing. Their Jensen-Shannon divergence is …",
        [
            Option("0", False, "0 is for equal distributions."),
            Option("0.693, log 2, however far apart they are", True, "JSD compares both with their mean, in which each has half: log 2, and no slope."),
            Option("infinite", False, "KL is. JSD compares with the mean m, which is nowhere 0 where p or q is not."),
        ],
    ),
    Question(
        "Chapters 01 and 02: nothing can be told apart. D's loss, a cross-entropy summed over both kinds, is …",
        [
            Option("0", False, "0 would be a D that is right and sure of everything."),
            Option("1.386 = log 4", True, "Two surprises of log 2: this chapter says what that unit is."),
            Option("0.5", False, "½ is the probability that D says; its loss is −log ½ for each kind, 1.386 in all."),
        ],
    ),
]  # fmt: skip
QUIZZES["05.check"] = [
    Question(
        "A model fits faces and gives probability 0 to glasses, which 1 of 1,000 faces wears. KL(data‖model) is …",
        [
            Option("about 0.001", False, "The term is 0.001·log(0.001/0), and that logarithm is infinite."),
            Option("infinite", True, "Forward KL punishes whatever is left out, however rare; that is why it covers."),
            Option("1000", False, "p/q is 0.001/0: infinite, not 1000."),
        ],
    ),
    Question(
        "One Gaussian is fitted to two humps far apart by least KL(model‖data). It …",
        [
            Option("covers both", False, "That is KL(data‖model). Here each sample of the model pays where the data are thin, so it keeps out of the gap."),
            Option("settles on one hump", True, "It pays log 2 for the half that it leaves out, 0.693 for equal humps, and nothing more."),
            Option("has no best fit", False, "It has two local ones, one on each hump, and the lower one is the best."),
        ],
    ),
    Question(
        "50 images are divided into 10 splits; the classifier has 1008 classes. No score of a split can exceed …",
        [
            Option("1008", False, "That needs 1008 images in one split at least."),
            Option("50", False, "N images in one split have at most N. Here a split has 5."),
            Option("5", True, "N/S images in a part: the score is the effective number of classes among them."),
        ],
    ),
    Question(
        "Generator A has an Inception Score of 9.1, the real images 8.4. So …",
        [
            Option("A is better than reality", False, "Ten photographs reach nearly 10, and so do pictures of noise that were made for it. Real images are not always sure; the score minds."),
            Option(
                "A's images are surer for this classifier, or its classes more even",
                True,
                "That is all the score sees: log IS = H(p(y)) − E H(p(y|x)). No real image enters.",
            ),
            Option("something was computed wrongly", False, "It need not be: the real images' score is no upper bound, K is."),
        ],
    ),
    Question(
        "In IS = exp E KL(p(y|x)‖p(y)), p(y) is …",
        [
            Option("the distribution of labels in the training set", False, "Then a generator of nothing but sure bags would score K."),
            Option("the mean of p(y|x) over the generated images", True, "So IS compares generated images with generated images."),
            Option("1/K for every class", False, "Only if the generated images happen to be even over the classes."),
        ],
    ),
]  # fmt: skip
EXPLANATIONS["05.words"] = Explanation(
    prompt="Somebody reports an Inception Score of 9 on ten classes and concludes that the images are good. What does the number say, and what not?",
    rubric=[
        "It says that a classifier is sure of single images and that its classes come about equally often among them (exp of H(p(y)) − E H(p(y|x))).",
        "It lies between 1 and the number of classes, and nobody can have more than the number of images in a split.",
        "No real image enters: p(y) is the mean over the generated ones.",
        "It does not see variety within a class, copies of training images, or whatever the classifier cannot see; noise can be made to score high.",
        "It needs the classifier, N and the number of splits beside it to be compared with anything.",
    ],
    example="The score is exp of the mean KL between what a classifier says of one image and what it says on average. It is 1 if every image gets the same "
    "answer and K if all answers are sure and all K classes come equally often; 9 of 10 says: sure and even. Ten photographs, repeated for ever, would have as much, "
    "and so would noise that was made to please the classifier. Real images stand nowhere in the formula. I would ask for the classifier, N and the "
    "splits, for recall, and for the nearest training images.",
)
