import sys

import pytest
import torch
from torch import nn

from cnnviz.atlas.subject import Subject
from cnnviz.data import catalogue
from cnnviz.errors import CnnvizError
from cnnviz.own.models import as_module, open_model
from cnnviz.training import runs
from cnnviz.training.recipe import Recipe
from tests.own.conftest import NET

LOAD = "\ndef load():\n    torch.manual_seed(0)\n    return Net()\n"


def test_a_file(write):
    opened = open_model(str(path := write(NET + LOAD)))
    assert type(opened.model).__name__ == "Net"
    assert not opened.model.training
    assert opened.name == opened.title.replace(" ", "-") == path.stem
    assert sys.path[0] != str(path.parent)


def test_another_function_and_a_class(write):
    path = write(NET + "\ndef other():\n    return Net(classes=7)\n")
    assert open_model(f"{path}:other").model.fc.out_features == 7
    assert open_model(f"{path}:Net").model.fc.out_features == 2


def test_a_network_that_stands_in_the_file(write):
    assert open_model(f"{write(NET + 'made = Net()')}:made").model.fc.out_features == 2


def test_imports_and_files_beside_it(write, tmp_path, monkeypatch):
    parts = write(NET, "parts")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    path = write(f"""
        import torch
        from {parts.stem} import Net
        def load():
            net = Net()
            net.load_state_dict(torch.load("weights.pt"))
            return net
    """)
    model = open_model(f"{parts}:Net").model
    torch.save(model.state_dict(), tmp_path / "weights.pt")
    assert torch.equal(open_model(str(path)).model.fc.weight, model.fc.weight)


def test_options_beside_the_network(write):
    load = "\ndef load(): return Net(), {'size': 32, 'classes': ['a', 'b'], 'title': 'My (net)'}"
    opened = open_model(str(write(NET + load)))
    assert opened.options["size"] == 32
    assert opened.classes == ("a", "b")
    assert opened.title == "My net"


def test_a_subject(write):
    opened = open_model(
        str(
            write(
                NET
                + """
from cnnviz.atlas.subject import Subject
def load():
    images = torch.rand(4, 3, 8, 8)
    return Subject("a b", "A", Net(), images, torch.arange(4) % 2, ["x", "y"], [0, 1], 2)
"""
            )
        )
    )
    assert isinstance(opened.subject, Subject)
    assert opened.subject.name == opened.name == "a-b"
    assert not opened.subject.model.training


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("None", "returned nothing (None); expected a trained nn.Module. End it with 'return"),
        ("Net", "returned the class Net; expected a network. Return Net(…)."),
        ("Net().state_dict()", "returned a dictionary of weights"),
        ("(Net(), 'adam')", "returned a tuple (Net, str); expected one nn.Module"),
        ("(Net(), {'sise': 3})", "returned the option 'sise' beside the network. Known: images"),
        ("torch.jit.trace(Net(), torch.rand(1, 3, 8, 8))", "runs outside Python"),
        ("torch.export.export(Net(), (torch.rand(1, 3, 8, 8),))", "exported program"),
        ("1 / 0", "line 15: ZeroDivisionError: division by zero"),
        ("exit(3)", "line 15: the file ends the program"),
        ("torch.load('nowhere.pt')", "line 15: there is no file 'nowhere.pt', neither"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_is_no_network(write, fails, returned, message):
    error = fails("summary", write(NET + f"def load():\n    return {returned}\n"))
    assert message in error


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "x = 1",
            "has no function 'load'. Add one without arguments that returns a trained nn.Mod",
        ),
        ("def load(path):\n    pass", "load() is called without arguments"),
        ("import nowhere_at_all", "line 1: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("x = (", "line 1: SyntaxError"),
        ("import sys; sys.exit()", "line 1: the file ends the program"),
        ("import argparse\nargparse.ArgumentParser().add_argument('x').parse_args()", "line 2"),
    ],
)
def test_a_file_that_goes_wrong(write, fails, source, message):
    assert message in fails("summary", write(source))


def test_errors_in_modules_beside_it_name_their_line(write, fails):
    broken = write("\n\nraise ValueError('too\\nlong')", "broken")
    error = fails("summary", write(f"import {broken.stem}"))
    assert error == f"{broken.name}, line 3: ValueError: too long"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nowhere.py", "There is no file 'nowhere.py'"),
        ("lenett", "Unknown network 'lenett'. Did you mean 'lenet'? Expected a Python file"),
        ("torchvision:resnet19", "Unknown network of torchvision's 'resnet19'. Did you mean 'res"),
        ("nowhere.at:all", "nowhere.at: ModuleNotFoundError"),
        ("torch.nn:Modul", "'torch.nn' has no 'Modul'. Did you mean 'Module'?"),
    ],
)
def test_what_is_not_there(fails, spec, message):
    assert message in fails("summary", spec)


