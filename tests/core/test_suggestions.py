from __future__ import annotations

import pytest

from kploy.core.suggestions import did_you_mean, nearest


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("imgae", ["args", "image", "name"], "image"),
        ("IMAGE", ["image"], "image"),
        ("deployment", ["Deployment"], "Deployment"),
        ("image_tag", ["image-tag"], "image-tag"),
        ("cache-remote", ["cache_remotes"], "cache_remotes"),
        ("web", ["redis"], ""),
        ("web", [], ""),
        (80, [8080, 443], ""),
        (8081, [8080, 443], "8080"),
        ("a" * 10_000, ["a" * 100], "a" * 100),
    ],
)
def test_the_name_that_was_meant(name: object, known: list[object], meant: str) -> None:
    assert nearest(name, known) == meant


def test_among_very_many_names_none_is_looked_for() -> None:
    assert nearest("name1", [f"name{number}" for number in range(300)]) == "name1"
    assert nearest("name1", [f"name{number}" for number in range(301)]) == ""


def test_a_hint_names_what_was_meant_or_else_what_there_is() -> None:
    assert did_you_mean("web", "there are few") == "did you mean `web`?"
    assert did_you_mean("", "there are few") == "there are few"
    assert did_you_mean("") == ""
