"""Things to move: thin, without mathematics, and driven by plain Python through their parts as well.

Each shows a native-size PNG that the browser enlarges; that is what keeps a slider above ten updates a second.
Drawing needs no pyplot and calls none of the learner's functions, so it is safe on any thread.
"""

from course_lib.widgets.adain_maps import AdaINMaps as adain_maps
from course_lib.widgets.beta_scrubber import BetaScrubber as beta_scrubber
from course_lib.widgets.covariance_ellipse import CovarianceEllipse as covariance_ellipse
from course_lib.widgets.dirac_laboratory import DiracLaboratory as dirac_laboratory
from course_lib.widgets.epsilon_explorer import EpsilonExplorer as epsilon_explorer
from course_lib.widgets.explorer import LatentExplorer as latent_explorer
from course_lib.widgets.glossary import Glossary as glossary
from course_lib.widgets.growth_scrubber import GrowthScrubber as growth_scrubber
from course_lib.widgets.hype import Hype as hype
from course_lib.widgets.interpolation_slider import InterpolationSlider as interpolation_slider
from course_lib.widgets.kl_fit import KLFit as kl_fit
from course_lib.widgets.latent_maps import LatentMaps as latent_maps
from course_lib.widgets.microscope import MetricMicroscope as metric_microscope
from course_lib.widgets.moving_supports import MovingSupports as moving_supports
from course_lib.widgets.museum import Museum as museum
from course_lib.widgets.neighbour_balls import NeighbourBalls as neighbour_balls
from course_lib.widgets.noise_layers import NoiseLayers as noise_layers
from course_lib.widgets.playground import Playground as playground
from course_lib.widgets.psi_slider import PsiSlider as psi_slider
from course_lib.widgets.scrubber import TrainingScrubber as training_scrubber
from course_lib.widgets.style_mixer import StyleMixer as style_mixer
from course_lib.widgets.truncation import TruncationSlider as truncation_slider

__all__ = [
    "adain_maps",
    "beta_scrubber",
    "covariance_ellipse",
    "dirac_laboratory",
    "epsilon_explorer",
    "glossary",
    "growth_scrubber",
    "hype",
    "interpolation_slider",
    "kl_fit",
    "latent_explorer",
    "latent_maps",
    "metric_microscope",
    "moving_supports",
    "museum",
    "neighbour_balls",
    "noise_layers",
    "playground",
    "psi_slider",
    "style_mixer",
    "training_scrubber",
    "truncation_slider",
]
