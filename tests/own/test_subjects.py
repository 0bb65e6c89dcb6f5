import pytest
import torch
from torch import nn

from cnnviz.atlas.drawn import Options
from cnnviz.atlas.subject import Subject
from cnnviz.errors import CnnvizError
from cnnviz.inside.layers import layers_of
from cnnviz.own.estimate import estimate
from cnnviz.own.images import open_images
from cnnviz.own.models import Opened
from cnnviz.own.preflight import preflight
from cnnviz.own.sample import Sample, chosen_from, first_look
from cnnviz.own.subjects import labelled, subject_of

IDS = torch.tensor([0, 1, 1])


@pytest.mark.parametrize(
    ("theirs", "outputs", "names", "labels", "classes"),
    [
        (["cat", "dog"], 2, [], [0, 1, 1], ["cat", "dog"]),
        (["cat", "dog"], 3, ["dog", "cow", "cat"], [2, 0, 0], ["dog", "cow", "cat"]),
        (["Egyptian_cat", "DOG"], 2, ["dog, hound", "x, egyptian cat"], [1, 0, 0], None),
        (["7", "3"], 10, [], [7, 3, 3], [str(i) for i in range(10)]),
        ([], 3, [], [0, 1, 1], ["0", "1", "2"]),
        ([], 2, ["a", "b"], [0, 1, 1], ["a", "b"]),
    ],
)
def test_classes_in_the_order_of_the_outputs(theirs, outputs, names, labels, classes):
    found = labelled(IDS, theirs, outputs, names)
    assert found.labels.tolist() == labels
    assert list(found.classes) == (classes or names)
    assert not found.notes


def test_classes_that_the_network_does_not_know():
    found = labelled(IDS, ["cat", "dog"], 1000, [])
    assert found.labels is None
    assert (
        "'cat', 'dog' are not known to the network (it has 1000 outputs, not 2)" in found.notes[0]
    )
    found = labelled(IDS, ["cat", "dgo"], 2, ["cat", "dog"])
    assert "classes 'dgo' are not known" in found.notes[0]
    assert "numbered 0 to 1, but the network has 1 outputs" in labelled(IDS, [], 1, []).notes[0]
    assert labelled(None, [], 2, ["a", "b"]).classes == ["a", "b"]
    assert labelled(IDS, [], None, []).labels is None
    with pytest.raises(CnnvizError, match="There are 1 names of classes"):
        labelled(IDS, [], 2, ["a"])


class Bright(nn.Module):
    """Which of two halves is brighter."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 2, bias=False)
        with torch.no_grad():
            self.fc.weight.copy_(torch.eye(2))

    def forward(self, x):
        return self.fc(torch.stack([x[..., :4].mean((1, 2, 3)), x[..., 4:].mean((1, 2, 3))], 1))


def halves(count=20, wrong=0):
    """Images whose left or right half is bright, of which the labels of the first lie."""
    images, labels = torch.zeros(count, 3, 4, 8), torch.arange(count) % 2
    for index, label in enumerate(labels):
        images[index, :, :, 4 * int(label) : 4 * int(label) + 4] = 1 - index / 100
    labels[:wrong] = 1 - labels[:wrong]
    return open_images((images, labels, ["left", "right"]))


def subject(images, model=None):
    model = (model or Bright()).eval()
    sample = first_look(model, images)
    opened = Opened(model, "bright", "Bright")
    made, notes = subject_of(opened, images, sample)
    assert not notes
    return made, sample


def test_the_images_that_pages_show():
    made, sample = subject(halves(wrong=3))
    assert sample.outputs == 2
    # One of each class that it reads right, then those that it misreads.
    assert made.shown == [4, 3, 0, 1, 2]
    assert made.examples == 2
    assert list(made.classes) == ["left", "right"]
    assert isinstance(made, Subject)


def test_without_classes_they_are_evenly_from_all():
    sample = Sample(range(28), None, 0.1)
    assert chosen_from(sample, None) == (list(range(0, 28, 2)), 14)


def test_preflight():
    made, sample = subject(halves(wrong=5))
    lines = preflight(made, sample)
    assert lines[0] == "Network: Bright (Bright), 4 parameters"
    assert lines[1] == "Images: 20 of 3×4×8, 2 classes; counted over all"
    assert "Note: it reads 75.0% of 20 images right; chance is 50.0%." in lines
    assert lines[-1].startswith("Cost: ")
    assert lines[-1].endswith("1 MB of pages and pictures, both perhaps half or twice as much.")


def test_the_estimate_knows_what_costs():
    """More images, layers, units and inputs to make cost more; the budget bounds the last."""
    made, _ = subject(halves(wrong=5))
    layers = layers_of(made.model, made.images[[0]], "net")

    def cost(image_seconds=0.1, **options):
        return estimate(made, layers, image_seconds, Options(grid=True, **options))

    assert cost(0.2).seconds > cost(0.1).seconds
    assert cost(layers="none").bytes < cost().bytes
    assert cost(units=1).bytes < cost().bytes
    assert cost(optimise=0).seconds < cost(optimise=1).seconds < cost().seconds
    assert cost(budget=1.0).seconds == pytest.approx(cost(optimise=0).seconds + 1)
    with pytest.raises(CnnvizError, match="--units 1 chooses among tiles"):
        estimate(made, layers, 0.1, Options(units=1))


def test_the_estimate_of_resnet18_is_what_was_measured():
    """1,000 images of 224×224 took 15 minutes of one processor's time, and 180 MB."""
    from torchvision.models import resnet18

    model = resnet18().eval()
    images = torch.zeros(1, 3, 224, 224).expand(1000, -1, -1, -1)
    made = Subject("net", "A net", model, images, None, [], shown=range(14), examples=14)
    cost = estimate(made, layers_of(model, images[:1], "net"), 0.108, Options())
    assert 10 * 60 < cost.seconds < 20 * 60
    assert 120e6 < cost.bytes < 240e6


def test_preflight_warns_near_chance_and_of_one_answer():
    silent = Bright()
    with torch.no_grad():
        silent.fc.weight.zero_()
    text = "\n".join(preflight(*subject(halves(), silent)))
    assert "That is near chance: is it trained, are the images normalised" in text
    assert "gives all 20 images the same answer, output 0" in text
    with torch.no_grad():
        silent.fc.weight.fill_(float("nan"))
    assert "infinite or NaN" in "\n".join(preflight(*subject(halves(), silent)))


def test_preflight_says_what_will_be_missing():
    images = open_images(torch.rand(9, 3, 8, 8))
    text = "\n".join(preflight(*subject(images)))
    assert "no accuracy, nothing by class and no ablation" in text
    text = "\n".join(preflight(*subject(images, nn.Conv2d(3, 2, 1))))
    assert "no scores and no ablation: The network's answer has shape (8, 2, 8, 8)" in text


def test_the_mode_and_type_of_a_network_are_its_own():
    model = nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(96, 2)).double().train()
    assert first_look(model, halves()).outputs == 2
    assert [model.training, model[1].training] == [True, True]
