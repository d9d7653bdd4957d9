"""facevis: margins on the hypersphere, made visible."""

__version__ = "0.1.0"
