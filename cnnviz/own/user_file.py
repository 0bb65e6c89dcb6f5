"""A Python file of the user's: what stands in it, and what goes wrong in it, in one line."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, chdir, contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

from cnnviz.errors import CnnvizError, printable


@dataclass(frozen=True)
class Place:
    """A name in a Python file, or in an installed module.

    Attributes:
        module: the file, or the dotted name of the module.
        name: what is looked for in it.
    """

    module: Path | str
    name: str

    @property
    def stem(self) -> str:
        """What stands for it in names: `my_model` of my_model.py."""
        return self.module.stem if isinstance(self.module, Path) else self.module.split(".")[-1]

    @property
    def is_file(self) -> bool:
        """Is it a file, not an installed module?"""
        return isinstance(self.module, Path)

    @property
    def title(self) -> str:
        """What messages call it: my_model.py, without its folder."""
        return self.module.name if isinstance(self.module, Path) else self.module


def place_of(spec: str, name: str) -> Place | None:
    """The place that `spec` names, or None if it names no file and no module.

    >>> place_of("nets/mine.py", "load")
    Place(module=PosixPath('nets/mine.py'), name='load')
    >>> place_of("timm.models:resnet", "load")
    Place(module='timm.models', name='resnet')

    Args:
        spec: "file.py", "file.py:name" or "package.module:name".
        name: what is looked for where `spec` names none.
    """
    before, colon, after = spec.rpartition(":")
    if before.endswith(".py") and after.isidentifier():
        return Place(Path(before), after)
    if spec.endswith(".py"):
        return Place(Path(spec), name)
    dotted = all(part.isidentifier() for part in before.split("."))
    return Place(before, after) if colon and dotted and after.isidentifier() else None


def found_at(place: Place, wanted: str) -> Any:
    """What `place` names, called if it is a function or a class: the answer.

    Relative paths are first opened from where the command runs, as Python does; if a file is not
    there, the same is tried once more from the folder of the user's file.

    Args:
        wanted: what is expected of it, for the error.

    Raises:
        CnnvizError: no such file or name; whatever the user's code raises, with file and line.
    """
    if isinstance(place.module, Path) and not place.module.is_file():
        raise CnnvizError(f"There is no file '{place.module}'. Say where it is: PATH/TO/FILE.py.")
    folder = Path()
    if isinstance(place.module, Path):
        place = Place(place.module.resolve(), place.name)  # before the folder changes
        folder = Path(place.module).parent
    try:
        return _run(place, wanted)
    except FileNotFoundError as error:
        if not _beside(error, folder):
            raise _told(error, place) from error
    with chdir(folder):
        try:
            return _run(place, wanted)
        except FileNotFoundError as error:
            raise _told(error, place) from error


def _run(place: Place, wanted: str) -> Any:
    with users_code(place):
        value: Any = getattr(module := _module(place), place.name, _ABSENT)
        if value is _ABSENT:
            raise _no_such_name(place, module, wanted)
        if not _is_function(value):
            return value
        _refuse_arguments(place, value)
        return value()


_ABSENT = object()


@contextmanager
def users_code(place: Place) -> Iterator[None]:
    """Runs code of the user's: what it imports lies beside it, and its errors become one line.

    `FileNotFoundError` is left to the caller, who may look elsewhere.
    """
    with ExitStack() as undo:
        if isinstance(place.module, Path):
            folder = str(place.module.resolve().parent)
            sys.path.insert(0, folder)
            undo.callback(sys.path.remove, folder)
            # A file that reads arguments would otherwise read those of `cnnviz`.
            undo.callback(setattr, sys, "argv", sys.argv)
            sys.argv = [str(place.module)]
        try:
            yield
        except (CnnvizError, FileNotFoundError):
            raise
        except (Exception, SystemExit) as error:
            raise _told(error, place) from error


def _module(place: Place) -> ModuleType:
    if isinstance(place.module, str):
        return importlib.import_module(place.module)
    path = place.module.resolve()
    changed = path.stat().st_mtime_ns
    if path in _RUN and _RUN[path][0] == changed:
        return _RUN[path][1]
    # Pickled networks name the module that made them, so it has the name of the file if it can.
    known = sys.modules.get(path.stem)
    name = path.stem if known is None or _file_of(known) == path else f"_cnnviz_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None, "a file that ends in .py has a loader"
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    _RUN[path] = changed, module
    return module


_RUN: dict[Path, tuple[int, ModuleType]] = {}
"""Files that were run, with the time of their last change: once for the network and its images."""


def _file_of(module: ModuleType) -> Path | None:
    file = getattr(module, "__file__", None)
    return Path(file).resolve() if file else None


def _is_function(value: Any) -> bool:
    """A function or a class, not an object that can be called, such as a network."""
    return inspect.isroutine(value) or inspect.isclass(value)


def _refuse_arguments(place: Place, function: Callable[..., Any]) -> None:
    try:
        inspect.signature(function).bind()
    except TypeError as error:
        raise CnnvizError(
            f"{place.title}: {place.name}() is called without arguments ({error}). "
            "Give each of its parameters a default."
        ) from error
    except ValueError:  # some functions made in C tell no signature
        pass


def _no_such_name(place: Place, module: ModuleType, wanted: str) -> CnnvizError:
    public = [name for name in vars(module) if not name.startswith("_")]
    if place.name != "load":
        near = get_close_matches(place.name, public, n=1, cutoff=0.5)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        return CnnvizError(
            f"'{place.title}' has no '{place.name}'.{hint} Expected a function that returns "
            f"{wanted}."
        )
    return CnnvizError(
        f"'{place.title}' has no function 'load'. Add one without arguments that returns "
        f"{wanted}, or name another function: {place.title}:NAME."
    )


def _beside(error: FileNotFoundError, folder: Path) -> bool:
    """Would a file that was not found be there, seen from the folder of the user's file?"""
    name = error.filename
    return isinstance(name, str) and not Path(name).is_absolute() and (folder / name).exists()


def _told(error: BaseException, place: Place) -> CnnvizError:
    """What went wrong in the user's code: file, line, error, in one line."""
    where = _line(error, place)
    if isinstance(error, SystemExit):
        return CnnvizError(
            f"{where}: the file ends the program. Put what is not needed to load the network "
            "under: if __name__ == '__main__':"
        )
    if isinstance(error, FileNotFoundError):
        return CnnvizError(
            f"{where}: there is no file '{error.filename}', neither where the command runs nor "
            "beside that Python file. Mend the path."
        )
    return CnnvizError(f"{where}: {said(error)}")


def said(error: BaseException) -> str:
    """An error of others in one line, such as "RuntimeError: size mismatch"."""
    text = printable(" ".join(str(error).split()))
    text = text if len(text) <= 300 else f"{text[:300]} …"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _line(error: BaseException, place: Place) -> str:
    """Where it happened: the innermost line of the user's own code."""
    if not isinstance(place.module, Path):
        return place.title
    folder = place.module.resolve().parent
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return f"{Path(error.filename).name}, line {error.lineno}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if file.is_absolute() and file.parent == folder:
            return f"{file.name}, line {frame.lineno}"
    return place.title
