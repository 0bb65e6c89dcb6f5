"""Numbers, figures, code and checked claims inside the Markdown of a page.

Delimiters that do not meet LaTeX: `[[= value ]]`, `[[% call … %]]`, `[[# comment #]]`. In a page:

    [[= lenet.test_accuracy | percent ]]                a number of the build
    [[= claim(a > b, "what the sentence says") ]]       stops the build if it is not so
    [[= source("cnnviz/models.py", "LeNet.forward") ]]  code, taken from the tested source
    [[= example("first_convolution") ]]                 a program and what it printed
    [[% call figure("lenet/conv1_filters") %]] caption [[% endcall %]]
"""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.exceptions import UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from cnnviz.errors import CnnvizError, unknown_name
from gen.course import Chapter, course_map
from gen.glossary import Term, glossary_markdown
from gen.words import WORDS


def percent(value: float, digits: int = 1) -> str:
    """0.98412 → "98.4%"."""
    return f"{value * 100:.{digits}f}%"


def thousands(value: float) -> str:
    """61706 → "61,706"."""
    return f"{value:,.0f}"


def fixed(value: float, digits: int = 2) -> str:
    """-0.1234 → "−0.12", with a real minus sign."""
    return f"{value:.{digits}f}".replace("-", "−")


def signed(value: float, digits: int = 2) -> str:
    """0.1234 → "+0.12"; what rounds to zero has no sign."""
    written = f"{value:+.{digits}f}".replace("-", "−")
    return written if written.strip("+−0.") else written[1:]


class _Environment(ImmutableSandboxedEnvironment):
    """A text sees its numbers and helpers, nothing of Python behind them, and changes none.

    `net.values` is the number of that name, not the method of the dictionary.
    """

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


class Prose:
    """Fills in one language's pages.

    Args:
        language: "zh" or "en".
        numbers: chapter → name → value.
        figures: addresses that exist.
        printed: program of docs/examples → what it printed.
        dataset: data set of this build.
        root: of the repository.
        source_url: address of the repository's files, with a slash at the end, or "".
    """

    def __init__(
        self,
        language: str,
        numbers: Mapping[str, Mapping[str, Any]],
        figures: set[str],
        printed: Mapping[str, str],
        dataset: str,
        root: Path,
        source_url: str,
    ) -> None:
        self.language, self.figures, self.printed = language, figures, printed
        self.dataset, self.root, self.source_url = dataset, root, source_url
        self.environment = _Environment(
            block_start_string="[[%",
            block_end_string="%]]",
            variable_start_string="[[=",
            variable_end_string="]]",
            comment_start_string="[[#",
            comment_end_string="#]]",
            undefined=StrictUndefined,
            autoescape=False,
            keep_trailing_newline=True,
        )
        self.environment.filters |= {
            "percent": percent,
            "thousands": thousands,
            "fixed": fixed,
            "signed": signed,
        }
        self.environment.globals |= {
            **numbers,
            "claim": self.claim,
            "figure": self.figure,
            "source": self.source,
            "example": self.example,
            "made_digits": dataset == "digits",
            "dataset": dataset,
        }

    def add_course(self, course: Mapping[str, Chapter], terms: list[Term]) -> None:
        """Let pages show the map of the course and the glossary."""
        titles = {page: chapter.title for page, chapter in course.items()}
        self.environment.globals |= {
            "chapter_count": len(course),
            # A question may hold a number, too.
            "course_map": lambda: self._fill(course_map(course, self.language)),
            "course_minutes": sum(chapter.minutes for chapter in course.values()),
            "glossary": lambda: glossary_markdown(terms, self.language, titles),
            "term_count": len(terms),
        }

    def fill(self, markdown: str, page: str) -> str:
        """The page with everything filled in.

        Raises:
            CnnvizError: an unknown number, figure, program or a claim that does not hold; names
                the page.
        """
        notice = "" if self.dataset == "digits" else self._other_data()
        try:
            return notice + self._fill(markdown)
        except UndefinedError as error:
            raise CnnvizError(f"{page}: no such number: {error}.") from error
        except TemplateError as error:
            line = getattr(error, "lineno", "?")
            raise CnnvizError(f"{page}, line {line}: {error}") from error
        except (CnnvizError, TypeError, ValueError) as error:
            raise CnnvizError(f"{page}: {error}") from error

    def _fill(self, markdown: str) -> str:
        return self.environment.from_string(markdown).render()

    def say(self, key: str, **values: str) -> str:
        """A word of the catalogue in this language."""
        return WORDS[key][0 if self.language == "zh" else 1].format(**values)

    def _other_data(self) -> str:
        return f'!!! note ""\n    {self.say("other data", dataset=self.dataset)}\n\n'

    def claim(self, holds: bool, what: str) -> str:
        """Nothing, if it holds. If not, the build stops; on another data set the page says so."""
        if holds:
            return ""
        if self.dataset == "digits":
            raise CnnvizError(f"a claim of the text does not hold in this build: {what}.")
        return f"<mark>{html.escape(self.say('does not hold', claim=what))}</mark>"

    def figure(self, address: str, caller: Callable[[], str]) -> str:
        """A slot with the caption; `gen.hooks` puts the figure into it once it is HTML."""
        if address not in self.figures:
            raise unknown_name("figure", address, sorted(self.figures))
        caption = dedent(caller()).strip()
        return (
            f'\n\n<div class="figure-slot" data-figure="{address}" markdown="1">\n\n'
            f"{caption}\n\n</div>\n\n"
        )

    def source(self, path: str, name: str) -> str:
        """The code of a function, class or method of the repository, with a link to it."""
        file = (self.root / path).resolve()
        if not (file.is_file() and file.is_relative_to(self.root.resolve())):
            raise CnnvizError(f"source('{path}', …): there is no such file in the repository.")
        text = file.read_text("utf-8")
        node = _find(ast.parse(text), name, path)
        decorators = [d.lineno for d in node.decorator_list]
        start = min([node.lineno, *decorators])
        code = dedent("\n".join(text.splitlines()[start - 1 : node.end_lineno]))
        return self._code(code, path, f"#L{start}")

    def example(self, name: str) -> str:
        """A program of docs/examples, and below it what it printed in this build."""
        if name not in self.printed:
            raise unknown_name("example", name, sorted(self.printed))
        path = f"docs/examples/{name}.py"
        text = (self.root / path).read_text("utf-8")
        body = re.sub(r'\A""".*?"""\n+', "", text, flags=re.S).rstrip()
        output = self.printed[name]
        shown = f'\n``` {{ .text title="{self.say("output")}" }}\n{output}\n```\n' if output else ""
        return self._code(body, path, "") + shown

    def _code(self, code: str, path: str, anchor: str) -> str:
        link = ""
        if self.source_url:
            link = (
                f"\n[{self.say('source')}{self.say('colon')}`{path}`]({self.source_url}{path}{anchor})"
                "{ .code-source }\n"
            )
        return f'\n``` {{ .python title="{path}" }}\n{code}\n```\n{link}'


def _find(
    tree: ast.Module, name: str, path: str
) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef:
    """The definition of a dotted name such as "LeNet.forward"."""
    scope: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef = tree
    for part in name.split("."):
        definitions = {
            node.name: node
            for node in scope.body
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        }
        if part not in definitions:
            raise unknown_name(f"definition in {path}", name, definitions)
        scope = definitions[part]
    assert not isinstance(scope, ast.Module)
    return scope
