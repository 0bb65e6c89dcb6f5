"""Numbers, figures, code and checked claims inside the Markdown of a page.

Delimiters that do not meet LaTeX: `[[= value ]]`, `[[% call … %]]`, `[[# comment #]]`. In a page:

    [[= lenet.test_accuracy | percent ]]                a number of the build
    [[= claim(a > b, "what the sentence says") ]]       stops the build if it is not so
    [[= source("cnnviz/nets/models.py", "LeNet.forward") ]]  code, taken from the tested source
    [[= example("first_convolution") ]]                 a program and what it printed
    [[= say("kinds.conv") ]]                            a sentence of a words file
    [[% call figure("lenet/conv1_filters") %]] caption [[% endcall %]]
"""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from textwrap import dedent
from traceback import walk_tb
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.defaults import DEFAULT_NAMESPACE
from jinja2.utils import missing

from cnnviz.errors import CnnvizError
from cnnviz.files import inside
from cnnviz.words import FALLBACK, Message, message, sandbox
from gen.texts.course import Chapter, course_map
from gen.texts.finding import Finding
from gen.texts.glossary import Term, glossary_markdown
from gen.texts.words import SITE, check_words, words


class Misfit(CnnvizError):
    """A directive that cannot be filled in: what is wrong and what to do."""

    def __init__(self, what: Message) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return check_words(FALLBACK)(self.what)


def unknown(kind: str, name: str, known: Iterable[str]) -> Misfit:
    """A name that does not exist, with the nearest that do.

    >>> print(unknown("program", "conut", ["count"]))
    there is no program 'conut'. What to do: did you mean count? Otherwise: it is a file of \
docs/examples, without .py.
    """
    near = get_close_matches(name, list(known), n=3, cutoff=0.5)
    what, todo = message(f"fill.{kind}.name"), message(f"fill.{kind}.todo")
    return Misfit(message("fill.unknown", kind=what, name=name, near=near, todo=todo))


class _NoSuchName(Exception):
    """A text names a chapter that the build does not know."""


class _Unknown(StrictUndefined):
    """What a text asks for and the build does not know; Jinja's own message names no other."""

    @property
    def _undefined_message(self) -> str:
        if self._undefined_obj is missing:
            raise _NoSuchName(self._undefined_name)
        known = self._undefined_obj if isinstance(self._undefined_obj, Mapping) else ()
        raise unknown("number", str(self._undefined_name), map(str, known))


# What Chinese keyboards write, and what belongs inside double brackets.
_HALF = dict(zip("“”‘’（）［］，：｜．", "\"\"''()[],:|.", strict=True))


def unreadable(problem: str) -> Message:
    """What Jinja says of a text that it cannot read, for people who do not know Jinja."""
    problem = problem.strip().rstrip(".")
    char = re.fullmatch(r"unexpected char '(.)' at \d+", problem)
    if char and char[1] in _HALF:
        return message("fill.full width", mark=char[1], half=_HALF[char[1]])
    if name := re.match(r"No filter named '(.*?)'", problem):
        return message("fill.no format", name=name[1])
    return message("fill.unreadable", problem=problem)


