"""What must hold of recording for every network, however odd."""

import pytest
import torch

from cnnviz import record
from tests.nets import zoo


@pytest.mark.parametrize("name", zoo.ZOO)
def test_recording_changes_nothing_and_ends_with_the_answer(name):
    model, x = zoo.make(name)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    given = x.clone()
    with torch.no_grad():
        plain = model(x)
    recorded = record(model, x)
    assert torch.equal(x, given)
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert torch.equal(list(recorded.values())[-1], plain)
    assert all(value.isfinite().all() for value in recorded.values())


@pytest.mark.parametrize("name", zoo.ZOO)
def test_a_layer_alone_is_recorded_as_among_all(name):
    model, x = zoo.make(name)
    recorded = record(model, x)
    for layer in recorded:
        if "[" not in layer:  # one of several things that a layer returns
            (alone,) = record(model, x, layers=[layer]).values()
            assert torch.equal(alone, recorded[layer]), layer


@pytest.mark.parametrize("name", zoo.ZOO)
def test_each_network_has_its_oddity(name):
    """No two record the same kinds of layers: then one of them would do."""
    kinds = {
        other: tuple(type(m).__name__ for m in zoo.make(other)[0].modules()) for other in zoo.ZOO
    }
    assert [other for other, have in kinds.items() if have == kinds[name]] == [name]
