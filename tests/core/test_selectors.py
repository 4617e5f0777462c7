from __future__ import annotations

from typing import Any

import pytest

from kploy.core.selectors import by_labels, label_selector, matches, written


@pytest.mark.parametrize(
    ("selector", "labels", "answer"),
    [
        ({}, {}, True),
        ({"matchLabels": {"a": "1"}}, {"a": "1", "b": "2"}, True),
        ({"matchLabels": {"a": "1"}}, {"a": "2"}, False),
        ({"matchLabels": {"a": "1"}}, {}, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "2"]}]}, {"a": "2"}, True),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1"]}]}, {}, False),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, {}, True),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, {"a": "1"}, False),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, {"a": "1"}, True),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, {}, False),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, {}, True),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, {"a": "1"}, False),
    ],
)
def test_a_selector_matches_labels(selector: dict[str, Any], labels: dict[str, str], answer: bool) -> None:
    found = label_selector(selector)
    assert found is not None
    assert matches(found, labels) is answer


@pytest.mark.parametrize("selector", [None, "a", [], {"matchExpressions": [{"key": "a", "operator": "in"}]}])
def test_what_is_no_selector(selector: object) -> None:
    assert label_selector(selector) is None


def test_a_selector_is_written_as_the_api_takes_it() -> None:
    expressions = [
        {"key": "b", "operator": "In", "values": ["2", "1"]},
        {"key": "c", "operator": "NotIn", "values": ["1"]},
        {"key": "d", "operator": "Exists"},
        {"key": "e", "operator": "DoesNotExist"},
    ]
    found = label_selector({"matchLabels": {"a": "1"}, "matchExpressions": expressions})
    assert found is not None
    assert written(found) == "a=1,b in (1,2),c notin (1),d,!e"
    assert written(by_labels({"a": "1", "b": "2"})) == "a=1,b=2"
