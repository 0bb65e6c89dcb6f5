"""What took long to make, kept in files that tell whether they are whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from cnnviz.files import DamagedError, seal, write_sealed


def write(path: Path, state: dict[str, Any]) -> None:
    """Keep tensors, numbers and words, whole or not at all.

    Raises:
        CnnvizError: the file cannot be written.
    """
    write_sealed(path, lambda file: torch.save(state, file))


def read(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """What was kept, once the digest of the file has been found right. Runs no code from it.

    Raises:
        DamagedError: it is not as `write` left it; what to do, the caller knows.
    """
    try:
        seal(path)
        state = torch.load(path, map_location=device, weights_only=True)
    except DamagedError:
        raise
    except Exception as error:  # torch.load raises many types; a folder is an OSError
        raise DamagedError(type(error).__name__) from error
    if not isinstance(state, dict):
        raise DamagedError("it holds something else")
    return state
