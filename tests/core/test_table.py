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


def test_one_changed_row_of_twenty_thousand_copies_a_few_hundred() -> None:
    rows = [object() for _ in range(20_000)]
    before = Table.of(rows)
    after = before.replace({10_000: object()})
    new = [chunk for chunk in after._chunks if not any(chunk is each for each in before._chunks)]
    assert (len(new), len(new[0]) + len(after._chunks) < 500) == (1, True)
