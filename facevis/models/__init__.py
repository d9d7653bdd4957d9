"""Networks that turn pictures into embeddings."""

from facevis.models.small import NETWORKS, StackedCNN, StackedMLP, stacked_network

__all__ = ["NETWORKS", "StackedCNN", "StackedMLP", "stacked_network"]
