"""Pictures, tables and films of a recording, to take away: ``take_away`` is the door."""

from facevis.figures.export import FORMATS, Cancelled, check_pictures, take_away

__all__ = ["FORMATS", "Cancelled", "check_pictures", "take_away"]
