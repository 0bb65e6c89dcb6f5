"""What may run on a code host, and with which rights (.github/SECURITY.md gives the reasons)."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = sorted((ROOT / ".github" / "actions").glob("*/action.yml"))


def parsed(path):
    return yaml.safe_load(path.read_text("utf-8"))


def triggers(workflow):
    return set(workflow[True])  # YAML reads the word "on" as true


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
    workflow = parsed(path)
    assert triggers(workflow).isdisjoint({"pull_request_target", "workflow_run", "issue_comment"})
    assert workflow["permissions"] == {}
    assert "secrets." not in path.read_text("utf-8")
    for name, job in workflow["jobs"].items():
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


def test_requests_are_checked_and_main_is_published():
    assert triggers(parsed(WORKFLOWS[0])) == {"pull_request", "merge_group"}
    assert parsed(WORKFLOWS[1])[True]["push"] == {"branches": ["main"]}


def test_what_the_workflows_name_is_there():
    text = "".join(path.read_text("utf-8") for path in WORKFLOWS)
    missing = [name for name in re.findall(r"tests/\w+\.py", text) if not (ROOT / name).exists()]
    assert missing == []
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.M)
    for line in re.findall(r"\bmake ((?:[a-z]+ ?)+)", text):
        assert set(line.split()) <= set(targets), line
