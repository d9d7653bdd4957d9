"""Full-scale training: 512-D face networks on real data, on one process or many.

Only the configuration is loaded here; ``facevis.fullscale.train`` is what trains.
"""

from facevis.fullscale import recipes
from facevis.fullscale.config import FullScaleConfig

__all__ = ["FullScaleConfig", "recipes"]
