"""What search engines are told of a page: JSON-LD of schema.org."""

from __future__ import annotations

import json
import re

from gen.texts.course import DIRECTIVE, Chapter

LICENCE = "https://creativecommons.org/licenses/by-sa/4.0/"


def learning_resource(
    title: str,
    description: str,
    language: str,
    url: str,
    image: str,
    site: tuple[str, str],
    chapter: Chapter | None = None,
) -> str:
    """A page as a LearningResource, ready for a script element.

    Args:
        site: name and address of the whole site in this language.
        chapter: what the page is in the course, if it is a chapter.
    """
    facts: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": "LearningResource",
        "name": title,
        "description": description,
        "inLanguage": language,
        "url": url,
        "image": image,
        "license": LICENCE,
        "isAccessibleForFree": True,
        "learningResourceType": "tutorial",
        "isPartOf": {"@type": "Course", "name": site[0], "url": site[1], "inLanguage": language},
    }
    if chapter:
        facts |= {
            "position": chapter.number,
            "timeRequired": f"PT{chapter.minutes}M",
            "abstract": re.sub(r"[*`]", "", DIRECTIVE.sub("…", chapter.question)),
        }
    # "</script>" inside a title would end the element.
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
