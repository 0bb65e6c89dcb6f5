"""What may run on a code host, and with which rights (.github/SECURITY.md gives the reasons)."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import workflow

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = sorted((ROOT / ".github" / "actions").glob("*/action.yml"))


def triggers(parsed):
    return set(parsed[True])  # YAML reads the word "on" as true


def test_there_is_something_to_test():
    assert [path.stem for path in WORKFLOWS] == ["check", "publish"]
    assert ACTIONS


def test_zizmor_finds_nothing():
    zizmor = shutil.which("zizmor", path=str(Path(sys.executable).parent))
    assert zizmor, "zizmor is missing: make install"
    command = [zizmor, "--offline", "--no-progress", "--persona", "pedantic", ".github"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=lambda path: path.parent.name)
def test_actions_are_pinned_by_digest_with_their_version(path):
    for used in re.findall(r"uses: (.*)", path.read_text("utf-8")):
        ours = used.startswith("./.github/actions/")
        assert ours or re.fullmatch(r"actions/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used), used


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_rights(path):
    parsed = workflow.read(path)
    assert triggers(parsed).isdisjoint({"pull_request_target", "workflow_run", "issue_comment"})
    assert parsed["permissions"] == {}
    assert "secrets." not in path.read_text("utf-8")
    for name, job in parsed["jobs"].items():
        deploys = name == "deploy"
        rights = {"pages": "write", "id-token": "write"} if deploys else {"contents": "read"}
        assert job["permissions"] == rights, f"{path.name}: {name}"
        if deploys:
            assert all("run" not in step for step in job["steps"])


@pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=lambda path: path.parent.name)
def test_only_code_on_main_leaves_caches(path):
    text = path.read_text("utf-8")
    assert "actions/cache@" not in text, "restore and save apart, so that it is seen who saves"
    assert ("actions/cache/save" in text) == (path.stem == "publish")


def test_only_texts_are_spared_the_tests_of_code():
    """Whatever `publish.yml` does not name as text counts as code: a new kind of file is tested."""
    steps = {step.get("id"): step for step in workflow.read(WORKFLOWS[1])["jobs"]["build"]["steps"]}
    (asked,) = re.findall(r"git ls-files --stage -- (.*)\)", steps["code"]["run"])
    assert set(asked.replace("'", "").split()) == {
        ".",
        ":!*.md",
        ":!docs/glossary.yml",
        ":!docs/in-step.txt",
        ":!docs/prose-allow.yml",
        ":!CITATION.cff",
    }
    assert steps["tested"]["with"]["key"] == "tested-${{ steps.code.outputs.digest }}"
    assert "restore-keys" not in steps["tested"]["with"], "nothing but exactly this code"


def test_what_is_published_was_tested():
    jobs = workflow.read(WORKFLOWS[1])["jobs"]
    assert jobs["test"]["if"] == "needs.build.outputs.tested != 'true'"
    assert [step.get("run") for step in jobs["test"]["steps"]][2] == ".ci/run"
    saved = [s for s in jobs["test"]["steps"] if "cache/save" in s.get("uses", "")]
    assert saved == jobs["test"]["steps"][-1:], "kept as tested only once all tests have passed"
    assert jobs["deploy"]["needs"] == ["build", "test"]
    published = {
        (build, test, tested)
        for build in ("success", "failure", "cancelled", "skipped")
        for test in ("success", "failure", "cancelled", "skipped")
        for tested in ("true", "")
        if _deploys(jobs["deploy"]["if"], build, test, tested)
    }
    assert published == {
        ("success", "success", ""),  # all tests, now
        ("success", "success", "true"),
        ("success", "skipped", "true"),  # a change of text alone
    }


def _deploys(condition, build, test, tested):
    """The condition of the job "deploy" with the outcomes of the others put in."""
    known = {
        "needs.build.result": build,
        "needs.test.result": test,
        "needs.build.outputs.tested": tested,
    }
    return workflow.runs({"if": condition}, known)


def test_requests_are_checked_and_main_is_published():
    assert triggers(workflow.read(WORKFLOWS[0])) == {"pull_request", "merge_group"}
    assert workflow.read(WORKFLOWS[1])[True]["push"] == {"branches": ["main"]}


def test_what_the_workflows_name_is_there():
    text = "".join(path.read_text("utf-8") for path in WORKFLOWS)
    missing = [name for name in re.findall(r"tests/\w+\.py", text) if not (ROOT / name).exists()]
    assert missing == []
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.M)
    for line in re.findall(r"\bmake ((?:[a-z]+ ?)+)", text):
        assert set(line.split()) <= set(targets), line


def test_only_main_fetches_and_before_it_builds():
    asked = {}
    for path in WORKFLOWS:
        for name, job in workflow.read(path)["jobs"].items():
            steps = job["steps"]
            used = [step for step in steps if step.get("uses") == "./.github/actions/prepare"]
            asked |= {f"{path.stem} {name}": step["with"].get("fetch-mnist", "") for step in used}
            for step in steps[steps.index(used[0]) + 1 :] if used else ():
                if re.search(r"\bmake offline\b|\.ci/run", step.get("run", "")):
                    with_bundle = "PREBUILT" in step.get("env", {})
                    assert ("DATA_DIR" in step.get("env", {})) != with_bundle, step["name"]
    assert asked == {"check test": "", "publish build": "true", "publish test": "true"}
    assert "DOWNLOAD" in workflow.read(WORKFLOWS[1])["env"]
    assert "DOWNLOAD" not in WORKFLOWS[0].read_text("utf-8")


@pytest.mark.parametrize(("status", "given"), [(0, {"got": "true"}), (1, {})])
def test_a_build_goes_on_without_mnist(tmp_path, status, given):
    """The step that fetches, as it is written, with something else in the place of Python."""
    steps = {step.get("id"): step for step in workflow.read(ACTIONS[0])["runs"]["steps"]}
    folder = tmp_path / "repository"
    python, raw = folder / ".venv" / "bin" / "python", folder / "build/torchvision/MNIST/raw"
    python.parent.mkdir(parents=True)
    python.write_text(
        f"#!/bin/sh\nmkdir -p {raw}; touch {raw}/t10k-ubyte {raw}/t10k-ubyte.gz; exit {status}\n"
    )
    python.chmod(0o755)
    assert workflow.run(steps["fetch"], folder, {}, {}) == given
    assert [path.name for path in raw.glob("*")] == ([] if status else ["t10k-ubyte"])
    data_dir = workflow.read(ACTIONS[0])["outputs"]["data-dir"]["value"]
    known = {f"steps.fetch.outputs.{key}": value for key, value in given.items()}
    known["github.workspace"] = "/w"
    assert workflow.filled(data_dir, known) == ("" if status else "/w/build/torchvision")
    known["steps.mnist.outputs.cache-hit"] = "true"
    assert workflow.filled(data_dir, known) == "/w/build/torchvision"


def test_a_link_that_is_called_a_text_counts_as_code(tmp_path):
    """The step that names the code, as it is written, in a repository of its own."""
    from yaml import safe_load

    steps = safe_load(WORKFLOWS[1].read_text("utf-8"))["jobs"]["build"]["steps"]
    (script,) = [step["run"] for step in steps if step.get("id") == "code"]

    def git(*arguments):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)

    def digest():
        git("add", "--all")
        output = tmp_path.with_name("output")
        output.write_text("")
        command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]
        env = {"PATH": os.environ["PATH"], "GITHUB_OUTPUT": str(output)}
        subprocess.run(command, cwd=tmp_path, env=env, check=True)
        (line,) = output.read_text().splitlines()
        assert re.fullmatch("digest=[0-9a-f]{64}", line)
        return line

    git("init", "--quiet")
    (tmp_path / "docs").mkdir()
    (tmp_path / "code.py").write_text("x = 1\n")
    (tmp_path / "docs" / "a.md").write_text("text\n")
    before = digest()
    (tmp_path / "docs" / "a.md").write_text("another text\n")
    (tmp_path / "docs" / "b.md").write_text("text\n")
    assert digest() == before
    link = tmp_path / "docs" / "c.md"
    link.symlink_to("a.md")
    with_link = digest()
    assert with_link != before
    link.unlink()
    link.symlink_to("b.md")
    assert digest() not in {before, with_link}
    link.unlink()
    assert digest() == before
    (tmp_path / "code.py").write_text("x = 2\n")
    assert digest() != before
