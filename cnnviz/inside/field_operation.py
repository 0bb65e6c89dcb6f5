"""One call of a basic operation of PyTorch, as the rules for what it sees are given it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from cnnviz.inside.field_bounds import Seen, nothing


@dataclass(frozen=True)
class Operation:
    """One call of a basic operation.

    Attributes:
        name: without what tells its forms apart, such as "add" of "add_" and "add.Tensor".
        values: arguments by name.
        seen: what the tensors among the arguments see, by their id; not of those that do not
            depend on the input.
        gates: whether what a map gets as one number for a channel counts.
    """

    name: str
    function: Any
    values: Mapping[str, Any]
    seen: Mapping[int, Seen]
    gates: bool

    def of(self, argument: str) -> Seen:
        """What an argument sees, perhaps nothing."""
        tensor = self.values[argument]
        seen = self.seen.get(id(tensor))
        return nothing(tensor.shape) if seen is None else seen

    def first(self) -> Seen:
        """What the argument sees that comes first, such as "self" or "input"."""
        return self.of(next(iter(self.values)))

    def depends(self, *arguments: str) -> bool:
        return any(id(self.values.get(argument)) in self.seen for argument in arguments)


Rule = Callable[[Operation, Tensor], Seen]


def tensors(value: Any) -> Iterator[Tensor]:
    """The tensors in an argument or result."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors(item)
