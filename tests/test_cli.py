import json
import subprocess
import sys

import pytest

from cnnviz import cli
from cnnviz.data import catalogue
from cnnviz.training import runs
from cnnviz.training.recipe import Recipe


@pytest.fixture
def quick(monkeypatch):
    """A few steps on a few digits."""
    monkeypatch.setattr(catalogue, "MADE", {"train": (300, 1), "test": (100, 2)})
    for name in ("lenet", "mlp", "lenet-scrambled"):
        recipe = Recipe(
            name.split("-")[0], steps=5, batch_size=16, scramble=name.endswith("scrambled")
        )
        monkeypatch.setitem(runs.RECIPES, name, recipe)


def test_train_and_evaluate(quick, tmp_path, capsys):
    assert cli.main(["train", "lenet", "mlp", "--build-dir", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["lenet", "mlp"]
    assert len(list((tmp_path / "models").glob("*.pt"))) == 2
    assert cli.main(["evaluate", "lenet", "--build-dir", str(tmp_path), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["n"] == 100
    assert result["accuracy"] == pytest.approx(sum(result["per_class"].values()) / 10)
    assert cli.main(["evaluate", "lenet", "--build-dir", str(tmp_path)]) == 0
    assert "lenet on digits:" in capsys.readouterr().out


def test_scrambled_networks_are_tested_on_scrambled_images(quick, tmp_path, capsys):
    command = ["evaluate", "lenet-scrambled", "--build-dir", str(tmp_path), "--json"]
    assert cli.main(command) == 0
    assert json.loads(capsys.readouterr().out)["n"] == 100


def test_evaluate_on_the_real_files(quick, tmp_path, capsys, real_digits_dir):
    command = ["evaluate", "lenet", "--dataset", "mnist", "--data-dir", str(real_digits_dir)]
    assert cli.main([*command, "--build-dir", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n"] == 500


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["train", "lenett"], "Unknown model 'lenett'. Did you mean 'lenet'?"),
        (["train", "lenet", "--dataset", "minst"], "Did you mean 'mnist'?"),
        (["evaluate", "mlpp"], "Did you mean 'mlp'?"),
        (["evaluate", "mlp", "--dataset", "digit"], "Did you mean 'digits'?"),
        (["evaluate", "lenet", "--dataset", "mnist"], "--data-dir DIR"),
        (["train", "lenet", "--device", "tpu"], "Device 'tpu' is not available"),
        (["evaluate", "lenet", "--checkpoint", "nowhere.pt"], "No checkpoint 'nowhere.pt'"),
    ],
)
def test_one_clear_line_for_a_mistake(quick, tmp_path, capsys, command, message):
    assert cli.main([*command, "--build-dir", str(tmp_path)]) == 1
    error = capsys.readouterr().err.strip()
    assert message in error
    assert len(error.splitlines()) == 1
    assert not list(tmp_path.rglob(".*"))


def test_an_unwritable_build_folder(quick, tmp_path, capsys):
    (tmp_path / "build").write_text("in the way")
    assert cli.main(["train", "lenet", "--build-dir", str(tmp_path / "build")]) == 1
    assert "Cannot write" in capsys.readouterr().err


def test_help(capsys):
    assert cli.main(["--help"]) == 0
    assert "evaluate" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ([], "command"),
        (["trian"], "trian"),
        (["train", "--jobs", "many"], "--jobs"),
        (["evaluate"], "MODEL"),
        (["evaluate", "lenet", "--jason"], "--jason"),
    ],
)
def test_wrong_usage(capsys, command, message):
    assert cli.main(command) == 2
    assert message in capsys.readouterr().err


def test_ctrl_c(quick, tmp_path, monkeypatch, capsys):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("cnnviz.training.checkpoints.trained", interrupt)
    assert cli.main(["train", "lenet", "--build-dir", str(tmp_path)]) == 130
    error = capsys.readouterr().err
    assert error == "cnnviz: interrupted; the next run goes on from here.\n"


def test_two_at_a_time(tmp_path, monkeypatch):
    """Each process is given its share of the networks, and the worst exit status is the result."""
    monkeypatch.setattr(cli, "_fetch", lambda *_: None)
    run = []

    def start(command, check):
        run.append(command[3:])
        return subprocess.CompletedProcess(command, len(command[4:]) - 6)

    monkeypatch.setattr(subprocess, "run", start)
    command = ["train", "lenet", "mlp", "lenet-scrambled", "--jobs", "2"]
    status = cli.main([*command, "--build-dir", str(tmp_path)])
    assert sorted(c[1:-6] for c in run) == [["lenet", "lenet-scrambled"], ["mlp"]]
    assert {tuple(c[-6:]) for c in run} == {
        ("--dataset", "digits", "--device", "cpu", "--build-dir", str(tmp_path))
    }
    assert status == 2


def test_help_is_quick():
    """It needs no torch, which would take seconds."""
    code = "import sys; from cnnviz import cli; cli.main(['--help']); print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "False"
