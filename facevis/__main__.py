"""``python -m facevis`` is the command line."""

from facevis.cli import main

main()
