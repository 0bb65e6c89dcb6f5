"""Markdown as MkDocs reads it here: the extensions of mkdocs.yml with their options."""

import markdown
import yaml

from gen.settings import ROOT


class _Config(yaml.SafeLoader):
    """Reads !ENV as nothing: only the extensions matter here."""


_Config.add_constructor("!ENV", lambda loader, node: None)
EXTENSIONS = yaml.load((ROOT / "mkdocs.yml").read_text("utf-8"), _Config)["markdown_extensions"]


def parser(*more):
    """A Markdown parser, with extensions of a test behind those of the site."""
    return markdown.Markdown(extensions=[*EXTENSIONS, *more], extension_configs=EXTENSIONS)
