"""Both ways to publish, step by step as publish.yml writes them: after code, after a text.

On GitHub each way ends with a site that is uploaded; here it ends with the same folder. The
packages, networks and figures that a runner fetches or makes are those of this build.
"""

import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from gen.settings import ROOT
from gen.texts.languages import read as languages
from tests import workflow

PUBLISH = workflow.read(ROOT / ".github" / "workflows" / "publish.yml")
GITHUB = {
    "github.repository_owner": "someone",
    "github.event.repository.name": "seeing",
    "github.server_url": "https://github.com",
    "github.repository": "someone/seeing",
    "github.ref": "refs/heads/main",
}
TEXT = "docs/en/pooling.md"


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A clone of the repository as it lies here, its packages at hand, nothing built."""
    folder = tmp_path_factory.mktemp("runner") / "repository"
    git("clone", "--quiet", str(ROOT), str(folder), where=ROOT)
    (folder / ".git" / "info" / "exclude").write_text(
        ".venv*\n"
    )  # links here: .gitignore has folders
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", where=ROOT)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():  # a file may be deleted and not yet committed
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
        else:
            (folder / name).unlink(missing_ok=True)
    commit(folder, "as it lies here")
    for environment in (".venv", ".venv-text"):
        (folder / environment).symlink_to((ROOT / ".venv").resolve())
    (folder / ".venv" / ".installed").touch()  # as .github/actions/prepare does
    return folder


def git(*arguments, where):
    run = ["git", *arguments]
    return subprocess.run(run, cwd=where, check=True, capture_output=True, text=True).stdout


def commit(folder, what):
    git("add", "--all", where=folder)
    author = ["-c", "user.name=A test", "-c", "user.email=test@example.org"]
    git(*author, "commit", "--quiet", "--allow-empty", "--message", what, where=folder)


class Runner:
    """The job "build" of publish.yml on one machine after the other, with the caches of main."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tested: dict[str, bytes] = {}
        """Key of the code → bundle of the figures that passed."""

    def publish(self) -> tuple[dict[str, str], list[str]]:
        """Run each step.

        Returns:
            What the steps gave out, and the names of those that ran.
        """
        known, names = dict(GITHUB), []
        for step in PUBLISH["jobs"]["build"]["steps"]:
            if not workflow.runs(step, known):
                continue
            names.append(step.get("name") or step["uses"].partition("@")[0])
            if "run" in step:
                given = workflow.run(step, self.folder, known, PUBLISH["env"])
            else:
                given = self._instead(step, known)
            if "id" in step:
                known |= {
                    f"steps.{step['id']}.outputs.{key}": value for key, value in given.items()
                }
        return known, names

    def _instead(self, step, known):
        """What is done here for an action that only GitHub has."""
        action = step["uses"].partition("@")[0]
        if action == "actions/cache/restore":
            key = workflow.filled(step["with"]["key"], known)
            if key in self.tested:
                bundle = self.folder / step["with"]["path"] / "cnnviz-prebuilt.zip"
                bundle.parent.mkdir(exist_ok=True)
                bundle.write_bytes(self.tested[key])
            return {"cache-primary-key": key} | (
                {"cache-hit": "true"} if key in self.tested else {}
            )
        if action == "./.github/actions/prepare":
            if workflow.filled(step["with"]["text-only"], known) != "true":
                for name in ("models", "figures", "lab"):
                    shutil.copytree(ROOT / "build" / name, self.folder / "build" / name)
            return {}
        if action in ("actions/cache/save", "actions/upload-pages-artifact"):
            for path in step["with"]["path"].split():
                assert (self.folder / path).exists(), f"nothing to keep: {path}"
            return {}
        assert action == "actions/checkout", f"unknown here: {action}"
        return {}

    def next_machine(self) -> None:
        """A runner begins with nothing but what git has."""
        for name in ("build", "site", ".tested"):
            shutil.rmtree(self.folder / name, ignore_errors=True)


def test_publishing_code_then_a_text(clone):
    runner = Runner(clone)

    known, names = runner.publish()
    assert "Build the site, test its texts" in names
    assert "Pack the figures" in names
    check_site(clone)
    first = known["steps.tested.outputs.cache-primary-key"]
    # The job "test" has run all tests, then keeps the bundle.
    runner.tested[first] = (clone / ".tested" / "cnnviz-prebuilt.zip").read_bytes()

    runner.next_machine()
    (clone / TEXT).write_text((clone / TEXT).read_text("utf-8") + "\nOne more sentence.\n", "utf-8")
    commit(clone, "a text")
    known, names = runner.publish()
    assert known["steps.tested.outputs.cache-primary-key"] == first
    assert "Build the site from the figures that were tested, test its texts" in names
    assert "Pack the figures" not in names
    assert not (clone / "build" / "models").exists(), "nothing was trained"
    check_site(clone)
    page = clone / "site" / "en" / "pooling" / "index.html"
    assert "One more sentence." in page.read_text("utf-8")


def check_site(clone):
    """All that is uploaded is there."""
    site = clone / "site"
    for language in languages(clone):
        home = (site / language.folder / "index.html").read_text("utf-8")
        address = "https://someone.github.io/seeing/" + language.folder
        assert re.search(rf'<link rel="canonical" href="{re.escape(address)}"', home)
    for name in ("cnnviz-prebuilt.zip", "cnnviz-offline.zip"):
        assert zipfile.is_zipfile(site / name)
