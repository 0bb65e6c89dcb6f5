"""The command `cnnviz`: train the networks of the site and test them."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cnnviz.data.catalogue import DATASETS
from cnnviz.errors import CnnvizError, unknown_name
from cnnviz.training.recipe import checkpoint_path
from cnnviz.training.runs import RECIPES, named


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status (0 right, 1 a user error, 2 wrong usage)."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options) or 0)
    except CnnvizError as error:
        print(f"cnnviz: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("cnnviz: interrupted; the next run goes on from here.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cnnviz", description="Train the networks of Seeing Convolutions and test them."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--data-dir", type=Path, help="folder with MNIST/raw or FashionMNIST/raw")
    common.add_argument("--download", action="store_true", help="fetch missing data files")
    common.add_argument("--device", default="cpu", help="cpu, cuda, mps or auto (default: cpu)")
    common.add_argument(
        "--build-dir", type=Path, default=Path("build"), help="where models and made data are kept"
    )

    train = commands.add_parser("train", parents=[common], help="train networks and keep them")
    train.add_argument("models", nargs="*", metavar="MODEL", help=f"default: {' '.join(RECIPES)}")
    train.add_argument("--dataset", default="digits", help=", ".join(DATASETS))
    train.add_argument("--jobs", type=int, default=1, help="trainings at the same time")
    train.set_defaults(run=_train)

    evaluate = commands.add_parser("evaluate", parents=[common], help="accuracy on the test split")
    evaluate.add_argument("model", metavar="MODEL", help=", ".join(RECIPES))
    evaluate.add_argument("--dataset", default="digits", help="tested on: " + ", ".join(DATASETS))
    evaluate.add_argument(
        "--trained-on", default="digits", help="data set it was trained on (default: digits)"
    )
    evaluate.add_argument("--checkpoint", type=Path, help="file to test instead of the kept one")
    evaluate.add_argument("--json", action="store_true", help="print one JSON object")
    evaluate.set_defaults(run=_evaluate)
    return parser


def _train(options: argparse.Namespace) -> int:
    names = options.models or list(RECIPES)
    for name in names:
        named(name, options.dataset)  # an unknown name fails before anything is trained
    if options.jobs > 1 and len(names) > 1:
        return _train_side_by_side(names, options)

    from cnnviz.training.checkpoints import trained
    from cnnviz.training.weights import weights_digest

    for name in names:
        recipe = named(name, options.dataset)
        result = trained(
            recipe,
            build_dir=options.build_dir,
            data_dir=options.data_dir,
            download=options.download,
            device=options.device,
        )
        print(
            f"{name}: {result.history.accuracy[-1]:.2%} on held-out {recipe.dataset}, "
            f"{result.history.seconds:.0f} s, weights {weights_digest(result.weights)}, "
            f"{checkpoint_path(recipe, options.build_dir, options.data_dir)}"
        )
    return 0


def _train_side_by_side(names: list[str], options: argparse.Namespace) -> int:
    """A share of the networks each process: small nets use one core each better than two."""
    from cnnviz.data import datasets

    for split in ("train", "test"):  # made or fetched once, before the processes want it
        datasets.load(
            options.dataset,
            split,
            data_dir=options.data_dir,
            download=options.download,
            build_dir=options.build_dir,
        )

    def share(names: list[str]) -> int:
        command = [sys.executable, "-m", "cnnviz", "train", *names, "--dataset", options.dataset]
        command += ["--device", options.device, "--build-dir", str(options.build_dir)]
        command += ["--data-dir", str(options.data_dir)] if options.data_dir else []
        return subprocess.run(command, check=False).returncode

    with ThreadPoolExecutor(options.jobs) as pool:
        shares = [names[i :: options.jobs] for i in range(min(options.jobs, len(names)))]
        return max(pool.map(share, shares))


def _evaluate(options: argparse.Namespace) -> int:
    if options.dataset not in DATASETS:
        raise unknown_name("dataset", options.dataset, DATASETS)
    recipe = named(options.model, options.trained_on)

    from cnnviz.data import datasets
    from cnnviz.data.inputs import scramble, to_input
    from cnnviz.inside.evaluation import evaluate, predict
    from cnnviz.training import checkpoints
    from cnnviz.training.fit import resolve_device

    device = resolve_device(options.device)
    test = datasets.load(
        options.dataset,
        "test",
        data_dir=options.data_dir,
        download=options.download,
        build_dir=options.build_dir,
    )
    if options.checkpoint:
        result = checkpoints.read(options.checkpoint)
    else:
        result = checkpoints.trained(
            recipe,
            build_dir=options.build_dir,
            data_dir=options.data_dir,
            download=options.download,
            device=options.device,
        )
    images = to_input(test.images)
    if result.recipe.scramble:
        images = scramble(images)
    logits = predict(result.model().to(device), images.to(device)).cpu()
    outcome = evaluate(logits, test.labels, test.class_names)
    if options.json:
        print(
            json.dumps(
                {
                    "model": options.model,
                    "trained_on": result.recipe.dataset,
                    "dataset": options.dataset,
                    "accuracy": outcome.accuracy,
                    "n": outcome.count,
                    "per_class": outcome.per_class,
                }
            )
        )
    else:
        print(f"{options.model} on {options.dataset}: {outcome.accuracy:.2%} of {outcome.count}")
        for name, share in outcome.per_class.items():
            print(f"  {name:12} {share:.2%}")
    return 0
