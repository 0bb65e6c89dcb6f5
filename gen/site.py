"""`python -m gen.site`: train, render, build all languages side by side, put them together."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from cnnviz.errors import CnnvizError
from cnnviz.files import digest
from gen import build, manifest
from gen.publish import languages
from gen.publish.commit import commit
from gen.settings import ROOT, Settings, from_environment

SITE = ROOT / "site"
STAMP = ROOT / "build" / "site.digest"
"""What `site/` was made from; absent if a build stopped half way or took figures from a bundle."""
LANGUAGES = {language.code: language.config.name for language in languages.read(ROOT)}


def made_from(settings: Settings) -> str:
    """Digest of all that the pages are made from: texts, code, choices, figures, the commit."""
    paths = [path for folder in ("cnnviz", "docs", "gen") for path in (ROOT / folder).rglob("*")]
    paths += [*ROOT.glob("*.yml"), *ROOT.glob("*.toml"), ROOT / "constraints.txt"]
    files = sorted(p for p in paths if p.is_file() and "__pycache__" not in p.parts)
    choices = [repr(settings), commit()]
    choices += [f"{name}={os.environ.get(name)}" for name in ("SITE_URL", "REPO_URL")]
    choices += [f"{name} {key}" for name, key in manifest.keys(settings).items()]
    return digest(
        [
            *(part.encode() for part in choices),
            *(part for p in files for part in (str(p.relative_to(ROOT)).encode(), p.read_bytes())),
        ],
        64,
    )


def assemble(settings: Settings) -> None:
    """Build all languages in folders of their own, then replace `site/` by them.

    Raises:
        CnnvizError: a build failed; `site/` is as it was.
    """
    STAMP.unlink(missing_ok=True)
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
        now = made_from(settings)
        if SITE.exists() and STAMP.exists() and STAMP.read_text() == now:
            print("site/ is up to date")
            return 0
        assemble(settings)
        STAMP.write_text(now)
    except CnnvizError as error:
        print(f"cnnviz: {error}", file=sys.stderr)
        return 1
    ended = time.perf_counter()
    print(f"site/ is ready: models and figures {made - started:.1f} s, pages {ended - made:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
