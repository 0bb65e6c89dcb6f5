"""GitHub's workflows on this machine: which steps run, with which environment, and what they do.

Steps that say `run` run as they are written. Steps that say `uses` cannot run here; a test puts
something in their place.
"""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.S)
_NAME = re.compile(r"'[^']*'|\b(?:steps|needs|vars|github|inputs|runner)(?:\.[\w-]+)+")


def evaluate(expression: str, known: Mapping[str, str]) -> Any:
    """The value of what stands in ${{ … }}; a name that is not `known` is empty, as on GitHub."""

    def put_in(found: re.Match[str]) -> str:
        word = found[0]
        return word if word.startswith("'") else repr(known.get(word, ""))

    code = _NAME.sub(put_in, expression.strip())
    code = code.replace("!cancelled()", "True").replace("&&", " and ").replace("||", " or ")

    def format(text: str, *values: str) -> str:
        return text.format(*values)

    return eval(code, {"__builtins__": {}, "format": format, "true": True, "false": False})


def filled(text: Any, known: Mapping[str, str]) -> str:
    """A value of `env`, as the step sees it."""
    return _EXPRESSION.sub(lambda found: str(evaluate(found[1], known)), str(text))


def runs(step: Mapping[str, Any], known: Mapping[str, str]) -> bool:
    """Does the step's `if` hold?"""
    return bool(evaluate(step.get("if", "true").removeprefix("${{").removesuffix("}}"), known))


def run(
    step: Mapping[str, Any], folder: Path, known: Mapping[str, str], common: Mapping[str, Any]
) -> dict[str, str]:
    """Run the shell of a step, as GitHub does.

    Returns:
        What it wrote to GITHUB_OUTPUT.

    Raises:
        AssertionError: it ended with an error; says what it printed.
    """
    output = folder.parent / "github-output"
    output.write_text("")
    env = {name: value for name, value in os.environ.items() if not _OURS.match(name)}
    env |= {name: filled(value, known) for name, value in {**common, **step.get("env", {})}.items()}
    env |= {"GITHUB_OUTPUT": str(output), "CI": "true"}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    done = subprocess.run(
        command,
        check=False,
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"{step.get('name')}:\n{done.stdout[-4000:]}"
    return dict(line.split("=", 1) for line in output.read_text().splitlines())


_OURS = re.compile("(MAKE|MFLAGS|PYTEST|PREBUILT|DATA|DOWNLOAD|CNNVIZ|SITE_URL|REPO_URL|OMP_NUM)")
"""Variables of the test run itself, which no workflow knows."""


def read(path: Path) -> dict[str, Any]:
    """A workflow or an action."""
    parsed: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return parsed
