"""What is known of each number in the memory of tensors during one forward pass.

It is kept by the memory, not by the tensor: a view, whoever made it and however it is spelled,
sees what its memory sees, and what is written through one view is seen through all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

from cnnviz.inside.field_bounds import Seen, nothing

Place = tuple[tuple[int, ...], tuple[int, ...], int]
"""Size, strides and offset of a tensor in its memory."""


class Unknown(Exception):
    """What a tensor sees is not known; the reason is a clause without a full stop."""


@dataclass
class _Kept:
    """Attributes:
    storage: keeps the address of the memory from being taken again, not the memory.
    numbers: how many there are in the memory, of `bytes` each.
    seen: the same knowledge in the shape of several tensors.
    unknown: why nothing is known, else "".
    """

    storage: StorageWeakRef
    numbers: int
    bytes: int
    seen: dict[Place, Seen] = field(default_factory=dict)
    unknown: str = ""

    def flat(self) -> Seen:
        """In the order of the memory, (numbers,); what no tensor covered has seen nothing."""
        place = ((self.numbers,), (1,), 0)
        if place not in self.seen:
            (size, stride, offset), seen = next(iter(self.seen.items()))

            def laid_out(bound: Tensor) -> Tensor:
                memory = torch.full((self.numbers,), inf)
                memory.as_strided(size, stride, offset).copy_(bound)
                return memory

            self.seen[place] = seen.each(laid_out)
        return self.seen[place]


class Memory:
    """What is known, by the address of each memory."""

    def __init__(self) -> None:
        self._kept: dict[int, _Kept] = {}

    def read(self, tensor: Tensor) -> Seen | None:
        """What each element of a tensor sees; None if it does not depend on the input.

        Raises:
            Unknown: it does, in a way that cannot be told.
        """
        kept = self._kept.get(_address(tensor))
        if kept is None:
            return None
        if kept.unknown:
            raise Unknown(kept.unknown)
        if kept.bytes != tensor.element_size():
            raise Unknown("its memory is read as numbers of another type")
        place = _place(tensor)
        if place not in kept.seen:
            flat = kept.flat()
            kept.seen[place] = flat.each(lambda bound: bound.as_strided(*place))
        return kept.seen[place]

    def write(self, tensor: Tensor, seen: Seen | None) -> None:
        """Note what a tensor sees into which something was written, or that was made."""
        address = _address(tensor)
        kept = self._kept.get(address)
        storage, size = tensor.untyped_storage(), tensor.element_size()
        numbers = storage.nbytes() // size
        if tensor.numel() == numbers or (kept is None and not tensor._is_view()):
            if seen is None:
                self._kept.pop(address, None)
            else:
                new = {_place(tensor): seen}
                self._kept[address] = _Kept(StorageWeakRef(storage), numbers, size, new)
            return
        if kept is None:
            if seen is None:
                return
            kept = _Kept(StorageWeakRef(storage), numbers, size)
            kept.seen[(numbers,), (1,), 0] = nothing((numbers,))
            self._kept[address] = kept
        if not kept.unknown:
            place = _place(tensor)
            part = nothing(tensor.shape) if seen is None else seen
            bounds = []
            for memory, bound in zip(kept.flat().bounds, part.bounds, strict=True):
                changed = memory.clone(memory_format=torch.contiguous_format)
                changed.as_strided(*place).copy_(bound)
                bounds.append(changed)
            kept.seen = {((numbers,), (1,), 0): Seen(tuple(bounds), part.jump)}

    def note(self, view: Tensor, seen: Seen) -> None:
        """The same knowledge in the shape of a view, where it need not be worked out again."""
        self._kept[_address(view)].seen.setdefault(_place(view), seen)

    def lose(self, tensor: Tensor, reason: str) -> None:
        """What is in this memory is not known any more."""
        storage = tensor.untyped_storage()
        self._kept[_address(tensor)] = _Kept(StorageWeakRef(storage), 0, 0, unknown=reason)


def _address(tensor: Tensor) -> int:
    try:
        return tensor.untyped_storage()._cdata
    except (NotImplementedError, RuntimeError):  # sparse, for instance
        raise Unknown("it is not a dense tensor") from None


def _place(tensor: Tensor) -> Place:
    return tuple(tensor.shape), tensor.stride(), int(tensor.storage_offset())
