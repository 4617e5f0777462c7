from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from kploy.ui.lines import Line, Part, line
from kploy.ui.sanitize import clean
from kploy.ui.width import fitted, width_of

TEXT = st.text(st.characters(exclude_categories=()))
PARTS = st.lists(st.one_of(TEXT, st.tuples(TEXT, st.sampled_from(["", "bold", "red"]))), max_size=4)


@given(TEXT)
def test_a_text_is_as_wide_as_rich_says(text: str) -> None:
    assert width_of(clean(text)) == cell_len(clean(text))


@given(TEXT, st.integers(0, 20))
def test_what_is_fitted_is_as_wide_as_was_asked_for(text: str, columns: int) -> None:
    assert width_of(fitted(clean(text), columns)) == columns


@given(PARTS)
def test_a_line_is_stripped_of_the_blanks_at_its_end_and_of_nothing_else(parts: list[Part]) -> None:
    whole = line(*parts)
    assert whole.stripped.plain == whole.plain.rstrip()
    assert len(whole.stripped.pieces) <= len(whole.pieces)


@given(PARTS, PARTS)
def test_two_lines_together_are_all_their_pieces(one: list[Part], other: list[Part]) -> None:
    assert line(*one) + line(*other) == line(*one, *other)


def test_a_line_of_nothing_is_empty() -> None:
    assert (Line().plain, line().stripped, line(("  ", "red"), " ").stripped) == ("", Line(), Line())


@given(PARTS)
def test_rich_is_given_the_same_text_with_the_style_of_each_piece(parts: list[Part]) -> None:
    whole = line(*parts)
    text = whole.__rich__()
    assert text.plain == whole.plain
    styled = [(text.plain[span.start : span.end], span.style) for span in text.spans]
    assert styled == [piece for piece in whole.pieces if all(piece)]
