"""How a number is written for readers: every way once. A minus is a true minus sign.

Needs nothing; what draws, what writes pages and what checks texts take their numbers from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import floor, log10

Write = Callable[[float], str]
"""How a value becomes text."""


def with_minus(text: str) -> str:
    """A written number, or several, with true minus signs.

    >>> with_minus("-0.5 to -0.1")
    '−0.5 to −0.1'
    """
    return text.replace("-", "−")


def percent(value: float, digits: int = 1) -> str:
    """A share in percent.

    >>> percent(0.98412), percent(0.98412, 0)
    ('98.4%', '98%')
    """
    return f"{value * 100:.{digits}f}%"


def whole_percent(share: float) -> str:
    """A share in whole percent, of which little is not nothing.

    >>> whole_percent(0.123), whole_percent(0.001), whole_percent(0)
    ('12%', '<1%', '0%')
    """
    return f"{100 * share:.0f}%" if share >= 0.005 or not share else "<1%"


def thousands(value: float) -> str:
    """A whole number in groups of three digits.

    >>> thousands(61706)
    '61,706'
    """
    return with_minus(f"{value:,.0f}")


def millions(value: float) -> str:
    """In millions, without decimals from 10 on.

    >>> millions(61706), millions(138_357_544)
    ('0.06', '138')
    """
    return f"{value / 1e6:,.{0 if value > 1e7 else 2}f}"


def fixed(value: float, digits: int = 2) -> str:
    """With so many decimals.

    >>> fixed(-0.1234)
    '−0.12'
    """
    return with_minus(f"{value:.{digits}f}")


def fixed_or_zero(value: float, digits: int = 2) -> str:
    """With so many decimals; what rounds to zero has no sign.

    >>> fixed_or_zero(-0.001), fixed_or_zero(-1)
    ('0.00', '−1.00')
    """
    return fixed(round(value, digits) + 0.0, digits)


def signed(value: float, digits: int = 2) -> str:
    """With so many decimals and its sign, plus too; what rounds to zero has none.

    >>> signed(0.1234), signed(-0.001)
    ('+0.12', '0.00')
    """
    written = with_minus(f"{value:+.{digits}f}")
    return written if written.strip("+−0.") else written[1:]


def significant(value: float) -> str:
    """Three significant digits.

    >>> significant(-0.0312), significant(12.0), significant(0)
    ('−0.0312', '12', '0')
    """
    return with_minus(f"{value:.3g}")


def small(value: float, plus: bool = False) -> str:
    """Three significant digits, at most four decimals, a plus sign if wanted; what is tiny is 0.

    >>> small(-0.01234), small(0.5, plus=True), small(1e-7, plus=True)
    ('−0.0123', '+0.5', '0')
    """
    if abs(value) < 5e-5:
        return "0"
    text = f"{value:.3g}" if abs(value) >= 1e-3 else f"{value:.4f}"
    return ("+" if plus and value > 0 else "") + with_minus(text)


def shortest(value: float, digits: int = 2) -> str:
    """As short as it can be in so many decimals.

    >>> shortest(1.50), shortest(-2.0), shortest(-0.001)
    ('1.5', '−2', '0')
    """
    text = f"{value:.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else with_minus(text)


def times(sizes: Iterable[int]) -> str:
    """Sizes of an array, a picture or a kernel.

    >>> times((6, 28, 28))
    '6×28×28'
    """
    return "×".join(map(str, sizes))


def alike(values: Iterable[float]) -> Write:
    """All of `values` with the same number of decimals: two, fewer if that says the same.

    More only where all values are so small that two would leave nothing of them.

    >>> [alike(values)(values[0]) for values in ([1, -2], [0.5, 0.123], [0.0071, 0])]
    ['1', '0.50', '0.0071']
    """
    values = list(values)
    largest = max(map(abs, values))
    most = max(2, 1 - floor(log10(largest))) if largest else 0
    close = 0.5 * 10**-most
    exact = (n for n in range(most) if all(abs(v - round(v, n)) <= close for v in values))
    digits = next(exact, most)

    def write(value: float) -> str:
        text = fixed(value, digits)
        return text if text.strip("−0.") else "0"

    return write
