"""An atlas as a folder of its own: whole, from disk, gone on with, and honest about what failed."""

import re
from collections import OrderedDict
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
import torch
from torch import nn

from cnnviz.atlas.figures import distribution
from cnnviz.atlas.folder import Options, write_atlas
from cnnviz.atlas.frame import linked
from cnnviz.atlas.layer_html import layer_html
from cnnviz.atlas.made_from import atlas_key
from cnnviz.atlas.subject import Limits, Subject
from cnnviz.errors import CnnvizError
from cnnviz.figure.kept import opened


class Net(nn.Module):
    """Colour, a normalisation, a skip, a global mean: what networks have that LeNet has not."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.block = nn.Conv2d(4, 4, 3, padding=1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        x = torch.relu(self.norm(self.stem(x)))
        x = torch.relu(x + self.block(x))
        return self.fc(self.pool(x).flatten(1))


def subject(labelled=True, images=12):
    torch.manual_seed(0)
    model = Net().eval()
    pictures = torch.rand(images, 3, 16, 16)
    labels = torch.arange(images) % 3 if labelled else None
    classes = ["a cat", "an <ox>", "Ché"] if labelled else []
    limits = Limits(counted=images, together=images)
    return Subject("net", "My net", model, pictures, labels, classes, [0, 1, 2], 3, limits=limits)


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    out = tmp_path_factory.mktemp("atlas") / "out"
    write_atlas(subject(), out, report=lambda line: None)
    return out


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    out = tmp_path_factory.mktemp("atlas") / "large"
    options = Options(grid=True, optimise=0)
    write_atlas(subject(labelled=False), out, ["en"], options, lambda line: None)
    return out


class _Addresses(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found, self.ids = [], set()

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.ids.add(named.get("id"))
        self.found += [named[name] for name in ("href", "src") if named.get(name)]
        self.found += re.findall(r"url\(([^)]+)\)", named.get("style") or "")


def addresses(page):
    parser = _Addresses()
    parser.feed(page.read_text("utf-8"))
    return parser


@pytest.mark.parametrize("folder", ["atlas", "large"])
def test_every_link_leads_to_a_file(folder, request):
    out = request.getfixturevalue(folder)
    pages = list(out.rglob("*.html"))
    assert len(pages) > 8
    for page in pages:
        parser = addresses(page)
        for address in parser.found:
            parts = urlsplit(address)
            if parts.scheme == "data":
                continue
            assert not parts.scheme, f"{page}: {address}"
            assert not parts.netloc, f"{page}: {address}"
            target = (page.parent / parts.path).resolve() if parts.path else page
            assert target.is_file(), f"{page}: {address}"
            if parts.fragment and target.suffix == ".html":
                assert parts.fragment in addresses(target).ids, f"{page}: {address}"


def test_a_page_for_each_layer_and_unit_in_each_language(atlas):
    for language in ("en", "zh"):
        pages = {path.parent.relative_to(atlas / language).as_posix()
                 for path in (atlas / language).rglob("index.html")}  # fmt: skip
        assert {"net/stem", "net/norm", "net/add", "net/fc", "net/stem/03", "net/fc/02"} <= pages


def test_nothing_could_not_be_drawn(atlas, large):
    for page in [*atlas.rglob("*.html"), *large.rglob("*.html")]:
        assert "could not be drawn" not in page.read_text("utf-8"), page


def test_names_of_classes_are_text(atlas):
    text = (atlas / "en/net/fc/index.html").read_text("utf-8")
    assert "an ‹ox›" in text
    assert "<ox>" not in text


def test_a_second_run_draws_nothing(atlas):
    told = []
    before = {path: path.stat().st_mtime_ns for path in (atlas / "figures").rglob("*.*")}
    write_atlas(subject(), atlas, report=told.append)
    assert not [line for line in told if line.startswith("drew")]
    assert before == {path: path.stat().st_mtime_ns for path in (atlas / "figures").rglob("*.*")}


def test_a_picture_that_is_gone_is_drawn_again(atlas):
    lost = min((atlas / "figures" / "pictures").iterdir())
    content = lost.read_bytes()
    lost.unlink()
    told = []
    write_atlas(subject(), atlas, report=told.append)
    assert lost.read_bytes() == content
    assert len([line for line in told if line.startswith("drew")]) == 1


def test_what_one_layer_puts_out_and_the_next_takes_is_one_file(atlas):
    pages = (atlas / "en" / "net").glob("*/index.html")
    seen = {
        page.parent.name: set(re.findall(r"pictures/([\w.]+)", page.read_text("utf-8")))
        for page in pages
    }
    everywhere = set.intersection(*seen.values())
    assert (seen["stem"] & seen["norm"]) - everywhere


def test_a_figure_that_fails_is_a_note_on_its_page(tmp_path, monkeypatch):
    def broken(net, layer):
        raise ZeroDivisionError("no <number> here")

    monkeypatch.setattr(distribution, "distribution", broken)
    write_atlas(subject(), tmp_path / "out", ["en"], report=lambda line: None)
    page = (tmp_path / "out/en/net/stem/index.html").read_text("utf-8")
    assert "could not be drawn (ZeroDivisionError: no &lt;number&gt; here)" in page


def test_without_labels_nothing_is_told_by_class(large):
    assert not (large / "en/ablation").exists()
    assert (large / "en/net/stem/index.html").is_file()


@pytest.mark.parametrize("name", ["file", "folder"])
def test_what_is_no_atlas_is_not_overwritten(tmp_path, name):
    out = tmp_path / name
    if name == "file":
        out.write_text("mine")
    else:
        out.mkdir()
        (out / "thesis.txt").write_text("mine")
    with pytest.raises(CnnvizError, match=name if name == "file" else "no atlas"):
        write_atlas(subject(), out, report=lambda line: None)


def test_an_unknown_language(tmp_path):
    with pytest.raises(CnnvizError, match="no language 'tlh'; the atlas has en, zh"):
        write_atlas(subject(), tmp_path / "out", ["tlh"])


def test_links_to_folders_name_their_page():
    assert linked('<a href="../conv1/07/#x">') == '<a href="../conv1/07/index.html#x">'
    assert linked('<a href="#x"><img src="a/b.png">') == '<a href="#x"><img src="a/b.png">'


def test_markdown_of_a_layer_becomes_html():
    page = layer_html(
        "---\ntitle: 'A'\ndescription: >-\n  B\n---\n\n# A { #a }\n\n[`fc`](fc.md), $j$\n\n"
        '[[% call figure("x/y") %]]\nA *caption*.\n[[% endcall %]]\n',
        lambda address, caption: f"<figure>{address}|{caption}</figure>",
    )
    assert page.title == "A"
    assert page.description == "B"
    assert '<a href="../fc/"><code>fc</code></a>, <i>j</i>' in page.html
    assert "<figure>x/y|A <em>caption</em>.</figure>" in page.html


def changed(what):
    one = subject()
    if what == "a weight":
        with torch.no_grad():
            one.model.fc.bias[0] += 1
    elif what == "an image in the middle":
        one.images[5] *= 4
    elif what == "a label":
        one.labels[5] = 0
    return one


@pytest.mark.parametrize("what", ["a weight", "an image in the middle", "a label"])
def test_the_key_knows_all_that_counts(what):
    assert atlas_key(subject()) == atlas_key(subject())
    assert atlas_key(changed(what)) != atlas_key(subject())


def test_an_image_that_changes_is_looked_at_again(tmp_path):
    options, facts = Options(optimise=0, layers="none"), []
    for one in (subject(), changed("an image in the middle")):
        write_atlas(one, tmp_path / "out", ["en"], options, lambda line: None)
        facts.append(opened((tmp_path / "out/.kept/facts.json").read_bytes()).numbers)
    assert facts[0] != facts[1]  # of what was measured
    assert len(list((tmp_path / "out/.kept").glob("survey-*"))) == 1


def test_a_name_that_can_be_no_address(tmp_path):
    one = subject()
    model = nn.Sequential(OrderedDict({"a b": one.model}))
    with pytest.raises(CnnvizError, match="Names of layers become addresses"):
        write_atlas(replace(one, model=model), tmp_path / "out", report=lambda line: None)
