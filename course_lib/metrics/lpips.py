"""Perceptual distance of pairs of images."""

from __future__ import annotations

from torch import Tensor

from course_lib.models import lpips as networks


def lpips(x: Tensor, y: Tensor, network: str = "alex") -> Tensor:
    """How different the images of each pair look: 0 for equal ones, seldom above 1.

    Zhang et al. 2018 (arXiv:1801.03924v2, eq. 1). The gradient is finite everywhere, also where a feature vector is
    zero: the original's is NaN there.

    x, y:    (N, 3, H, W) float in [−1, 1]; H, W ≥ 31 for "alex", 16 for "vgg"; nothing is resized
    network: "alex" or "vgg" (after `gan-course fetch lpips-vgg`); their numbers cannot be compared
    returns: (N,), differentiable in x and y
    raises:  ValueError for other shapes, types or ranges; FileNotFoundError if the weights were never fetched
    """
    return networks.load(network, str(x.device))(x, y)
