"""All runs in one place: small ones that were kept, and full-scale ones; compared, packed, annotated.

A run is a folder in the folder of runs. What trains or shows them is elsewhere.
"""

from facevis.library.catalogue import Entry, entries
from facevis.library.keeping import keep_run, read_notes, recording_of, write_notes
from facevis.library.packing import export_run, import_run

__all__ = [
    "Entry",
    "entries",
    "export_run",
    "import_run",
    "keep_run",
    "read_notes",
    "recording_of",
    "write_notes",
]
