"""A sequence that is never changed in place, and whose changed copies are cheap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from kploy.model.frozen import dataclass

_Row = TypeVar("_Row")

_WIDTH = 128
"""Rows in a chunk. Near the square root of the tens of thousands of rows that an app may have at most."""


@dataclass(frozen=True, slots=True)
class Table(Generic[_Row]):
    """Rows by index from 0. ``replace`` copies one chunk and the list of chunks, and shares the rest."""

    _chunks: tuple[tuple[_Row, ...], ...]

    @classmethod
    def of(cls, rows: Iterable[_Row]) -> Table[_Row]:
        """A table of ``rows`` in their order."""
        every: Sequence[_Row] = tuple(rows)
        return cls(tuple(tuple(every[start : start + _WIDTH]) for start in range(0, len(every), _WIDTH)))

    def __getitem__(self, index: int) -> _Row:
        """The row at ``index``, which must be one of the table's."""
        return self._chunks[index // _WIDTH][index % _WIDTH]

    def __iter__(self) -> Iterator[_Row]:
        for chunk in self._chunks:
            yield from chunk

    def __len__(self) -> int:
        return sum(map(len, self._chunks))

    def replace(self, index: int, row: _Row) -> Table[_Row]:
        """The same table but for the row at ``index``."""
        at, within = divmod(index, _WIDTH)
        chunk = self._chunks[at]
        changed = (*chunk[:within], row, *chunk[within + 1 :])
        return Table((*self._chunks[:at], changed, *self._chunks[at + 1 :]))
