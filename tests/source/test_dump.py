"""YAML as kploy writes it: whatever a text says, it comes back, and no CI runner obeys it."""

from __future__ import annotations

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from kploy.source.yaml import dump
from tests.ui.runner import orders

TEXTS = st.lists(
    st.sampled_from(
        ["::", "error::x", "add-mask::", "##[", "error]", "\n", "\\", '"', "'", " ", "a", "é", "\u2028"]
    )
)


@given(TEXTS.map("".join), TEXTS.map("".join))
@example("word " * 40 + "::error::x", "\n##[error]")
def test_a_text_comes_back_and_gives_no_orders(key: str, text: str) -> None:
    data = {key: [text, {"a": text}]}
    written = dump(data)
    assert yaml.safe_load(written) == data
    assert orders(written) == []
