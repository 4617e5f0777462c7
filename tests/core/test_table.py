from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kploy.core.table import Table


@given(st.data(), st.lists(st.integers(), max_size=600))
def test_is_a_list_whose_changes_leave_the_original_alone(data: st.DataObject, rows: list[int]) -> None:
    table = Table.of(rows)
    assert list(table) == rows
    assert len(table) == len(rows)
    changes = data.draw(st.dictionaries(st.integers(0, len(rows) - 1), st.integers())) if rows else {}
    changed = table.replace(changes)
    expected = [changes.get(index, row) for index, row in enumerate(rows)]
    assert list(changed) == expected
    assert [changed[index] for index in range(len(rows))] == expected
    assert list(table) == rows


def chunks_of(table: Table[object]) -> tuple[tuple[object, ...], ...]:
    return table._chunks  # noqa: SLF001 - what is copied shows nowhere else


def test_one_changed_row_of_twenty_thousand_copies_a_few_hundred() -> None:
    before = Table.of([object() for _ in range(20_000)])
    after = before.replace({10_000: object()})
    kept = {id(chunk) for chunk in chunks_of(before)}
    (new,) = [chunk for chunk in chunks_of(after) if id(chunk) not in kept]
    assert len(new) + len(chunks_of(after)) < 500
