"""The glossary: every term of the course in one line, and the chapter that introduces it. Standard library only.

docs/glossary.md is written from here by `gan-course build`; a chapter links a term's first use to it.
"""

from __future__ import annotations

import difflib
import itertools
import re
import shutil
import textwrap
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from course_lib import chapters
from course_lib.files import ROOT, write_atomically

PAGE = ROOT / "docs" / "glossary.md"


@dataclass(frozen=True)
class Term:
    """definition: one line, `code` between backticks; chapter: number of the one that introduces it; also: other names"""

    definition: str
    chapter: str
    also: tuple[str, ...] = ()


# fmt: off
TERMS: dict[str, Term] = {  # one line a term, chapter by chapter
    # 00 Start here
    "generative model": Term("A model of a data distribution that new samples can be drawn from; whether it can also give the density of a sample is another matter, and a GAN cannot.", "00"),
    "generative adversarial network": Term("Two networks trained against each other: a generator turns latent vectors into samples, a discriminator tells them from data.", "00", ("GAN",)),
    "generator": Term("The network G that turns a latent vector z into a sample G(z); it is shown no data and learns about them only through the discriminator's gradient.", "00"),
    "discriminator": Term("The network D that says how likely a sample is to be real, D(x) = sigmoid(logit); it classifies real against generated, and is neither an encoder nor a measure of quality.", "00"),
    "latent vector": Term("The random vector z that a generator turns into one sample; no label in the data corresponds to it.", "00", ("latent", "latent code", "latent variable")),
    "latent space": Term("The space of all latent vectors, mostly of fewer dimensions than the data (100 against 784 pixels); every point of it can be decoded, not only those that were drawn.", "00"),
    # 00b Primer
    "probability distribution": Term("How probability is spread over outcomes: never negative, adding up (discrete) or integrating (continuous) to 1; a classifier's softmax is one over its classes.", "00b"),
    "probability density": Term("Probability per unit of volume, p(x) ≥ 0 with integral 1; not a probability: it may exceed 1.", "00b", ("density",)),
    "expectation": Term("The mean under a distribution, E f(x) = Σ p(x)·f(x) or ∫ p(x)·f(x) dx; estimated by the average of f over samples.", "00b", ("expected value",)),
    "log-likelihood": Term("The logarithm of the probability (or density) that a model gives to the data, in nats; what training a discriminator maximises, which is not its accuracy.", "00b"),
    "logit": Term("Log-odds, log(p / (1 − p)): any real number, 0 where p = 1/2. It is what a discriminator returns here; the probability is sigmoid(logit).", "00b", ("log-odds",)),
    "sigmoid": Term("σ(a) = 1 / (1 + exp(−a)), from logits to probabilities; in float32 σ(20) is exactly 1, so losses are computed from logits.", "00b"),
    "autograd": Term("PyTorch's record of the operations on tensors, from which `backward` computes gradients by the chain rule.", "00b"),
    "detach": Term("`x.detach()`: the same numbers, cut out of the graph, so that no gradient flows back through them.", "00b"),
    "train and eval mode": Term("The two ways a network runs: in train mode BatchNorm normalises with the batch's own statistics and updates its running ones, and dropout drops; in eval mode BatchNorm uses the running ones and dropout does nothing.", "00b", ("train mode", "eval mode", "training mode", "evaluation mode")),
    "eigenvalue": Term("A number λ, possibly complex, with A·v = λ·v for some v ≠ 0; repeated steps x ← A·x grow along v where |λ| > 1, shrink where |λ| < 1, and turn where λ is not real.", "00b"),
    # 01 The min-max game
    "min-max game": Term("min over G, max over D of V(D, G): one player lowers what the other raises, so what is sought is a saddle point, not a minimum.", "01", ("minimax game", "min-max")),
    "value function": Term("V(D, G) = E log D(x) + E log(1 − D(G(z))), in nats: 0 for a discriminator that is always right and sure, −log 4 where nothing can be told apart.", "01"),
    "adversarial training": Term("Training two networks towards opposite ends, as in a GAN; elsewhere the words also mean training a classifier on attacked inputs.", "01"),
    "binary cross-entropy": Term("−(y·log p + (1 − y)·log(1 − p)), minus the log-likelihood of a label y in {0, 1}, in nats; a discriminator's loss is its mean over real images (y = 1) plus its mean over generated ones (y = 0).", "01", ("BCE",)),
    "data distribution": Term("The distribution p that the training data are taken to be drawn from; it is unknown, and nothing makes it normal: the latent prior is.", "01", ("p_data",)),
    "model distribution": Term("The distribution q of G(z) for z drawn from the latent prior; it can be sampled, but its density is not to be had.", "01"),
    "latent prior": Term("The fixed distribution p(z) that latents are drawn from, here N(0, I): mean 0 and standard deviation 1 in every dimension, all dimensions independent.", "01", ("noise distribution", "latent space distribution prior")),
    "optimal discriminator": Term("The best answer to a fixed generator, D*(x) = p(x) / (p(x) + q(x)); 0 or 1 only where samples and data do not overlap.", "01"),
    "Kullback-Leibler divergence": Term("KL(p‖q) = E log(p/q) under p, in nats: the extra surprise of who expects q and meets p. At least 0, infinite where q = 0 < p, and asymmetric, so not a distance.", "01", ("KL divergence", "KL", "relative entropy")),
    "Jensen-Shannon divergence": Term("JSD = ½·KL(p‖m) + ½·KL(q‖m) with m = (p + q)/2: symmetric, at most log 2, and log 2 for all disjoint supports, however far apart. V(D*, G) = 2·JSD − log 4.", "01", ("JSD", "JS divergence")),
    "f-divergence": Term("E f(p/q) under q, for a convex f with f(1) = 0; KL in both directions and JSD are cases, and up to a constant the GAN's own divergence, 2·JSD − log 4.", "01"),
    "convex conjugate": Term("f*(t) = sup over u of (u·t − f(u)); it turns an f-divergence into a supremum over critics T of E T(x) − E f*(T(G(z))). 2·JSD has −log(2 − eᵗ), the GAN's own 2·JSD − log 4 has −log(1 − eᵗ).", "01", ("Fenchel conjugate",)),
    "saturating loss": Term("The generator's part of the value function, E log(1 − D(G(z))), minimised; its slope in the logit is −D: at a logit of −4 only −0.018, so it dies where the discriminator is sure.", "01", ("minimax loss",)),
    "non-saturating loss": Term("−E log D(G(z)), minimised by the generator; its slope in the logit is −(1 − D), at a logit of −4 still −0.982. The same fixed point as the saturating loss, but another field: not the same game.", "01"),
    "vanishing gradient": Term("A gradient too small to learn from; in a GAN that of the saturating loss under a discriminator that is sure.", "01"),
    "Dirac-GAN": Term("The smallest GAN (Mescheder et al. 2018): all data at 0, one generated point θ, a linear critic ψ·x. Without a penalty its field turns around the equilibrium and never leads there.", "01"),
    "vector field": Term("Of a game: at each pair of parameters, the arrow along which both players would step. It is in general not the gradient of one function, so it can rotate.", "01"),
    "Nash equilibrium": Term("A pair of strategies from which neither player gains by moving alone; in the GAN q = p and D = 1/2, where the discriminator pays log 4 = 1.386 (sum of two terms) and the non-saturating generator log 2 = 0.693.", "01", ("equilibrium",)),
    "simultaneous step": Term("Both players' updates computed from the same current parameters; on the unpenalised Dirac-GAN (Wasserstein loss, step size h) each one multiplies the distance from the equilibrium by √(1 + h²).", "01", ("simultaneous update",)),
    "alternating step": Term("One player moves, then the other answers to the new parameters; on the unpenalised Dirac-GAN both eigenvalues have modulus 1 (step size below 2): it neither leaves nor arrives.", "01", ("alternating update",)),
    "universal approximation": Term("A large enough network can come as close as wanted to any continuous function on a compact set; the theorem says that such weights exist, not that this game finds them from N samples.", "01", ("universal approximation theorem",)),
    "Gaussian mixture": Term("A distribution whose density is a weighted sum of normal densities; it can be sampled and its density evaluated exactly, so divergences to it can be known.", "01", ("mixture of Gaussians",)),
    "decision boundary": Term("The points with D(x) = 1/2, where the logit is 0; the decision surface is D over the whole plane.", "01", ("decision surface",)),
    # 02 DCGAN
    "DCGAN": Term("The convolutional recipe of Radford, Metz and Chintala (2015): strided and transposed convolutions, BatchNorm but not at G's output and D's input, ReLU and a final Tanh in G, LeakyReLU in D.", "02", ("deep convolutional GAN",)),
    "fully connected layer": Term("A layer whose every output is a weighted sum of all inputs, plus a bias; it does not know which pixels are neighbours.", "02", ("fully connected", "linear layer", "dense layer")),
    "convolution": Term("A layer that applies the same small kernel of weights at every place, so that locality and shared weights are built in; deep learning does not flip the kernel (strictly, a cross-correlation).", "02"),
    "strided convolution": Term("A convolution whose kernel moves `stride` pixels at a time: H' = ⌊(H + 2·padding − kernel) / stride⌋ + 1. DCGAN's discriminator shrinks maps with it instead of pooling.", "02"),
    "transposed convolution": Term("Each input pixel adds a scaled kernel to the output, `stride` pixels apart: H' = (H − 1)·stride − 2·padding + kernel. It reverses a convolution's shapes, not its values: the name deconvolution misleads.", "02", ("deconvolution",)),
    "batch normalisation": Term("Per channel: subtract the mean and divide by the standard deviation over batch and places, then a learned scale and shift. In train mode it makes an image's result depend on the others in its batch.", "02", ("BatchNorm", "batch norm")),
    "running statistics": Term("BatchNorm's moving averages of each channel's mean and variance: updated by every batch in train mode, used in eval mode.", "02"),
    "ReLU": Term("max(0, a); DCGAN uses it in the generator.", "02", ("rectified linear unit",)),
    "LeakyReLU": Term("a where a > 0, else slope·a (0.2 in DCGAN's discriminator), so that a gradient passes on both sides of 0.", "02", ("leaky ReLU",)),
    "Tanh": Term("(eᵃ − e⁻ᵃ) / (eᵃ + e⁻ᵃ), between −1 and 1: the generator's last layer, because images are scaled to [−1, 1].", "02", ("hyperbolic tangent",)),
    "initialisation": Term("The random weights that training starts from; in DCGAN N(0, 0.02²) for convolutions, N(1, 0.02²) for BatchNorm's scales and 0 for its shifts (0.02 is the standard deviation, not the variance).", "02", ("initial weights",)),
    "exponential moving average": Term("Weights averaged over training, average ← β·average + (1 − β)·weights after each step; samples are drawn from the average while training goes on with the weights.", "02", ("EMA", "averaged weights", "weight averaging", "running average")),
    "gradient norm": Term("The length of the gradient of a player's loss in that player's weights; a gradient penalty, in contrast, takes the gradient in the image.", "02"),
    "loss curve": Term("A player's loss against training steps; in a GAN each is a score against an opponent that learns too, so it shows who is ahead, not how good or how varied the samples are.", "02"),
    "epoch": Term("One pass over the training set, every image once but for a last partial batch; N images at batch size B make ⌊N/B⌋ steps.", "02"),
    # 03 Losses
    "least-squares loss": Term("½·E (D(x) − 1)² + ½·E D(G(z))² for the discriminator and ½·E (D(G(z)) − 1)² for the generator, without a sigmoid (Mao et al. 2016).", "03", ("least squares", "LSGAN")),
    "support": Term("The smallest closed set that holds all of a distribution's probability; a perfect discriminator exists where two supports are disjoint.", "03"),
    "Wasserstein distance": Term("The least cost of moving one distribution onto the other: W₁ is the mean distance moved, W₂ the root of the mean squared one. Unlike JSD it grows with the gap between disjoint supports.", "03", ("earth mover's distance", "earth-mover distance", "EMD", "W₁", "W₂")),
    "Kantorovich-Rubinstein duality": Term("W₁(p, q) is the supremum of E f(x) under p minus E f(x) under q over all f of Lipschitz constant 1; it is why a WGAN bounds its critic's slope.", "03"),
    "Wasserstein GAN": Term("A GAN whose critic maximises E D(x) − E D(G(z)) with clipped weights, several critic steps for each of the generator, and RMSprop (Arjovsky et al. 2017); it does not solve mode collapse.", "03", ("WGAN",)),
    "critic": Term("A discriminator that returns an unbounded score instead of a probability; its loss is minus the Wasserstein distance only if it is the best one of Lipschitz constant 1.", "03"),
    "Lipschitz constant": Term("The smallest K with |f(x) − f(y)| ≤ K·‖x − y‖ for all x and y: a bound on the slope in every direction, at every point.", "03", ("1-Lipschitz", "Lipschitz")),
    "weight clipping": Term("Clamping each weight of the critic to [−c, c] after its step (c = 0.01 in the WGAN paper); it bounds the Lipschitz constant by an unknown number, so the critic's loss is an unknown multiple of W₁.", "03"),
    "gradient penalty": Term("λ·E (‖∇D(x̂)‖₂ − 1)² at random points x̂ between real and generated images, λ = 10 in WGAN-GP; gradient in the image, norm per image and not over the batch. It bounds slopes and does not prevent collapse.", "03", ("WGAN-GP",)),
    "R1 penalty": Term("(γ/2)·E ‖∇D(x)‖² at real images, gradient in the image (Mescheder et al. 2018); it draws the critic flat on the data.", "03", ("R1",)),
    "R2 penalty": Term("(γ/2)·E ‖∇D(G(z))‖² at generated images, gradient in the image; the R1 penalty's mirror.", "03", ("R2",)),
    "hinge loss": Term("E max(0, 1 − D(x)) + E max(0, 1 + D(G(z))) for the discriminator, −E D(G(z)) for the generator; not the WGAN loss, and it still needs a critic of bounded slope.", "03", ("hinge",)),
    "relativistic loss": Term("A loss on differences D(x) − D(G(z)): real images need only score higher than generated ones, and the generator's loss uses the real ones too.", "03", ("relativistic GAN",)),
    "RMSprop": Term("An optimiser that divides each gradient by the root of a running mean of its square; the WGAN paper's choice, because its training was unstable with momentum.", "03"),
    "transport plan": Term("A rule that says how much of one distribution's mass is carried where in another's; W₁ is the mean distance under the cheapest one, which for equally many points is an assignment.", "03", ("optimal assignment", "optimal transport")),
    "total variation distance": Term("½·∫ |p − q|, the most by which the probabilities of an event can differ: 0 for equals, 1 for disjoint supports, however far apart; the best unbounded hinge critic's loss is 2 minus twice it.", "03", ("total variation",)),
    # 03b Stability
    "spectral norm": Term("A matrix's largest singular value, the most by which it lengthens a vector: the Lipschitz constant of the linear map.", "03b"),
    "spectral normalisation": Term("Each weight, reshaped to a matrix, divided by its spectral norm at every forward pass; for a convolution that bounds the reshaped kernel, and the operator itself may stretch more.", "03b"),
    "power iteration": Term("u ← W·v / ‖W·v‖ and v ← Wᵀ·u / ‖Wᵀ·u‖ in turn; uᵀ·W·v tends to the spectral norm. One round a step suffices in training, because weights move slowly.", "03b"),
    "label smoothing": Term("A target of 0.9 instead of 1 for real images, and still 0 for generated ones (one-sided); the optimal discriminator becomes 0.9·p / (p + q).", "03b", ("one-sided label smoothing",)),
    "noisy labels": Term("Random targets for real images, such as uniform in [0.7, 1]; since cross-entropy is linear in the target, the expected gradient is that of the fixed target 0.85.", "03b"),
    "two time-scale update rule": Term("Different learning rates for the two players (Heusel et al. 2017), the discriminator's mostly the larger; by itself it does not turn the Dirac-GAN's rotation inwards.", "03b", ("TTUR", "two time scales")),
    "minibatch standard deviation": Term("A channel added inside the discriminator: the features' standard deviation over a group of images, averaged to one number, so that a lack of variety can be seen.", "03b", ("minibatch stddev",)),
    "diversity regularisation": Term("A term in the generator's loss that punishes similar images for different latents.", "03b"),
    "mode": Term("A local maximum of a density, or the cluster of data around it, such as one of the 8 Gaussians of a ring.", "03b"),
    "mode collapse": Term("A generator that gives few of the data's modes, or nearly one image for all latents; stable losses do not rule it out, and neither WGAN nor a penalty has solved it.", "03b"),
    "spectral radius": Term("The largest modulus of a matrix's eigenvalues; the iteration x ← A·x goes to 0 from every start exactly if it is below 1. Not the spectral norm, which can be larger.", "03b"),
    "momentum": Term("A running mean of past gradients that the step follows; its decay is Adam's β₁, 0.5 in DCGAN where 0.9 is usual.", "03b"),
    "Adam": Term("An optimiser that steps along a running mean of the gradient (decay β₁) over the root of a running mean of its square (decay β₂), both corrected for having started at 0.", "03b"),
    "ablation": Term("One ingredient changed or taken away and everything else left as it was, so that what changes is its doing; with several seeds, or it is an anecdote.", "03b"),
    "capacity": Term("How rich a set of functions a network can represent, set by its width and depth; not what training makes of it.", "03b"),
    # 04 From covariance to FID
    "fidelity": Term("How much single samples look like data; one perfect image, repeated, has all of it and no diversity.", "04", ("quality",)),
    "diversity": Term("How much of the data's variety the samples cover; noise is varied as well, so it says nothing about fidelity.", "04"),
    "quantify": Term("To express as a number; in this course with its unit, protocol, sample count and uncertainty.", "04"),
    "pixel distance": Term("A distance between pixel values, such as their mean squared difference; a shift by a few pixels can be further than another object.", "04"),
    "feature distance": Term("A distance between the embeddings of two images, ‖φ(x) − φ(y)‖; it sees what its extractor has learned to see, and nothing else.", "04"),
    "embedding": Term("φ(x), the vector of features that a network computes from x; feature distances are distances between embeddings.", "04"),
    "feature extractor": Term("A trained classifier without its last layer (`fc = nn.Identity()`), in eval mode: from an image to its embedding.", "04"),
    "feature layer": Term("The layer whose outputs are taken as features; early ones respond to edges and textures, late ones to objects. FID takes Inception's last pooling, 2048 numbers.", "04"),
    "Inception-v3": Term("An ImageNet classifier of 2015 built from Inception blocks; FID uses the TensorFlow version of that year (1008 outputs, other pooling), and torchvision's gives other distances.", "04", ("Inception-v3 architecture", "Inception network")),
    "Inception block": Term("Convolutions of several kernel sizes and a pooling side by side on one input, their outputs joined along the channels.", "04", ("Inception layer", "Inception module")),
    "factorised convolution": Term("A large kernel replaced by smaller ones in sequence, 5×5 by two of 3×3 or 7×7 by 1×7 and 7×1: the same field of view with fewer weights.", "04", ("factorised kernel",)),
    "auxiliary classifier": Term("A second classification head on a middle layer whose loss is added during training only; it was meant to carry gradient to early layers and acts more like a regulariser.", "04"),
    "ImageNet": Term("1.28 million photographs in 1000 classes (ILSVRC 2012), the training set of Inception-v3; what it lacks, its features may not see.", "04"),
    "variance": Term("E (x − μ)², the mean squared deviation from the mean, in the square of x's unit; its root is the standard deviation.", "04"),
    "covariance": Term("E (x − μ_x)(y − μ_y), how two variables vary together, in the product of their units; covariance, not correlation, and 0 does not mean independent.", "04"),
    "correlation": Term("Covariance divided by both standard deviations: between −1 and 1, without a unit.", "04"),
    "covariance matrix": Term("Σ, with the covariance of dimensions i and j at place (i, j): symmetric, positive semi-definite, variances on the diagonal and covariances off it.", "04"),
    "covariance ellipse": Term("The points with (x − μ)ᵀ·Σ⁻¹·(x − μ) = 1: its half-axes point along Σ's eigenvectors and are as long as the roots of the eigenvalues.", "04"),
    "independence": Term("p(x, y) = p(x)·p(y) everywhere; it implies zero covariance, and follows from it only for jointly normal variables.", "04"),
    "multivariate normal distribution": Term("N(μ, Σ): density proportional to exp(−½·(x − μ)ᵀ·Σ⁻¹·(x − μ)); its mean and covariance matrix determine it.", "04", ("multivariate normal", "multivariate Gaussian")),
    "moment": Term("The expectation of a power, or of a product of coordinates; mean and covariance are the first and the second (central) one, and FID compares no others.", "04"),
    "trace": Term("Tr A, the sum of a square matrix's diagonal, and of its eigenvalues.", "04"),
    "matrix square root": Term("A matrix S with S·S = A; of a positive semi-definite A, the positive semi-definite one. Not the root of each entry.", "04"),
    "Fréchet distance": Term("First of curves, then of distributions, where it is W₂; between normals d² = ‖μ₁ − μ₂‖² + Tr(Σ₁ + Σ₂ − 2·(Σ₁Σ₂)^½), in one dimension (μ₁ − μ₂)² + (σ₁ − σ₂)². The course's function returns the square, d².", "04"),
    "Fréchet Inception Distance": Term("The squared Fréchet distance between normals fitted to the Inception features of real and of generated images: between two sets, never two images. Lower is closer; fidelity and diversity enter together.", "04", ("FID",)),
    # 04b Measuring well
    "intrinsic evaluation metric": Term("A measure of quality that a model's own objective supplies, such as a held-out likelihood; a GAN has none, because its losses are relative to an opponent.", "04b", ("intrinsic metric",)),
    "evaluation protocol": Term("Everything that changes a metric's digits: resizing, quantisation, network, layer, sample count, estimator; numbers compare only under one protocol.", "04b", ("protocol",)),
    "estimator bias": Term("The expectation of an estimate minus the truth, which averaging does not remove; FID's is positive and falls about as 1/N.", "04b", ("biased estimator", "bias of an estimator")),
    "FID infinity": Term("FID extrapolated to N = ∞ by a line in 1/N through its values at several N.", "04b", ("FID∞",)),
    "rank deficiency": Term("A matrix with zero eigenvalues; a covariance estimated from N ≤ d samples has at most N − 1 others, and FID's trace term is then poorly determined.", "04b", ("rank deficient",)),
    "Kernel Inception Distance": Term("The squared maximum mean discrepancy between Inception features under the kernel (xᵀ·y/d + 1)³; its estimator is unbiased, so it can come out below 0.", "04b", ("KID",)),
    "maximum mean discrepancy": Term("The distance between two distributions' mean embeddings under a kernel; with KID's cubic kernel it compares moments up to the third.", "04b", ("MMD",)),
    "memorisation": Term("Samples that are training images or all but; FID against the training set rewards it, nearest neighbours and a held-out set show it.", "04b"),
    "overfitting": Term("Doing better on the training set than on new data from the same distribution; measured as that gap, never seen in a training loss alone.", "04b"),
    "confidence interval": Term("An interval from a procedure that covers the true value in a stated share of repetitions, such as 95 %; not the probability that this one does.", "04b"),
    # 05 KL and the Inception Score
    "surprise": Term("−log p(x), how unexpected an outcome is: in nats with the natural logarithm, in bits with log₂.", "05", ("surprisal", "self-information")),
    "nat": Term("The unit of information with the natural logarithm: 1 nat = 1.443 bits.", "05"),
    "entropy": Term("H(p) = −Σ p·log p, the mean surprise: 0 if the outcome is certain, log K for K equally likely ones.", "05"),
    "cross-entropy": Term("H(p, q) = −Σ p·log q = H(p) + KL(p‖q): the mean surprise of who expects q and meets p.", "05"),
    "forward KL": Term("KL(data‖model), the one that maximum likelihood minimises; infinite where the model gives no density to data, so its best fit covers every mode.", "05", ("mode covering",)),
    "reverse KL": Term("KL(model‖data): expensive where the model puts mass outside the data, so too simple a model settles on one mode.", "05", ("backward KL", "mode seeking")),
    "softmax": Term("exp(aᵢ) / Σ exp(aⱼ), from logits to a distribution over classes; adding one number to all logits changes nothing.", "05"),
    "conditional label distribution": Term("p(y|x), a classifier's softmax for one image x; a statement about the image's class, not about a latent.", "05", ("p(y|x)",)),
    "marginal label distribution": Term("p(y), the mean of p(y|x) over the generated images; not the distribution of real labels.", "05", ("p(y)",)),
    "Inception Score": Term("exp E KL(p(y|x)‖p(y)) over generated images, from 1 to the number of classes K (1008 as published); higher is better. It looks at no real image, and K images, one of each class, reach K.", "05", ("IS",)),
    "splits": Term("The parts that a sample is divided into to give the Inception Score a mean and a deviation; with S splits of N images it cannot exceed N/S.", "05"),
    # 06 Sampling and truncation
    "truncated normal distribution": Term("A normal kept to |z| ≤ threshold by drawing again: standard deviation 0.284, 0.540, 0.880 at thresholds 0.5, 1, 2. Clipping is another thing: it heaps mass on the ends.", "06", ("truncated normal",)),
    "truncation trick": Term("Drawing from a narrower latent distribution than in training, for fidelity at the price of diversity: BigGAN truncates z, StyleGAN shrinks w towards its mean, and the two are not one.", "06", ("truncation", "z-truncation")),
    "psi-truncation": Term("w' = w_mean + ψ·(w − w_mean) in StyleGAN's W: ψ = 1 changes nothing, ψ = 0 gives every z the image of the mean.", "06", ("ψ-truncation", "ψ")),
    "fidelity-diversity trade-off": Term("What truncation gains in one it loses in the other; drawn as precision, recall and FID against the threshold or ψ.", "06", ("trade-off curve", "fidelity-diversity curve")),
    "typical set": Term("Where nearly all of a high-dimensional distribution's mass lies: for N(0, I) in d dimensions a shell of radius about √d, far from its mode at 0.", "06"),
    "HYPE": Term("Human eYe Perceptual Evaluation (Zhou et al. 2019): people say real or fake, and their errors are the score.", "06"),
    "HYPE-time": Term("The shortest exposure, in milliseconds, at which people tell generated images from real ones; longer is better for the generator.", "06"),
    "HYPE-infinity": Term("The share of wrong answers, real or fake, with unlimited time; 50 % is guessing.", "06", ("HYPE∞",)),
    "staircase": Term("A test whose next exposure depends on the last answer: shorter after a right one, longer after a wrong one; with one step down and three up it rests where 75 % of the answers are right.", "06", ("adaptive staircase",)),
    "bootstrap": Term("A statistic recomputed on samples drawn with replacement from the sample, to estimate its spread; it does not remove bias.", "06", ("bootstrap interval",)),
    # 07 Precision and recall
    "precision": Term("The share of generated samples that lie in the estimated support of the data: fidelity. Exchanging real and generated turns it into recall.", "07"),
    "recall": Term("The share of real samples that lie in the estimated support of the generated ones: diversity. Exchanging real and generated turns it into precision.", "07"),
    "improved precision and recall": Term("Precision and recall with each support estimated as balls around its samples, as wide as the distance to the k-th nearest neighbour (Kynkäänniemi et al. 2019: k = 3).", "07"),
    "manifold": Term("A smooth set of lower dimension that data lie near; in precision and recall the word stands for the union of neighbour balls.", "07"),
    "k-nearest neighbours": Term("The k samples closest to a point, the point itself not counted; the distance to the k-th is large where samples are sparse.", "07", ("k-th nearest neighbour", "nearest neighbour")),
    "PRD curve": Term("All pairs of precision Σ min(λ·p, q) and recall Σ min(p, q/λ) for λ > 0, with p real and q generated, on a shared histogram (Sajjadi et al. 2018).", "07", ("PRD",)),
    "density metric": Term("The mean number of real neighbour balls that hold a generated sample, divided by k (Naeem et al. 2020); one outlier moves it less than precision, and it can exceed 1.", "07"),
    "coverage": Term("The share of real samples whose neighbour ball holds at least one generated sample (Naeem et al. 2020): between 0 and 1.", "07"),
    "outlier": Term("A sample far from all others; its neighbour ball is huge, so one real outlier can raise precision and one generated outlier recall.", "07"),
    # 08 VAE and the ELBO
    "autoencoder": Term("An encoder and a decoder trained to give back their input through a small code; nothing trains the decoder on the places between the codes.", "08", ("AE",)),
    "encoder": Term("A network from data to latents, or to the parameters of q(z|x); not a discriminator, which returns one score.", "08"),
    "decoder": Term("A network from latents to data, or to the parameters of p(x|z); a VAE's generator.", "08"),
    "variational autoencoder": Term("A model p(z)·p(x|z), trained together with an encoder q(z|x) by maximising the ELBO.", "08", ("VAE",)),
    "evidence lower bound": Term("E log p(x|z) − KL(q(z|x)‖p(z)) ≤ log p(x), with z from q(z|x), in nats; the gap is KL(q(z|x)‖p(z|x)).", "08", ("ELBO",)),
    "evidence": Term("p(x), what a latent variable model says of an image: the integral of p(z)·p(x|z) over all latents; also called marginal likelihood.", "08", ("marginal likelihood",)),
    "posterior": Term("p(z|x), the distribution of the latents behind a given image; the encoder's q(z|x) approximates it.", "08", ("approximate posterior",)),
    "likelihood": Term("p(x|z), what a decoder's output means: Bernoulli turns the reconstruction term into binary cross-entropy, a Gaussian of fixed σ into squared error over 2σ².", "08", ("Bernoulli likelihood", "Gaussian likelihood")),
    "reconstruction loss": Term("−E log p(x|z), summed over pixels; taking the mean over pixels instead rescales it against the KL and changes β unseen.", "08", ("reconstruction term",)),
    "reparameterisation trick": Term("z = μ + σ·ε with ε from N(0, I): the randomness is an input, so gradients reach μ and σ.", "08", ("reparameterisation",)),
    "beta-VAE": Term("A VAE whose KL term is weighted by β; β = 1 is the ELBO, and only if both terms are summed, not averaged.", "08", ("β-VAE",)),
    "KL collapse": Term("q(z|x) equal to the prior for every x, so that the decoder ignores z and the KL term is 0; also called posterior collapse; it is not mode collapse.", "08", ("posterior collapse",)),
    "importance-weighted bound": Term("E log of the mean of p(x, z)/q(z|x) over K draws of z: the ELBO at K = 1, rising towards log p(x) with K.", "08", ("IWAE",)),
    "binarisation": Term("Grey pixels made black or white: cut at one half (static), or drawn with the grey level as probability, anew at each look (dynamic); each is another data set, with other nats.", "08", ("dynamic binarisation", "static binarisation")),
    "density estimation": Term("Giving p(x) for a given x; a VAE bounds it, a GAN has no way to.", "08"),
    "inversion": Term("Finding a latent whose image is a given one, by optimisation or by an encoder; approximate and lossy, and a perfect reconstruction may still be impossible to edit.", "08", ("GAN inversion",)),
    "probabilistic PCA": Term("x = W·z + μ + noise with all of it normal: posterior and log p(x) are exact, so the ELBO's gap can be checked.", "08"),
    "score function": Term("∇ log p(x), gradient in x: where density rises fastest. Not the score of statistics, which is the gradient in the parameters.", "08", ("score",)),
    "score matching": Term("Fitting a network to the score function from samples alone, without the density's normalising constant.", "08"),
    "denoising score matching": Term("Score matching by guessing the noise that was added to the data: the best guess is the score of the noised data, times minus the noise's deviation.", "08"),
    "Langevin sampling": Term("x ← x + (ε/2)·score(x) + √ε·noise, over and over; for small ε the samples come to follow the density behind the score.", "08", ("Langevin dynamics",)),
    "VQ-VAE-2": Term("A VAE with discrete codes at several scales and an autoregressive model as their prior.", "08"),
    "VAE-GAN": Term("A VAE whose reconstructions are compared in a discriminator's features and judged by it as well.", "08"),
    # 09 StyleGAN: architecture
    "StyleGAN": Term("A generator (Karras et al. 2018) with a mapping network from z to w, a learned constant as its input, w setting each layer's style, and noise added at each layer.", "09"),
    "mapping network": Term("StyleGAN's fully connected network from normalised z to w; with default initialisation w collapses to nearly one point, with an equalised learning rate it does not.", "09"),
    "synthesis network": Term("The part of StyleGAN that turns a learned constant into an image, styled at each layer by w.", "09"),
    "W space": Term("The space of w = mapping(z); its distribution is learned, so it need not be normal and can be less entangled than Z.", "09", ("intermediate latent space",)),
    "disentanglement": Term("Each factor of variation having its own direction, so that one can change without the others; a matter of degree.", "09", ("disentangled", "entanglement", "entangled")),
    "style": Term("In StyleGAN the per-channel scale and bias that one layer gets from w; coarse layers' styles change pose and shape too, so another style is not the same content.", "09"),
    "AdaIN": Term("y_scale·(x − μ(x)) / σ(x) + y_bias, per image and channel; scale and bias are learned from w, not the statistics of a style image. It replaces ProGAN's pixel normalisation; noise is a separate input.", "09", ("adaptive instance normalisation",)),
    "instance normalisation": Term("Each channel of each image normalised by its own mean and standard deviation over places.", "09", ("InstanceNorm", "instance norm")),
    "layer normalisation": Term("Each image normalised by one mean and standard deviation over all its channels and places.", "09", ("LayerNorm", "layer norm")),
    "group normalisation": Term("Each image normalised within groups of channels; one group is layer normalisation, one channel a group is instance normalisation.", "09", ("GroupNorm", "group norm")),
    "pixel normalisation": Term("ProGAN's: at each pixel the vector of channels divided by its root mean square.", "09", ("pixel norm",)),
    "equalised learning rate": Term("Weights stored with variance 1 and multiplied by a constant, gain/√fan_in, at every forward pass, so that Adam's steps are equally large relative to the weights in all layers.", "09"),
    "constant input": Term("The learned 4×4 map that StyleGAN's synthesis starts from instead of z.", "09"),
    "progressive growing": Term("Training at 4×4 first and adding layers for each higher resolution to both networks; the old layers stay trainable.", "09", ("ProGAN",)),
    "fade-in": Term("(1 − α)·old + α·new while a layer is added, α rising from 0 to 1, in both networks at once.", "09"),
    "StyleGAN2": Term("StyleGAN with kernels scaled by the style and renormalised (weight demodulation) in place of AdaIN, skip and residual connections in place of growing, and path length regularisation.", "09"),
    # 09b StyleGAN: control
    "style mixing": Term("The w of one latent for the layers up to a crossover, that of another from there on; a crossover, not an interpolation.", "09b"),
    "coarse, middle and fine layers": Term("StyleGAN's layers by resolution, for faces at 4 to 8, 16 to 32, and 64 and more pixels: pose and shape, features, colour and texture.", "09b", ("coarse layer", "middle layer", "fine layer")),
    "stochastic variation": Term("Local detail from StyleGAN's noise: one random map per layer, scaled per channel by learned weights and added. Diversity at large comes from z.", "09b", ("noise injection", "stochastic noise")),
    "mean of w": Term("E mapping(z), estimated over many z and kept as a running mean; not mapping(0).", "09b", ("w̄",)),
    # 10 Interpolation and perceptual path length
    "interpolation": Term("A path of latents between two given ones, and the images along it.", "10"),
    "linear interpolation": Term("(1 − t)·a + t·b; half-way between two normal latents the squared norm is d/2 instead of d, which matters in Z and not in W, where it is standard.", "10", ("lerp",)),
    "spherical interpolation": Term("Along the great circle between two directions, which keeps norms typical; undefined for opposite ones, and no promise of smoother images.", "10", ("slerp",)),
    "LPIPS": Term("Learned Perceptual Image Patch Similarity: squared differences of unit-normalised features, weighted per channel as fitted to human judgements; a distance, so 0 is identical, in spite of its name.", "10"),
    "perceptual path length": Term("E d(G(path(t)), G(path(t + ε))) / ε² with d LPIPS, t uniform (full) or 0 (end): how fast images change along a path. Not the total change between its ends.", "10", ("PPL",)),
    "linear separability": Term("How well a hyperplane in latent space tells an attribute's two values apart; StyleGAN's score is exp Σ H(y|side), summed over attributes.", "10"),
    # 11 Exploring the latent space
    "controllable generation": Term("Changing chosen properties of a sample by moving its latent; conditional generation, in contrast, gives the property as an input.", "11"),
    "conditional generation": Term("A generator (and a discriminator) with the label as a further input, trained on labelled data.", "11", ("class-conditional generation", "conditional GAN")),
    "attribute": Term("A property of an image that can be labelled, such as glasses or hair colour.", "11"),
    "latent direction": Term("A vector added to latents to change a property; it is no attribute: it moves whatever correlates with it.", "11", ("attribute direction",)),
    "principal direction": Term("A direction that a generator's first layer stretches most, or along which its features vary most; found without labels, named by whoever looks.", "11"),
    "orthogonalisation": Term("Removing from one direction its component along another, a − (a·b / b·b)·b, so that moving along it leaves a linear score of the other as it was.", "11"),
    "Latent Compass": Term("A tool that finds a latent direction from a person's choices between pairs of images.", "11"),
    "steerability": Term("How far a generator follows simple edits of its image, such as zoom, shift and colour, along a latent walk learned for them.", "11", ("steerable",)),
    "latent walk": Term("A path in latent space, straight or learned, meant to change one thing more and more.", "11"),
    "image editing": Term("Changing a given image through its latent: inversion, a step along a direction, decoding; scored by the target's change and by what else stayed.", "11"),
    # 12 Bias
    "bias": Term("In data and models: a systematic distortion that disadvantages a group; not the estimator bias of statistics, and not a layer's additive constant.", "12"),
    "fairness": Term("Treating people without prejudice to their groups; its formal definitions differ and cannot in general all hold at once.", "12"),
    "representation bias": Term("A data set in which groups stand in other shares than in the population it is used for.", "12", ("sampling bias",)),
    "evaluation bias": Term("A test that does not represent those it speaks for: features that do not see a group, metrics that do not punish its absence.", "12"),
    "prevalence": Term("The share of a class in a population; counting a classifier's answers estimates it only after correcting for that classifier's errors.", "12"),
    "confusion matrix": Term("How often true class i is answered as j; its inverse turns shares of answers into estimated shares of classes.", "12"),
    "reweighting": Term("Giving each sample the weight target share / actual share of its group in the loss; rare groups then make the gradient noisier.", "12"),
    "resampling": Term("Drawing groups in other shares than the data have them; a rare group's images repeat, so memorisation threatens.", "12"),
    # 13 Capstone
    "data augmentation": Term("Changed copies of training images, such as flips and crops, that should count as data too.", "13", ("augmentation",)),
    "augmentation leak": Term("A generator that draws the augmentation itself, such as rotated images; avoided by augmenting real and generated images alike, with changes that can be undone in distribution.", "13", ("leaking augmentation",)),
    "held-out set": Term("Data kept out of training and of every choice, for measuring.", "13", ("test set",)),
    "moving average": Term("A curve's mean over a window; it hides spikes, so the raw curve is shown with it.", "13", ("filtered FID",)),
}
# fmt: on