_DO_NOT_FIT = (TypeError, ValueError, ArithmeticError)
_PAGE = "<template>"
"""What Jinja calls the text in a traceback."""


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
        download: was what is missing to be fetched? Then a page says that it could not be.

    Attributes:
        programs: name → code of the programs that pages have shown so far.
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
        download: bool = False,
    ) -> None:
        self.language, self.figures, self.printed = language, figures, printed
        self.dataset, self.root, self.source_url = dataset, root, source_url
        self.programs: dict[str, str] = {}
        self.environment = sandbox(_Unknown)
        self.environment.globals |= {
            **numbers,
            "claim": self.claim,
            "figure": self.figure,
            "source": self.source,
            "example": self.example,
            "say": self.said,
            "made_digits": dataset == "digits",
            "dataset": dataset,
            "download": download,
        }

    def add_course(self, course: Mapping[str, Chapter], terms: list[Term]) -> None:
        """Let pages show the map of the course and the glossary."""
        titles = {page: chapter.title for page, chapter in course.items()}
        self.environment.globals |= {
            "chapter_count": len(course),
            "course_map": lambda: course_map(self._answered(course), self.language),
            "course_minutes": sum(chapter.minutes for chapter in course.values()),
            "glossary": lambda: glossary_markdown(terms, self.language, titles),
            "term_count": len(terms),
        }

    def _answered(self, course: Mapping[str, Chapter]) -> dict[str, Chapter]:
        """The chapters with their questions filled in, which may hold a number, too."""
        return {
            page: replace(
                chapter,
                question=self._fill(chapter.question, f"docs/{self.language}/{page}.md", None),
            )
            for page, chapter in course.items()
        }

    def fill(self, markdown: str, page: str, above: int = 0) -> str:
        """The page with everything filled in.

        Args:
            page: how messages name it.
            above: lines of its file that stand before `markdown`.

        Raises:
            CnnvizError: an unknown number, figure, program or a claim that does not hold; names
                the page and the line.
        """
        notice = "" if self.dataset == "digits" else self._other_data()
        return notice + self._fill(markdown, page, above)

    def _fill(self, markdown: str, page: str, above: int | None) -> str:
        try:
            return self.environment.from_string(markdown).render()
        except (_NoSuchName, Misfit, TemplateError, *_DO_NOT_FIT) as error:
            line, what = self._said(error)
            where = 0 if above is None else above + line
            raise CnnvizError(Finding(page, where, what).text(self.language)) from error

    def _said(self, error: Exception) -> tuple[int, Message]:
        """The line of an error, and what is wrong and what to do."""
        if isinstance(error, TemplateSyntaxError):
            return error.lineno, unreadable(str(error.message))
        # The last line of the page that was at work.
        at = [n for frame, n in walk_tb(error.__traceback__) if frame.f_code.co_filename == _PAGE]
        line = at[-1] if at else 1
        if isinstance(error, _NoSuchName):
            known = self.environment.globals.keys() - DEFAULT_NAMESPACE.keys()
            error = unknown("chapter", str(error), sorted(known))
        if isinstance(error, Misfit):
            return line, error.what
        return line, message("fill.does not fit", problem=str(error))

    def said(self, key: str, **values: Any) -> str:
        """What a words file says, such as say("mistakes.styles.kinds.bare") in mistakes.yml.

        Raises:
            Misfit: no words file says that.
        """
        try:
            return SITE.catalogue(self.language, key.partition(".")[0])(key, **values)
        except CnnvizError as error:
            raise Misfit(message("fill.unsaid", why=str(error))) from error

    def say(self, key: str, **values: str) -> str:
        """A word of the catalogue in this language."""
        return words(self.language)(key, **values)

    def _other_data(self) -> str:
        return f'!!! note ""\n    {self.say("other data", dataset=self.dataset)}\n\n'

    def claim(self, holds: bool, what: str) -> str:
        """Nothing, if it holds. If not, the build stops; on another data set the page says so."""
        if holds:
            return ""
        if self.dataset == "digits":
            raise Misfit(message("fill.claim", claim=what))
        return f"<mark>{html.escape(self.say('does not hold', claim=what))}</mark>"

    def figure(self, address: str, caller: Callable[[], str]) -> str:
        """A slot with the caption; `gen.site.build` puts the figure into it once it is HTML."""
        if address not in self.figures:
            raise unknown("figure", address, self.figures)
        caption = dedent(caller()).strip()
        return (
            f'\n\n<div class="figure-slot" data-figure="{address}" markdown="1">\n\n'
            f"{caption}\n\n</div>\n\n"
        )

    def source(self, path: str, name: str) -> str:
        """The code of a function, class or method of the repository, with a link to it."""
        file = (self.root / path).resolve()
        if not (file.is_file() and file.is_relative_to(self.root.resolve())):
            raise Misfit(message("fill.no file", file=path))
        text = file.read_text("utf-8")
        node = _find(ast.parse(text), name)
        decorators = [d.lineno for d in node.decorator_list]
        start = min([node.lineno, *decorators])
        code = dedent("\n".join(text.splitlines()[start - 1 : node.end_lineno]))
        return self._code(code, path, f"#L{start}")

    def example(self, name: str) -> str:
        """A program of docs/examples, and below it what it printed in this build."""
        if name not in self.printed:
            raise unknown("program", name, self.printed)
        path = f"docs/examples/{name}.py"
        text = inside(self.root, path).read_text("utf-8")
        body = re.sub(r'\A""".*?"""\n+', "", text, flags=re.S).rstrip()
        self.programs[name] = body
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


def _find(tree: ast.Module, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef:
    """The definition of a dotted name such as "LeNet.forward"."""
    scope: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef = tree
    for part in name.split("."):
        definitions = {
            node.name: node
            for node in scope.body
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        }
        if part not in definitions:
            raise unknown("definition", name, definitions)
        scope = definitions[part]
    assert not isinstance(scope, ast.Module)
    return scope
