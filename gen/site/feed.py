"""The changes of the site as RSS 2.0, made from the page `changelog`; and robots.txt.

On that page each change is a section `## 2026-11-24: title { #anchor }`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape

from cnnviz.errors import CnnvizError

PAGE = "changelog"
_ENTRY = re.compile(
    r"^## (\d{4}-\d\d-\d\d)(?:：|: )(.+?) \{ #([\w-]+) \}\n(.*?)(?=^## |\Z)", re.M | re.S
)


def rss(markdown: str, title: str, description: str, language: str, site_url: str) -> str:
    """The feed.

    Args:
        site_url: address of the site in this language, with a slash at the end.

    Raises:
        CnnvizError: a section that is no change with a date.
    """
    entries = _ENTRY.findall(markdown)
    if len(entries) != len(re.findall(r"^## ", markdown, re.M)):
        raise CnnvizError(
            f"docs/{language}/{PAGE}.md: every section is one change and begins with its date, "
            "`## 2026-11-24: what changed { #2026-11-24 }`."
        )
    items = []
    for date, heading, anchor, body in entries:
        url = f"{site_url}{PAGE}/#{anchor}"
        day = datetime.fromisoformat(date).replace(tzinfo=UTC)
        items.append(
            f"<item><title>{escape(heading)}</title><link>{escape(url)}</link>"
            f"<guid>{escape(url)}</guid><pubDate>{format_datetime(day)}</pubDate>"
            # Readers of feeds take a description for HTML: escaped once for XML, once for them.
            f"<description>{escape(escape(_plain(body), quote=False))}</description></item>"
        )
    own = f"{site_url}feed.xml"
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>'
        f"<title>{escape(title)}</title><link>{escape(site_url)}</link>"
        f"<description>{escape(description)}</description><language>{language}</language>"
        f'<atom:link href="{escape(own)}" rel="self" type="application/rss+xml"/>'
        f"{''.join(items)}</channel></rss>\n"
    )


def _plain(markdown: str) -> str:
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    return " ".join(re.sub(r"[*`]|^- ", "", text, flags=re.M).split())


def robots(site_url: str, folders: list[str]) -> str:
    """robots.txt: everything may be read, and where the sitemaps of all languages are."""
    maps = "".join(f"Sitemap: {site_url}{folder}sitemap.xml\n" for folder in folders)
    return f"User-agent: *\nAllow: /\n\n{maps}"