def test_a_module_of_an_installed_package():
    assert isinstance(open_model("cnnviz.nets.models:LeNet").model.conv1, nn.Conv2d)


# --- Weights ------------------------------------------------------------------------------------


def test_random_weights_of_torchvision_are_told():
    opened = open_model("torchvision:squeezenet1_1")
    assert "random weights" in opened.notes[0]
    again = open_model("torchvision:squeezenet1_1").model.state_dict()
    assert all(torch.equal(w, again[name]) for name, w in opened.model.state_dict().items())
    assert opened.classes == ()
    assert opened.transforms.crop_size == [224]


@pytest.mark.parametrize("wrapped", ["state_dict", "module.", ""])
def test_weights_from_a_file(tmp_path, wrapped):
    from torchvision.models import squeezenet1_1

    torch.manual_seed(1)
    model = squeezenet1_1(num_classes=5)
    state = model.state_dict()
    if wrapped == "module.":
        state = {wrapped + key: value for key, value in state.items()}
    elif wrapped:
        state = {"epoch": 3, wrapped: state}
    torch.save(state, tmp_path / "w.pth")
    opened = open_model("torchvision:squeezenet1_1", str(tmp_path / "w.pth"))
    assert opened.classes == ()  # those of ImageNet are not its own
    for name, value in model.state_dict().items():
        assert torch.equal(opened.model.state_dict()[name], value)


def test_weights_for_a_class_of_a_file(write, tmp_path, fails):
    path = write(NET)
    torch.save(open_model(f"{path}:Net").model.state_dict(), tmp_path / "w.pth")
    open_model(f"{path}:Net", str(tmp_path / "w.pth"))
    torch.save({"conv.weight": torch.zeros(1)}, tmp_path / "wrong.pth")
    error = fails("summary", f"{path}:Net", "--weights", tmp_path / "wrong.pth")
    assert "do not fit the network: size mismatch for conv.weight" in error
    (tmp_path / "text.pth").write_text("no weights")
    error = fails("summary", f"{path}:Net", "--weights", tmp_path / "text.pth")
    assert "cannot be read" in error


def test_weights_that_cannot_be_fetched(monkeypatch, tmp_path, fails):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    error = fails("summary", "torchvision:squeezenet1_1", "--weights", "DEFAULT")
    assert "could not be fetched from https://" in error
    assert "--weights FILE.pth" in error
    error = fails("summary", "torchvision:squeezenet1_1", "--weights", "IMAGENET1K_V9")
    assert "Did you mean 'IMAGENET1K_V1'?" in error
    error = fails("summary", "torchvision:squeezenet1_1", "--weights", "nowhere.pth")
    assert "There is no file 'nowhere.pth'" in error


def test_wrapped_networks_are_unwrapped():
    net = nn.Sequential(nn.Linear(2, 2))
    assert as_module(nn.DataParallel(net), "it") is net
    assert as_module(torch.optim.swa_utils.AveragedModel(net), "it")[0].in_features == 2
    assert as_module(torch.compile(net), "it") is net
    with pytest.raises(CnnvizError, match="it returned int; expected a trained"):
        as_module(3, "it")


# --- Ours ---------------------------------------------------------------------------------------


def test_a_network_of_ours_comes_with_its_images(monkeypatch, tmp_path):
    monkeypatch.setattr(catalogue, "MADE", {"train": (300, 1), "test": (100, 2)})
    monkeypatch.setitem(runs.RECIPES, "lenet", Recipe("lenet", steps=5, batch_size=16))
    opened = open_model("lenet", build_dir=tmp_path)
    subject = opened.subject
    assert (opened.name, opened.title) == ("lenet", "LeNet")
    assert len(subject.images) == len(subject.labels) == 100
    assert subject.steps == [0, 1, 2, 4, 5]
    assert subject.examples == 10
    assert subject.labels[list(subject.shown[:10])].tolist() == list(range(10))
    assert not torch.equal(subject.past(0).conv1.weight, subject.model.conv1.weight)
    with pytest.raises(CnnvizError, match="takes no --weights"):
        open_model("lenet", "DEFAULT", build_dir=tmp_path)
