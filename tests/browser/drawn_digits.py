"""Digits as a hand would write them on a pad of 28×28, by style: strokes of points, y down."""

from __future__ import annotations

from math import cos, pi, sin

Point = tuple[float, float]
Stroke = list[Point]


def arc(x: float, y: float, across: float, down: float, start: float, stop: float) -> Stroke:
    """A piece of an ellipse around (x, y); angles in turns, clockwise from the right."""
    count = max(4, round(16 * abs(stop - start)))
    angles = [2 * pi * (start + (stop - start) * i / count) for i in range(count + 1)]
    return [(x + across * cos(a), y + down * sin(a)) for a in angles]


DIGITS: dict[str, list[Stroke]] = {
    "0 round": [arc(14, 14, 6, 9, -0.25, -1.25)],
    "0 narrow": [arc(14, 14, 4, 9, -0.2, 0.85)],
    "1 bare": [[(14, 4), (14, 24)]],
    "1 leaning": [[(17, 4), (12, 24)]],
    "1 with a flag": [[(10, 9), (15, 4), (15, 24)]],
    "2 sharp": [[*arc(14, 9, 5.5, 5, -0.5, 0.1), (8, 24), (20, 24)]],
    "2 round": [[*arc(14, 9, 5, 5, -0.45, 0.15), (12, 19), (8, 23), (13, 22.5), (20, 23.5)]],
    "3 round": [[*arc(13, 9, 5, 4.5, -0.45, 0.25), *arc(13, 18.5, 6, 5, -0.25, 0.42)]],
    "3 flat": [[(8, 4.5), (19, 4.5), (13, 12), *arc(13.5, 18, 5.5, 5.5, -0.2, 0.42)]],
    "4 open": [[(9, 4), (8, 15), (20, 15)], [(17, 6), (17, 25)]],
    "4 closed": [[(16, 25), (16, 4), (7, 17), (21, 17)]],
    "5 in two": [
        [(9, 5), (8.5, 13), *arc(13, 18, 6, 5.5, -0.35, 0.4)],
        [(9, 5), (19, 5)],
    ],
    "5 in one": [[(19, 4), (10, 4.5), (9, 13), *arc(13, 18, 5.5, 6, -0.3, 0.4)]],
    "6 round": [[(17, 4), (11, 10), (9, 17), *arc(14, 19, 5, 5, 0.5, -0.55)]],
    "6 curled": [[*arc(17, 17, 9, 13, -0.24, -0.5), *arc(13.5, 19, 5.5, 5, 0.5, -0.5)]],
    "7 plain": [[(7, 5), (20, 5), (12, 24)]],
    "7 barred": [[(7, 6), (20, 5), (12, 24)], [(10, 14), (19, 14)]],
    "8 in one": [
        [
            *arc(14, 9, 4.5, 4.5, -0.1, -0.75),
            *arc(14, 18.5, 5.5, 5, -0.25, 0.75),
            *arc(14, 9, 4.5, 4.5, 0.25, -0.1),
        ]
    ],
    "8 of two rings": [arc(14, 9, 4.5, 4.5, -0.25, -1.25), arc(14, 18.5, 5.5, 5.2, -0.25, 0.75)],
    "9 straight": [[*arc(14, 9.5, 5, 5, 0, -1), (18, 25)]],
    "9 hooked": [[*arc(13.5, 9.5, 5, 5, 0, -1), (18.5, 18), *arc(13, 19, 5.5, 5.5, 0, 0.35)]],
}


def moved(strokes: list[Stroke], size: float, lean: float, dx: float, dy: float) -> list[Stroke]:
    """The same digit written larger or smaller, leaning to the right, in another place."""
    return [
        [(14 + size * (x - 14) - lean * (y - 14) + dx, 14 + size * (y - 14) + dy) for x, y in s]
        for s in strokes
    ]
