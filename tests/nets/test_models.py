import pytest
import torch

from cnnviz.errors import CnnvizError
from cnnviz.nets import models, networks


def test_lenet_has_the_parameters_of_its_layers():
    """conv1 6·25+6, conv2 16·6·25+16, fc1 400·120+120, fc2 120·84+84, output 84·10+10."""
    expected = 156 + 2416 + 48_120 + 10_164 + 850
    assert models.parameter_count(networks.build("lenet")) == expected == 61_706


def test_mlp_has_the_parameters_of_its_layers():
    expected = (784 * 512 + 512) + (512 * 512 + 512) + (512 * 10 + 10)
    assert models.parameter_count(networks.build("mlp")) == expected == 669_706


@pytest.mark.parametrize("name", networks.names())
def test_logits_for_a_batch(name):
    assert networks.build(name)(torch.zeros(3, 1, 28, 28)).shape == (3, 10)


def test_unknown_model_suggests_the_nearest():
    with pytest.raises(CnnvizError, match="Unknown model 'lenet5'. Did you mean 'lenet'"):
        networks.build("lenet5")
