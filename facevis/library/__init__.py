"""Runs that are kept: listed, compared, annotated, packed into one file and back.

It knows folders of runs, toy and full-scale, and the runs that live in this app; no screen.
"""

from facevis.library.toys import keep, recording_of

__all__ = ["keep", "recording_of"]
