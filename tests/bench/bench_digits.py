"""How many digits a second are made from strokes."""

from __future__ import annotations

import time

from cnnviz.data import digits

COUNT = 20_000


def main() -> list[dict[str, float]]:
    """Measure and print."""
    digits.generate(500, seed=0)  # warm up
    started = time.perf_counter()
    digits.generate(COUNT, seed=1)
    rate = COUNT / (time.perf_counter() - started)
    print(f"made digits: {rate:,.0f} images a second")
    return [{"images_per_second": rate}]


if __name__ == "__main__":
    main()
