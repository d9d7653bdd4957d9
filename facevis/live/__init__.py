"""Small training, live: ensembles, recordings, and the thread and route that show them."""

from facevis.live.config import Member, RunConfig
from facevis.live.ensemble import Ensemble
from facevis.live.recording import Recording, Snapshot

__all__ = ["Ensemble", "Member", "Recording", "RunConfig", "Snapshot"]
