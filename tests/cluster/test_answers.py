from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.cluster.answers import Read, lines, whole
from kploy.cluster.port import ServerFailed


def arriving(*parts: bytes) -> Read:
    rest = [*parts, b""]
    return lambda: rest.pop(0)


def test_an_answer_is_all_of_its_parts() -> None:
    assert whole(arriving()) == b""
    assert whole(arriving(b"a", b"bc")) == b"abc"


def test_an_answer_may_be_as_large_as_allowed_and_no_larger() -> None:
    assert whole(arriving(b"abc", b"de"), largest=5) == b"abcde"
    with pytest.raises(ServerFailed, match="more than"):
        whole(arriving(b"abc", b"def"), largest=5)


def test_a_line_may_be_as_long_as_allowed_and_no_longer() -> None:
    assert list(lines(arriving(b"12", b"345\n", b"1\n23\n"), longest=5)) == [b"12345", b"1", b"23"]
    with pytest.raises(ServerFailed, match="a line of more than"):
        list(lines(arriving(b"1\n", b"123", b"456"), longest=5))


@given(st.lists(st.integers(0, 10**9), max_size=20), st.lists(st.integers(1, 30), min_size=1, max_size=50))
def test_lines_are_the_same_however_they_are_cut(numbers: list[int], cuts: list[int]) -> None:
    text = b"".join(b"%d\n" % number for number in numbers)
    parts = []
    for cut in cuts:
        parts.append(text[:cut])
        text = text[cut:]
    assert [int(line) for line in lines(arriving(*filter(None, [*parts, text])))] == numbers


def test_what_comes_after_the_last_line_break_is_a_line_if_it_is_anything() -> None:
    assert list(lines(arriving(b"a\n\nb", b"c"))) == [b"a", b"", b"bc"]
    assert list(lines(arriving(b"a\n"))) == [b"a"]
