"""Which version and commit a page, a figure or a bundle was made from."""

from __future__ import annotations

import os
import subprocess
import tomllib
from functools import cache

from gen.settings import ROOT


@cache
def commit() -> str:
    """The commit of this build, with a plus sign if files were changed since; "" without git."""
    if value := os.environ.get("CNNVIZ_COMMIT"):
        return value
    run = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--exclude=*"]
    try:
        return subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


@cache
def version() -> str:
    """The version of the package and of the site."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["version"])
