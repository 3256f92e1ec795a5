"""Things to move: thin, without mathematics, and driven by plain Python through their parts as well.

Each shows a native-size PNG that the browser enlarges; that is what keeps a slider above ten updates a second.
Drawing needs no pyplot and calls none of the learner's functions, so it is safe on any thread.
"""

from course_lib.widgets.explorer import LatentExplorer as latent_explorer
from course_lib.widgets.glossary import Glossary as glossary
from course_lib.widgets.playground import Playground as playground
from course_lib.widgets.scrubber import TrainingScrubber as training_scrubber

__all__ = ["glossary", "latent_explorer", "playground", "training_scrubber"]
