import subprocess
import sys

import pytest
import torch

from cnnviz import cli
from cnnviz.own.commands import options_of
from tests.own.conftest import NET, photos_in

SQUARE = """
import torch
from torch import nn

def load():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 30 * 30, 2))
"""


def test_the_whole_way(write, tmp_path, capsys):
    """A grey network of a file over digits of a function."""
    path = write("""
        import torch
        from torch import nn
        def load():
            torch.manual_seed(0)
            return nn.Sequential(nn.Conv2d(1, 2, 5), nn.ReLU(), nn.Flatten(), nn.Linear(1152, 3))
        def images():
            torch.manual_seed(1)
            return torch.rand(30, 1, 28, 28), torch.arange(30) % 3
    """)
    out = tmp_path / "atlas"
    command = ["atlas", str(path), "--images", f"{path}:images", "-o", str(out), "--name", "tiny"]
    assert cli.main([*command, "--lang", "en", "--title", "Tiny net"]) == 0
    told = capsys.readouterr().out
    assert "Network: Tiny net (Sequential), 3,511 parameters" in told
    assert "Images: 30 of 1×28×28, 3 classes; counted over all" in told
    assert "Layers: 4, 2 of them with weights and 5 units" in told
    assert "of 30 images right; chance is 33.3%. That is near chance" in told
    assert (out / "index.html").is_file()
    assert "Tiny net" in (out / "index.html").read_text("utf-8")
    assert not (out / "zh").exists()


def test_it_says_nothing_of_what_it_is_not_asked(write, fails, tmp_path):
    error = fails("atlas", write(NET + "def load(): return Net()"), "-o", tmp_path / "out")
    assert error.startswith("No images to look at. Add --images FOLDER")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--size", "big"], "--size big: expected pixels, such as 64"),
        (["--size", "1x2x3"], "--size 1x2x3: expected pixels"),
        (["--size", "0"], "--size 0: expected pixels"),
        (["--mean", "a,b"], "--mean a,b: expected a number for each channel"),
        (["--mean", "0.5"], "Give both --mean and --std"),
        (["--optimise", "some"], "--optimise some: expected a number, all, or none"),
        (["--optimise", "-1"], "--optimise -1: expected a number, all, or none"),
        (["--device", "tpu"], "Device 'tpu' is not available"),
        (["--images", "nowhere"], "There is no folder 'nowhere'"),
        (["--images", "empty"], "There are no images in 'empty'"),
        (["--images", "photos", "--labels", "nowhere.csv"], "The file 'nowhere.csv' of --labels"),
        (["--images", "photos", "--classes", "nowhere.txt"], "The file 'nowhere.txt' of --classes"),
        (["--images", "photos", "--classes", "three.txt"], "There are 3 names of classes, but the"),
        (["--images", "photos", "--out", "three.txt/x"], "is no folder that you may write to"),
        (["--images", "photos", "--out", "three.txt"], "'three.txt' is a file"),
        (["--images", "photos", "--out", "photos"], "'photos' holds files that are no atlas"),
        (["--images", "photos", "--lang", "fr"], "There is no language 'fr'"),
        (["--images", "photos", "--count", "2", "--name", "x"], ""),
    ],
)
def test_one_line_for_a_mistake(write, fails, tmp_path, monkeypatch, photos, options, message):
    if not message:
        pytest.skip("what succeeds is tested above")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "three.txt").write_text("a\nb\nc\n")
    file = write(NET + "def load(): return Net()")
    assert message in fails("atlas", file, "--images", "photos", *options)


def test_a_size_that_does_not_fit(write, fails, photos):
    error = fails("atlas", write(SQUARE), "--images", photos)
    assert error.startswith("The network fails on images of 3×16×20 (RuntimeError: ")
    assert error.endswith("It takes images of 32×32: try --size 32.")


def test_a_number_of_channels_that_does_not_fit(write, fails, photos):
    path = write(NET + "def load(): return Net(channels=4)")
    error = fails("atlas", path, "--images", photos)
    assert "Its first layer takes 4 channels. Photographs give 1 or 3" in error


def test_images_and_classes_that_load_gives(write, fails, tmp_path):
    photos_in(tmp_path / "photos", {"blue": 2, "red": 2})
    options = {"images": str(tmp_path / "photos"), "size": (8, 8), "classes": ["a", "b", "c"]}
    path = write(NET + f"def load(): return Net(), {options}")
    assert "There are 3 names of classes, but the network has 2" in fails("atlas", path)


def test_options_that_are_not_there_yet_are_no_silence():
    with pytest.raises(Exception, match="--sideways is not there yet"):
        options_of(sideways=3)
    assert options_of(command="x", sideways=None).command == "x"


def test_the_summary_of_a_network(capsys):
    assert cli.main(["summary", "cnnviz.nets.models:LeNet", "--size", "28"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["layer", "kind", "output", "parameters", "multiplications", "field"]
    assert lines[4].split() == ["conv1", "Conv2d", "6×28×28", "156", "117,600", "5×5"]
    # 117,600 + 16·10·10·6·25 + 400·120 + 120·84 + 84·10
    assert lines[-1] == (
        "LeNet: 14 layers, 61,706 parameters, 416,520 multiplications for an image of 1×28×28"
    )


def test_version(capsys):
    import cnnviz

    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"cnnviz {cnnviz.__version__}\n"


def test_help_of_the_atlas_is_quick():
    code = "import sys; from cnnviz import cli; cli.main(['atlas', '-h']); "
    code += "print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--images" in run.stdout
    assert run.stdout.splitlines()[-1] == "False"


def test_only_the_first_of_several_processes_speaks(monkeypatch, capsys):
    from cnnviz.own.commands import report

    monkeypatch.setenv("RANK", "1")
    report("hidden")
    monkeypatch.setenv("RANK", "0")
    report("shown")
    assert capsys.readouterr().out == "shown\n"
    assert torch.get_num_threads() >= 1
