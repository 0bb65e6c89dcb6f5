"""What a bundle brings as scripts is data, or it is refused."""

import pytest
import torch

from cnnviz.errors import CnnvizError
from gen.bundle.scripts import check_script
from gen.lab.samples import sample_scripts

NETWORK = b'(globalThis.cnnvizNetworks ??= {})["lenet"] = {"name": "lenet", "layers": []};\n'
SAMPLES = b'(globalThis.cnnvizSamples ??= {})[0] = "3 AbC_-\\n4 AA";\n'


@pytest.mark.parametrize(("name", "content"), [("lenet", NETWORK), ("samples-0", SAMPLES)])
def test_data_passes(name, content):
    check_script(name, content)


def test_what_we_write_passes():
    images, labels = torch.randint(256, (3, 1, 28, 28), dtype=torch.uint8), torch.tensor([1, 2, 3])
    for name, text in sample_scripts(images, labels).items():
        check_script(name.removesuffix(".js"), text.encode())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("lenet", b"alert(1)"),
        ("lenet", b""),
        ("lenet", b"\xff"),
        ("lenet", NETWORK + b"alert(1)"),
        ("lenet", b"alert(1);" + NETWORK),
        ("mlp", NETWORK),
        ("lenet", NETWORK.replace(b"[]", b"alert(1)")),
        ("lenet", NETWORK.replace(b"[]", b"[alert`1`]")),
        ("lenet", NETWORK.replace(b"};\n", b"}, alert(1), {};\n")),
        ("lenet", NETWORK.replace(b"[]", b"[" * 5000)),
        ("lenet", NETWORK.replace(b'["lenet"]', b"[alert(1)]")),
        ("samples-1", SAMPLES),
        ("samples-0", SAMPLES.replace(b"AbC", b'" + alert(1) + "')),
        ("samples-0", SAMPLES.replace(b"AbC", b"\\u0022")),
        ("samples-0", SAMPLES.replace(b"[0]", b"[alert(1)]")),
    ],
)
def test_all_else_is_refused(name, content):
    with pytest.raises(CnnvizError, match="not the data of a network"):
        check_script(name, content)
