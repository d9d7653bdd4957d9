"""``facevis evaluate`` as it is typed: which model, tried on whom, and what is written.

It is light: PyTorch is loaded when measuring begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from facevis.arguments import WHOLE_FILES, in_one_sentence


@dataclass(frozen=True)
class Evaluate:
    """Try a model on people it never saw: verification and identification, a table and files."""

    model: Annotated[Path, tyro.conf.Positional]
    """The folder of a training run, weights (.pth, .pt, .safetensors), an .onnx file, or a
    recording of facevis (.npz, saved with its state)."""
    out: Path
    """Folder for the files; files of other names in it stay as they are."""
    folder: Path | None = None
    """Pictures, one subfolder for each person; left out with --pairs, a recording is tried on its
    own unseen identities."""
    pairs: Path | None = None
    """A list (lines "path path 1" or 0, or LFW's pairs.txt), or a verification set (.bin)."""
    root: Path | None = None
    """Where the paths of the list begin; left out, its own folder."""
    step: int | None = None
    """Which checkpoint of a run; left out, the last."""
    backbone: str | None = None
    """The network that weights are of: iresnet18, iresnet34, iresnet50, iresnet100, iresnet200,
    mobilefacenet, vit_t, vit_s or vit_b."""
    device: str | None = None
    """Where a run or weights are computed: auto (default), cpu or cuda."""
    size: int | None = None
    """Side of the pictures of an .onnx model that takes any; left out, 112. One that facevis
    wrote says this and the next three itself."""
    channels: str | None = None
    """Order of the colours of an .onnx model, rgb (default) or bgr."""
    mean: float | None = None
    """An .onnx model sees (x − mean) / std, pixels x from 0 to 255; default 127.5."""
    std: float | None = None
    """The other half of it; default 127.5."""
    flip: bool = False
    """Add to every embedding that of the picture's mirror image, as LFW-style protocols do."""
    formats: tuple[str, ...] = ("png", "csv", "json")
    """What to write: png svg csv json."""
    lang: str = "en"
    """Language of table and pictures, en or ru."""
    theme: str = "light"
    """Colours of the pictures, light or dark."""

    def run(self) -> None:
        """Measure, write and print; every fault ends in one sentence."""
        from facevis.embedders import OnnxOptions
        from facevis.evaluate import Order, evaluate
        from facevis.fullscale.embedding import NetworkOptions

        order = Order(
            model=self.model,
            folder=self.out,
            people=self.folder,
            pairs=self.pairs,
            root=self.root,
            flip=self.flip,
            onnx=OnnxOptions(self.size, self.channels, self.mean, self.std),
            network=NetworkOptions(self.backbone, self.step, self.device),
            formats=self.formats,
            language=self.lang,
            theme=self.theme,
        )
        with in_one_sentence(WHOLE_FILES):
            evaluate(order)