def heading(name: str) -> str:
    """A term as its heading: lower case, ASCII letters, digits, hyphens and spaces, so that all make one anchor of it."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9 -]", "", plain)


def anchor(name: str) -> str:
    """The id that GitHub and JupyterLab give to a term's heading, as in `docs/glossary.md#frechet-distance`."""
    return heading(name).replace(" ", "-")


def names(term: str) -> tuple[str, ...]:
    """A term and its other names."""
    return (term, *TERMS[term].also)


def of_chapter(number: str) -> list[str]:
    """The terms that a chapter introduces, in alphabetical order."""
    return sorted((name for name, term in TERMS.items() if term.chapter == number), key=anchor)


# ---------------------------------------------------------------- searching


def search(words: str) -> list[tuple[str, Term]]:
    """Terms that match, best first: a name, the beginning of a name, of a word in it, a part of it, the definition.

    Case, accents, hyphens and -ise or -ize make no difference. If nothing matches, the one term that is spelt most
    like it; an empty list if none is. Without words: all, in alphabetical order.
    """
    return _matching(words) or _spelt_like(words)


def found_in_words(words: str) -> str:
    """What `search(words)` has found, as a sentence."""
    found = _matching(words)
    if found:
        return f"{len(found)} {'term' if len(found) == 1 else 'terms'}" + (f" for {words.strip()!r}" if words else "")
    near = _spelt_like(words)
    return f"no term matches {words.strip()!r}" + (f"; did you mean {near[0][0]!r}?" if near else "")


