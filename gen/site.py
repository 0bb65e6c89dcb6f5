"""`python -m gen.site`: train, render, build all languages side by side, put them together."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

from cnnviz.errors import CnnvizError
from gen import build
from gen.publish import languages
from gen.settings import ROOT, Settings, from_environment

SITE = ROOT / "site"
LANGUAGES = {language.code: language.config.name for language in languages.read(ROOT)}


def assemble(settings: Settings) -> None:
    """Build all languages in folders of their own, then replace `site/` by them.

    Raises:
        CnnvizError: a build failed; `site/` is as it was.
    """
    folders = {language: settings.build_dir / f"site-{language}" for language in LANGUAGES}
    runs = {
        language: subprocess.Popen(_mkdocs(config, folders[language]), cwd=ROOT)
        for language, config in LANGUAGES.items()
    }
    failed = [language for language, run in runs.items() if run.wait()]
    if failed:
        raise CnnvizError(f"The site was not built ({', '.join(failed)}); see the message above.")
    root = folders.pop(languages.ROOT_LANGUAGE)
    for language, folder in folders.items():
        shutil.move(folder, root / language)
    shutil.rmtree(SITE, ignore_errors=True)
    shutil.move(root, SITE)


def _mkdocs(config: str, folder: Path) -> list[str]:
    mkdocs = [sys.executable, "-m", "mkdocs", "build", "--strict", "--clean"]
    return [*mkdocs, "--config-file", config, "--site-dir", str(folder)]


def main() -> int:
    """Build everything and say how long each stage took."""
    started = time.perf_counter()
    try:
        settings = from_environment()
        build.ensure(settings)
        made = time.perf_counter()
        assemble(settings)
    except CnnvizError as error:
        print(f"cnnviz: {error}", file=sys.stderr)
        return 1
    ended = time.perf_counter()
    print(f"site/ is ready: models and figures {made - started:.1f} s, pages {ended - made:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
