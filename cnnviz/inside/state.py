"""What a model remembers from one pass to the next, and a pass that only looks must not change."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from itertools import chain

import torch
from torch import Tensor, nn
from torch.nn.modules.lazy import LazyModuleMixin


class State:
    """The parameters and buffers of a model; each is copied only when it is to be overwritten."""

    def __init__(self, model: nn.Module, every: Iterable[nn.Module]) -> None:
        self._model = model
        self._saved: list[tuple[Tensor, Tensor, Tensor]] = []  # it, what it was, a copy of that
        self._lazy = False
        self._registered: list[tuple[dict[str, Tensor | None], dict[str, Tensor | None]]] = []
        for module in every:
            if module._buffers:
                self._registered.append((module._buffers, module._buffers.copy()))
            if isinstance(module, LazyModuleMixin):
                self._lazy = True

    def restore(self) -> None:
        """Let the parameters and buffers be what they were.

        Lazy modules get theirs in their first pass, and keep them.
        """
        if not self._lazy:
            self._restore()
            for now, before in self._registered:
                now.update(before)
        self._saved.clear()

    def _restore(self) -> None:
        if not self._saved:
            return
        with torch.no_grad():
            for tensor, before, copy in self._saved:
                before.copy_(copy)
                tensor.data = before

    def has(self, tensor: Tensor) -> bool:
        """Whether a plain tensor that is alone in its memory is one of the buffers."""
        return id(tensor) in self._buffers

    def save(self, tensor: Tensor) -> None:
        """Call this before somebody writes where `tensor` lies."""
        for own in self._places.get(_place(tensor), ()):
            if all(own is not other for other, _, _ in self._saved):
                before = own.data
                self._saved.append((own, before, before.clone()))

    @cached_property
    def _buffers(self) -> set[int]:
        return {id(buffer) for buffer in self._model.buffers()}

    @cached_property
    def _places(self) -> dict[int, list[Tensor]]:
        places: dict[int, list[Tensor]] = {}
        for tensor in chain(self._model.parameters(), self._model.buffers()):
            if not torch.nn.parameter.is_lazy(tensor):
                places.setdefault(_place(tensor), []).append(tensor)
        return places


def _place(tensor: Tensor) -> int:
    return id(tensor) if tensor.layout is not torch.strided else tensor.untyped_storage()._cdata
