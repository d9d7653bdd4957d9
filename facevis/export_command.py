"""``facevis export``: a trained network as a file for others, a lesson or the course as HTML.

It is light: PyTorch is loaded when a network is exported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from facevis.arguments import WHOLE_FILES, in_one_sentence


@dataclass(frozen=True)
class Lesson:
    """Write a lesson as one HTML file that needs no network."""

    number: Annotated[int | None, tyro.conf.Positional] = None
    """Which lesson, 1 to 13."""
    out: Path | None = None
    """File to write; left out, lesson-08.html for lesson 8."""
    lang: str = "en"
    """Language, en or ru."""

    def write(self) -> Path:
        """Write it and return where."""
        from facevis.lessons.export import file_name, write_lesson

        if self.number is None:
            raise ValueError("which lesson? Name its number: facevis export lesson 8.")
        path = self.out or Path(file_name(self.number))
        write_lesson(self.number, self.lang, path)
        return path


@dataclass(frozen=True)
class Course:
    """Write the course as a folder that any host can serve."""

    out: Path = Path("course")
    """Folder to write."""
    lang: str = "en"
    """Language, en or ru."""

    def write(self) -> Path:
        """Write it and return where."""
        from rich.console import Console
        from rich.progress import Progress

        from facevis.lessons.export import write_course

        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("facevis", total=None)
            write_course(
                self.lang,
                self.out,
                lambda done, of: progress.update(task, completed=done, total=of),
            )
        return self.out


@dataclass(frozen=True)
class Model:
    """Write a trained network as ONNX or safetensors, for other programs and for evaluate."""

    network: Annotated[Path, tyro.conf.Positional]
    """The folder of a training run, or weights: .pth, .pt, .safetensors."""
    out: Path | None = None
    """File to write, .onnx or .safetensors; left out, NAME.onnx."""
    step: int | None = None
    """Which checkpoint of a run; left out, the last."""
    backbone: str | None = None
    """The network that weights are of: iresnet18, iresnet34, iresnet50, iresnet100, iresnet200,
    mobilefacenet, vit_t, vit_s or vit_b."""
    lang: str = "en"
    """Language, en or ru."""

    def write(self) -> Path:
        """Write it, say what was checked, and return where."""
        # PyTorch is loaded for those who export a network only.
        from rich.console import Console

        from facevis.fullscale.export import check_target, export
        from facevis.fullscale.trained import open_trained
        from facevis.i18n import LANGUAGES, translator
        from facevis.validation import choice

        words = translator(choice("lang", self.lang, LANGUAGES))
        if self.out:
            check_target(self.out)
        trained = open_trained(self.network, self.backbone, self.step)
        path = self.out or Path(f"{trained.name}.onnx")
        with Console(stderr=True).status(words("export_model", name=trained.name)):
            parity = export(trained, path)
        if parity:
            apart = f"{parity.difference:.0e}"
            print(words("export_agrees", difference=apart, pictures=parity.pictures))
        return path


What = (
    Annotated[Lesson, tyro.conf.subcommand("lesson")]
    | Annotated[Course, tyro.conf.subcommand("course")]
    | Annotated[Model, tyro.conf.subcommand("model")]
)


@dataclass(frozen=True)
class Export:
    """Write a trained network as ONNX or safetensors, a lesson as one HTML file, or the course."""

    what: Annotated[What, tyro.conf.arg(name="")]
    """model, lesson or course."""

    def run(self) -> None:
        """Write it and say where; every fault ends in one sentence."""
        from facevis.i18n import translator

        write: Callable[[], Path] = self.what.write
        with in_one_sentence(WHOLE_FILES):
            path = write()
            print(translator(self.what.lang)("export_written", path=path))
