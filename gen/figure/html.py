"""A rendered figure as HTML. Reads descriptions made by gen.draw.render; imports no torch."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape, unescape
from typing import Any

from gen.texts.words import Words

FileUrl = Callable[[str], str]


def figure_html(
    address: str,
    figure: Mapping[str, Any],
    language: str,
    caption: str,
    file_url: FileUrl,
    source_url: str,
    commit: str,
) -> str:
    """`<figure>` with its panels, legends, caption and passport.

    Args:
        address: `<chapter>/<function>`; its id on the page is `fig-<chapter>-<function>`.
        figure: description from the manifest.
        language: "zh" or "en".
        caption: HTML.
        file_url: from a file of the manifest to its address as seen from the page.
        source_url: address of the repository's files, with a slash at the end, or "".
        commit: the commit of this build, or "".
    """
    pick = 0 if language == "zh" else 1
    variants = [_variant(figure, v, pick, file_url) for v in figure["variants"]]
    identity = "fig-" + address.replace("/", "-")
    if len(variants) == 1:
        body = variants[0]
    else:
        names = [v["name"][pick] for v in figure["variants"]]
        scrub = figure["scrub"][pick] if figure["scrub"] else ""
        body = _tabs(identity, names, variants, figure["chosen"], figure["alt"][pick], scrub)
    notes = _notes(figure.get("notes", ()), pick)
    several = len(figure["variants"][0]["panels"]) > 1
    named = f' role="group" aria-label="{escape(figure["alt"][pick])}"' if several else ""
    return (
        f'<figure class="fig" id="{identity}"{named}><div data-search-exclude>{body}{notes}</div>'
        f"<figcaption>{caption}</figcaption>"
        f"{_passport(address, figure, pick, source_url, commit)}</figure>"
    )


def _variant(
    figure: Mapping[str, Any], variant: Mapping[str, Any], pick: int, file_url: FileUrl
) -> str:
    panels = "".join(_panel(panel, figure["alt"], pick, file_url) for panel in variant["panels"])
    legends = "".join(_legend(legend, pick) for legend in variant["legends"])
    layout = f'fig-{figure["layout"]}"'
    if figure["columns"]:
        layout = f'fig-table" style="--columns:{figure["columns"]}"'
    return f'<div class="fig-panels {layout}>{panels}</div>{legends}'


def _notes(notes: Sequence[list[str]], pick: int) -> str:
    """One line for each input; assets/atlas.js shows that of the chosen one."""
    if not notes:
        return ""
    lines = "".join(f"<p{' hidden' if i else ''}>{n[pick]}</p>" for i, n in enumerate(notes))
    return f'<div class="fig-notes">{lines}</div>'


def _panel(panel: Mapping[str, Any], alt: list[str], pick: int, file_url: FileUrl) -> str:
    label = panel["label"][pick] if panel["label"] else ""
    shows = (panel["alt"] or panel["label"] or alt)[pick]
    if "file" in panel:
        kind = "pixels smooth" if panel["photo"] else "pixels"
        width, height = panel["width"], panel["height"]
        style = f"--w:{width};--scale:{panel['scale']:g}"
        sprite = ""
        if bands := panel.get("bands"):
            height, kind = bands["height"], f"{kind} sprite"
            style += f";aspect-ratio:{width}/{height}"
            sprite = f' data-bands="{bands["count"]}"'
        body = (
            f'<img class="{kind}" src="{escape(file_url(panel["file"]))}" width="{width}" '
            f'height="{height}" style="{style}"{sprite} '
            f'alt="{escape(shows)}" loading="lazy" decoding="async">'
        )
        if links := panel.get("links"):
            units = f'data-layer="{escape(links["layer"])}" data-count="{links["count"]}"'
            body = f'<div class="tiles" {units} data-columns="{links["columns"]}">{body}</div>'
    else:
        body = _line_names(panel["markup"][pick]) + (
            f'<div class="fig-scroll" tabindex="0" role="group" aria-label="{escape(shows)}">'
            f"{panel['markup'][pick]}</div>"
        )
    heading = f'<div class="fig-label">{escape(label)}</div>' if label else ""
    return f'<div class="fig-panel">{heading}{body}</div>'


def _line_names(markup: str) -> str:
    """On a phone a chart scrolls, and the names at the right ends of its lines are out of sight."""
    found = re.search(r' data-lines="([^"]*)"', markup)
    if not found:
        return ""
    names = "".join(
        '<li><svg width="24" height="8" aria-hidden="true"><path d="M0 4h24" stroke-width="2" '
        f'stroke="var(--cnnviz-{colour})" stroke-dasharray="{dashes or "none"}"/></svg>'
        f"{escape(name)}</li>"
        for name, colour, dashes in json.loads(unescape(found[1]))
    )
    return f'<ul class="line-names" aria-hidden="true">{names}</ul>'


def _legend(legend: Mapping[str, Any], pick: int) -> str:
    bar = ""
    if legend["gradient"]:
        signed = " legend-diverging" if legend["low"].startswith("−") else ""
        gradient = escape(legend["gradient"])
        bar = (
            f'<span class="legend-low">{escape(legend["low"])}</span>'
            f'<span class="legend-bar{signed}" style="background:{gradient}"></span>'
            f'<span class="legend-high">{escape(legend["high"])}</span>'
        )
    # Where each input has a scale of its own, assets/atlas.js writes its ends.
    ends = "|".join(f"{low} {high}" for low, high in legend.get("ends", ()))
    chosen = f' data-ends="{escape(ends)}"' if ends else ""
    text = f'<span class="legend-text">{escape(legend["text"][pick])}</span>'
    return f'<div class="legend"{chosen}>{bar}{text}</div>'


def _tabs(
    identity: str, names: list[str], bodies: list[str], chosen: int, title: str, scrub: str
) -> str:
    """Material's tabs, which work by CSS alone: one radio button for each way of drawing.

    With `scrub`, assets/scrubber.js puts a slider of that name in the place of the labels.
    """
    count = range(1, len(names) + 1)
    inputs = "".join(
        f'<input type="radio" name="{identity}-tab" id="{identity}-tab-{i}"'
        f"{' checked' if i == chosen + 1 else ''}>"
        for i in count
    )
    labels = "".join(
        f'<label for="{identity}-tab-{i}">{escape(name)}</label>'
        for i, name in zip(count, names, strict=True)
    )
    blocks = "".join(f'<div class="tabbed-block">{body}</div>' for body in bodies)
    slider = f'data-scrub="{escape(scrub)}" ' if scrub else ""
    return (
        f'<div class="tabbed-set tabbed-alternate" {slider}'
        f'data-tabs="{escape(identity)}:{len(names)}" '
        f'role="group" aria-label="{escape(title)}">{inputs}'
        f'<div class="tabbed-labels">{labels}</div><div class="tabbed-content">{blocks}</div></div>'
    )


def _passport(
    address: str, figure: Mapping[str, Any], pick: int, source_url: str, commit: str
) -> str:
    """How the figure was made: function, weights, seed, commit, the command that makes it again."""
    say = Words(("zh", "en")[pick])
    path, line = figure["source"].split("#L")
    path, line = escape(path), escape(line)
    where = f"<code>{path}:{line}</code>"
    if source_url:
        where = f'<a href="{escape(source_url)}{path}#L{line}">{where}</a>'
    rows = [(say["drawn by"], where)]
    for name, facts in figure["weights"].items():
        seed = escape(f"{say['seed']} {facts['seed']}{say['comma']}") if facts["seed"] != "" else ""
        weights = f"<code>{escape(name)}</code>{say['comma']}{seed}"
        weights += f"<code>{escape(facts['digest'])}</code>"
        rows.append((say["weights"], weights))
    if commit:
        rows.append((say["commit"], f"<code>{escape(commit)}</code>"))
    command = f"python -m gen draw {address.split('/', maxsplit=1)[0]}"
    rows.append((say["again"], f"<code>{command}</code>"))
    items = "".join(f"<li>{name}{say['colon']}{value}</li>" for name, value in rows)
    items += f'<li><a href="#fig-{address.replace("/", "-")}">{say["link"]}</a></li>'
    return (
        f'<details class="passport"><summary>{say["how made"]}</summary><ul>{items}</ul></details>'
    )
