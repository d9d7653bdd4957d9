"""Networks that turn pictures into embeddings."""

from facevis.models.small import (
    NETWORKS,
    StackedCNN,
    StackedMLP,
    centre_and_whiten,
    stacked_network,
)

__all__ = ["NETWORKS", "StackedCNN", "StackedMLP", "centre_and_whiten", "stacked_network"]
