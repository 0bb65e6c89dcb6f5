"""The command `cnnviz`: look into a network; train the networks of the site and test them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer

from cnnviz.data.catalogue import DATASETS
from cnnviz.errors import CnnvizError, unknown_name
from cnnviz.own import commands
from cnnviz.training.recipe import checkpoint_path
from cnnviz.training.runs import RECIPES, named

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""

app = typer.Typer(
    help="Look inside convolutional neural networks: yours, and those of Seeing Convolutions.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

DataDir = Annotated[Path | None, typer.Option(help="folder with MNIST/raw or FashionMNIST/raw")]
Download = Annotated[bool, typer.Option("--download", help="fetch missing data files")]
Device = Annotated[str, typer.Option(help="cpu, cuda, mps or auto")]
BuildDir = Annotated[Path, typer.Option(help="where models and made data are kept")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status (0 right, 1 a user error, 2 wrong usage)."""
    try:
        app(arguments, prog_name="cnnviz")
    except CnnvizError as error:
        print(f"cnnviz: {error}", file=sys.stderr)
        return 1
    except SystemExit as end:  # so ends each command of typer, and 130 is what it makes of Ctrl-C
        if end.code == INTERRUPTED:
            print("cnnviz: interrupted; the next run goes on from here.", file=sys.stderr)
        return int(end.code or 0)
    return 0


app.command()(commands.atlas)
app.command()(commands.summary)


def _print_version(wanted: bool) -> None:
    if wanted:
        from cnnviz import __version__

        print(f"cnnviz {__version__}")
        raise typer.Exit


@app.callback()
def _every_command(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="print it and end"),
    ] = False,
) -> None:
    pass


@app.command()
def train(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="MODEL", help=f"default: {' '.join(RECIPES)}"),
    ] = None,
    dataset: Annotated[str, typer.Option(help=", ".join(DATASETS))] = "digits",
    jobs: Annotated[int, typer.Option(help="trainings at the same time")] = 1,
    data_dir: DataDir = None,
    download: Download = False,
    device: Device = "cpu",
    build_dir: BuildDir = Path("build"),
) -> None:
    """Train networks and keep them."""
    names = models or list(RECIPES)
    for name in names:
        named(name, dataset)  # an unknown name fails before anything is trained
    if jobs > 1 and len(names) > 1:
        _fetch(dataset, data_dir, download, build_dir)
        options = ["--dataset", dataset, "--device", device, "--build-dir", str(build_dir)]
        options += ["--data-dir", str(data_dir)] if data_dir else []
        raise typer.Exit(_train_side_by_side(names, options, jobs))

    from cnnviz.training.checkpoints import trained
    from cnnviz.training.weights import weights_digest

    for name in names:
        recipe = named(name, dataset)
        result = trained(
            recipe, build_dir=build_dir, data_dir=data_dir, download=download, device=device
        )
        print(
            f"{name}: {result.history.accuracy[-1]:.2%} on held-out {recipe.dataset}, "
            f"{result.history.seconds:.0f} s, weights {weights_digest(result.weights)}, "
            f"{checkpoint_path(recipe, build_dir, data_dir)}"
        )


def _fetch(dataset: str, data_dir: Path | None, download: bool, build_dir: Path) -> None:
    """Make or fetch the data once, before several processes want it."""
    from cnnviz.data import datasets

    for split in ("train", "test"):
        datasets.load(dataset, split, data_dir=data_dir, download=download, build_dir=build_dir)


def _train_side_by_side(names: list[str], options: list[str], jobs: int) -> int:
    """A share of the networks each process: small nets use one core each better than two."""

    def share(names: list[str]) -> int:
        command = [sys.executable, "-m", "cnnviz", "train", *names, *options]
        return subprocess.run(command, check=False).returncode

    with ThreadPoolExecutor(jobs) as pool:
        shares = [names[i::jobs] for i in range(min(jobs, len(names)))]
        return max(pool.map(share, shares))


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help=", ".join(RECIPES))],
    dataset: Annotated[str, typer.Option(help="tested on: " + ", ".join(DATASETS))] = "digits",
    trained_on: Annotated[str, typer.Option(help="data set it was trained on")] = "digits",
    checkpoint: Annotated[
        Path | None, typer.Option(help="file to test instead of the kept one")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
    data_dir: DataDir = None,
    download: Download = False,
    device: Device = "cpu",
    build_dir: BuildDir = Path("build"),
) -> None:
    """Accuracy on the test split."""
    if dataset not in DATASETS:
        raise unknown_name("dataset", dataset, DATASETS)
    recipe = named(model, trained_on)

    from cnnviz.data import datasets
    from cnnviz.data.inputs import scramble, to_input
    from cnnviz.inside.evaluation import evaluate, predict
    from cnnviz.training import checkpoints
    from cnnviz.training.fit import resolve_device

    where = resolve_device(device)
    test = datasets.load(dataset, "test", data_dir=data_dir, download=download, build_dir=build_dir)
    result = (
        checkpoints.read(checkpoint)
        if checkpoint
        else checkpoints.trained(
            recipe, build_dir=build_dir, data_dir=data_dir, download=download, device=device
        )
    )
    images = to_input(test.images)
    if result.recipe.scramble:
        images = scramble(images)
    logits = predict(result.model().to(where), images.to(where)).cpu()
    outcome = evaluate(logits, test.labels, test.class_names)
    facts = {
        "model": model,
        "trained_on": result.recipe.dataset,
        "dataset": dataset,
        "accuracy": outcome.accuracy,
        "n": outcome.count,
        "per_class": outcome.per_class,
    }
    if as_json:
        print(json.dumps(facts))
        return
    print(f"{model} on {dataset}: {outcome.accuracy:.2%} of {outcome.count}")
    for name, share in outcome.per_class.items():
        print(f"  {name:12} {share:.2%}")
