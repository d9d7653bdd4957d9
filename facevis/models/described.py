"""What a file with a network says of itself: which network it is, and how it takes its pictures.

ONNX and safetensors files carry such texts by name beside their tensors; ``facevis export`` writes
them, and whoever reads the file needs no options then. Files and networks are unknown here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from facevis import __version__
from facevis.validation import choice, positive, whole, within

_MARK = "facevis"
_SMALLEST, _LARGEST = 8, 512
_LARGEST_DIM = 8192


@dataclass(frozen=True)
class Description:
    """A network of pictures (N, 3, S, S): it sees (x − mean) / std of pixels x from 0 to 255."""

    backbone: str
    embedding_dim: int
    """D, the length of a row of its output."""
    size: int
    """S, the side of its pictures in pixels."""
    channels: str = "rgb"
    """Order of the colours, rgb or bgr."""
    mean: float = 127.5
    std: float = 127.5

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        whole("embedding_dim", self.embedding_dim, 2, _LARGEST_DIM)
        whole("size", self.size, _SMALLEST, _LARGEST)
        choice("channels", self.channels, ("rgb", "bgr"))
        within("mean", self.mean, -1e6, 1e6)
        positive("std", self.std)

    def to_texts(self) -> dict[str, str]:
        """As a file carries it; the version of facevis marks it as ours.

        >>> Description("vit_t", 512, 112).to_texts()["std"]
        '127.5'
        """
        return {_MARK: __version__} | {name: str(value) for name, value in asdict(self).items()}

    def refuse_others(self, file: str, **options: object) -> None:
        """``ValueError`` for an option that says otherwise than ``file`` itself; None says nothing.

        >>> Description("vit_t", 512, 112).refuse_others("m.onnx", channels="bgr", std=None)
        Traceback (most recent call last):
        ...
        ValueError: channels is 'bgr', but m.onnx says that it is 'rgb'; leave --channels out.
        """
        for name, value in options.items():
            known = getattr(self, name)
            if value not in (None, known):
                raise ValueError(
                    f"{name} is {value!r}, but {file} says that it is {known!r}; leave --{name} "
                    "out."
                )

    @classmethod
    def from_texts(cls, texts: Mapping[str, str], file: str) -> Description | None:
        """What ``file`` says of itself, or None where facevis did not write it.

        Raises ``ValueError`` for a description that is damaged.

        >>> Description.from_texts({"producer": "somebody"}, "other.onnx")
        >>> texts = Description("vit_t", 512, 112).to_texts()
        >>> Description.from_texts(texts, "m.onnx") == Description("vit_t", 512, 112)
        True
        >>> Description.from_texts(texts | {"size": "-3"}, "m.onnx")
        Traceback (most recent call last):
        ...
        ValueError: what m.onnx says of itself is damaged (size is -3; give a whole number from 8
        to 512); export it again.
        """
        if _MARK not in texts:
            return None
        try:
            return cls(
                backbone=texts["backbone"],
                embedding_dim=int(texts["embedding_dim"]),
                size=int(texts["size"]),
                channels=texts["channels"],
                mean=float(texts["mean"]),
                std=float(texts["std"]),
            )
        except (KeyError, ValueError) as error:
            missing = f"it has no {error}" if isinstance(error, KeyError) else str(error)
            raise ValueError(
                f"what {file} says of itself is damaged ({missing.rstrip('.')}); export it again."
            ) from error
