"""What `cnnviz.look` finds, as a notebook shows it and as files: pictures with their legends."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from torch import Tensor

from cnnviz.errors import CnnvizError
from cnnviz.figure.figure import Legend, Picture
from cnnviz.figure.html import environment
from cnnviz.files import write_atomically
from cnnviz.numbers import times
from cnnviz.words import Message, PackageWords, Say

_TEMPLATES = environment(Path(__file__).parent / "templates")


class _Displayed:
    """Says its words in one language."""

    language: str

    @property
    def _say(self) -> Say:
        return PackageWords().catalogue(self.language)


@dataclass(frozen=True)
class Shown(_Displayed):
    """A picture with its legend; in a notebook it is seen.

    Attributes:
        picture: a PNG, and how large it is shown.
        title: what it shows.
        legend: what its colours mean.
        language: of title and legend.
    """

    picture: Picture
    title: Message
    legend: Legend | None = None
    language: str = "en"

    def __repr__(self) -> str:
        size = times((self.picture.width, self.picture.height))
        return f"<{self._say(self.title)}: {size}; save(path) writes it>"

    def _repr_html_(self) -> str:
        said = self._say
        source = f"data:image/png;base64,{b64encode(self.picture.png).decode()}"
        return _TEMPLATES.get_template("shown.html").render(
            picture=self.picture,
            source=source,
            title=said(self.title),
            legend=self.legend,
            text=said(self.legend.text) if self.legend and self.legend.text else "",
        )

    def _repr_png_(self) -> bytes:
        return self.picture.png

    def save(self, path: Path | str) -> Path:
        """Write it: the picture alone as .png, with its legend as .html.

        Raises:
            CnnvizError: another suffix, or it cannot be written.
        """
        page = f'<!DOCTYPE html><html lang="{self.language}"><meta charset="utf-8">'
        return _saved(path, {".png": self.picture.png, ".html": page + self._repr_html_()})


@dataclass(frozen=True, repr=False)
class Table:
    """Rows of facts; printed, it is a table, also in a notebook.

    Attributes:
        headings: of its columns.
        rows: of cells as they are, for other programs.
        written: the same as readers see them.
        title: below it.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[Any]]
    written: Sequence[Sequence[str]]
    title: str = ""

    def __len__(self) -> int:
        return len(self.rows)

    def __str__(self) -> str:
        table = [self.headings, *self.written]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        numeric = [_numeric(column) for column in zip(*self.written, strict=True)] or [False] * 99
        lines = [
            "  ".join(
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, right in zip(cells, widths, numeric, strict=False)
            ).rstrip()
            for cells in table
        ]
        lines.insert(1, "─" * max(map(len, lines)))
        return "\n".join([*lines, *(["", self.title] if self.title else [])])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        def row(cells: Sequence[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{escape(c)}</{tag}>" for c in cells) + "</tr>"

        rows = "".join(row(cells, "td") for cells in self.written)
        head = f"<thead>{row(self.headings, 'th')}</thead>"
        return f"<table>{head}<tbody>{rows}</tbody></table><p>{escape(self.title)}</p>"

    def save(self, path: Path | str) -> Path:
        """Write it as .csv, .html or .txt.

        Raises:
            CnnvizError: another suffix, or it cannot be written.
        """
        import csv
        from io import StringIO

        text = StringIO(newline="")
        csv.writer(text).writerows([self.headings, *self.rows])
        page = f'<!DOCTYPE html><html><meta charset="utf-8">{self._repr_html_()}'
        forms = {".csv": text.getvalue(), ".html": page, ".txt": f"{self}\n"}
        return _saved(path, forms)


def _numeric(column: Sequence[str]) -> bool:
    return all(not cell or cell.lstrip("−+")[:1].isdigit() for cell in column) and any(column)


class Outputs(dict[str, Tensor]):
    """What `cnnviz.record` gives, told in short: name → shape."""

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {tuple(tensor.shape)}" for name, tensor in self.items())

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"

    def save(self, path: Path | str) -> Path:
        """Write all tensors into a file for `torch.load`."""
        import torch

        file = Path(path)
        write_atomically(file, lambda handle: torch.save(dict(self), handle))
        return file


def _saved(path: Path | str, forms: Mapping[str, str | bytes]) -> Path:
    file = Path(path)
    content = forms.get(file.suffix.lower())
    if content is None:
        raise CnnvizError(f"Cannot save '{file}': expected a name that ends in {', '.join(forms)}.")
    write_atomically(file, content.encode() if isinstance(content, str) else content)
    return file
