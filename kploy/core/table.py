"""A sequence that is never changed in place, and whose changed copies are cheap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from kploy.model.frozen import dataclass

_Row = TypeVar("_Row")

_WIDTH = 128
"""Rows in a chunk. Near the square root of the tens of thousands of rows that an app may have at most."""


@dataclass(frozen=True, slots=True)
class Table(Generic[_Row]):
    """Rows by index from 0. ``replace`` copies the chunks that change and the list of chunks, no more."""

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

    def replace(self, rows: Mapping[int, _Row]) -> Table[_Row]:
        """The same table but for ``rows``, by index."""
        changed: dict[int, list[_Row]] = {}
        for index, row in rows.items():
            at, within = divmod(index, _WIDTH)
            if at not in changed:
                changed[at] = list(self._chunks[at])
            changed[at][within] = row
        chunks = list(self._chunks)
        for at, chunk in changed.items():
            chunks[at] = tuple(chunk)
        return Table(tuple(chunks))
