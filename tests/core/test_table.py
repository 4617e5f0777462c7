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