def _matching(words: str) -> list[tuple[str, Term]]:
    wanted = _fold(words)
    ranked = [(_rank(wanted, name), anchor(name), name) for name in TERMS]
    return [(name, TERMS[name]) for rank, _, name in sorted(ranked) if rank < 5]


def _rank(wanted: str, name: str) -> int:
    """0 (a name of the term) to 4 (in its definition); 5: no match."""
    known = [_fold(each) for each in names(name)]
    long = len(wanted) > 2  # two letters are in nearly every definition
    if wanted in known:
        return 0
    if any(each.startswith(wanted) for each in known):
        return 1
    if any(f" {wanted}" in each for each in known):
        return 2
    if long and any(wanted in each for each in known):
        return 3
    everything = f" {' '.join(known)} {_fold(TERMS[name].definition)}"
    return 4 if long and all(f" {word}" in everything for word in wanted.split()) else 5


def _spelt_like(words: str) -> list[tuple[str, Term]]:
    by_name = {_fold(each): name for name in TERMS for each in names(name)}
    near = difflib.get_close_matches(_fold(words), by_name, n=1)
    return [(by_name[each], TERMS[by_name[each]]) for each in near]


def _fold(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[-–(]", " ", plain).replace("iz", "is").split())


# ---------------------------------------------------------------- for the terminal


def as_text(words: str = "") -> str:
    """What `search(words)` finds, a paragraph each; without words the names alone, chapter by chapter.

    raises: ValueError if no term matches or is spelt nearly so
    """
    wrapped = textwrap.TextWrapper(min(shutil.get_terminal_size().columns, 100), "  ", "  ", break_on_hyphens=False)
    if not words.strip():
        return "\n".join(
            f"{chapter.name}\n{wrapped.fill(', '.join(of_chapter(chapter.number)))}" for chapter in chapters.CHAPTERS
        )
    found = search(words)
    if not found:
        raise ValueError(found_in_words(words))
    paragraphs = [
        f"{', '.join(names(name))} (chapter {term.chapter})\n{wrapped.fill(term.definition.replace('`', ''))}"
        for name, term in found
    ]
    return "\n\n".join([found_in_words(words), *paragraphs])


# ---------------------------------------------------------------- the page


def as_markdown() -> str:
    """The whole of docs/glossary.md: one heading a term, in alphabetical order."""
    parts = [
        "# Glossary",
        "Every term of the course in one line, with the chapter that introduces it. In a notebook `widgets.glossary()` searches "
        "it, in a terminal `gan-course glossary WORDS`. `gan-course build` writes this page from `course_lib/glossary.py`.",
    ]
    for letter, group in itertools.groupby(sorted(TERMS, key=anchor), key=lambda name: anchor(name)[0]):
        parts.append(f"## {letter}")
        for name in group:
            term = TERMS[name]
            also = f" ({', '.join(term.also)})" if term.also else ""
            parts.append(f"### {heading(name)}")
            parts.append(
                f"**{_escaped(name)}**{_escaped(also)}: {_escaped(term.definition)} *Chapter {chapters.get(term.chapter).name}.*"
            )
    return "\n\n".join(parts) + "\n"


def _escaped(text: str) -> str:
    """Text as Markdown: nothing but `code` between backticks is markup."""
    return "".join(
        part if number % 2 else re.sub(r"([*_<\\])", r"\\\1", part)
        for number, part in enumerate(re.split(r"(`[^`]+`)", text))
    )


def write(page: Path = PAGE) -> list[Path]:
    """Write docs/glossary.md if it changes; returns what was written."""
    content = as_markdown().encode("utf-8")
    if page.exists() and page.read_bytes() == content:
        return []
    write_atomically(page, content)
    return [page]
