from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kploy.core.table import Table


@given(st.data(), st.lists(st.integers(), max_size=600))
def test_is_a_list_whose_changes_leave_the_original_alone(data: st.DataObject, rows: list[int]) -> None:
    table = Table.of(rows)
    assert list(table) == rows
    assert len(table) == len(rows)
    if rows:
        index = data.draw(st.integers(0, len(rows) - 1))
        changed = table.replace(index, 7)
        assert list(changed) == [*rows[:index], 7, *rows[index + 1 :]]
        assert changed[index] == 7
        assert list(table) == rows
