from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kploy.model.app import Kployfile
from kploy.model.errors import Refused
from kploy.source.documents import read_documents
from kploy.source.kployfile import read_kployfile, schema, schema_text
from kploy.source.text import Text

from .conftest import Write

REPOSITORY = Path(__file__).parents[2]


def test_a_kployfile_of_2015_is_read_unchanged(write: Write) -> None:
    content = (
        "apiserver: http://localhost:8080\nauthor: Michael\ncache_remotes: true\n"
        "name: the_App.2\nnamespace:\nsource: https://github.com/x/y\n"
    )
    assert read_kployfile(write({"Kployfile": content})) == (
        Kployfile(
            name="the_App.2",
            author="Michael",
            source="https://github.com/x/y",
            apiserver="http://localhost:8080",
            cache_remotes=True,
        ),
        (),
    )


def test_keys_may_be_empty(write: Write) -> None:
    content = "name: shop\nauthor:\nsource:\napiserver:\ncontext:\ncache_remotes:\nnamespace: ''\n"
    assert read_kployfile(write({"Kployfile": content})) == (Kployfile(name="shop"), ())


@pytest.mark.parametrize(
    ("content", "rule", "place", "hint"),
    [
        ("", "empty-kployfile", "1:1", "add `name: NAME`"),
        ("# nothing\n", "empty-kployfile", "1:1", "add `name: NAME`"),
        ("- a\n", "not-a-mapping", "1:1", "write `name: NAME`"),
        ("name: a\n---\nname: b\n", "several-documents", "2:1", "remove the second one"),
        ("author: a\n", "missing-key", "1:1", "add `name: shop`"),
        ("name:\n", "missing-key", "1:1", "add `name: shop`"),
        ("name: ../x\n", "invalid-name", "1:7", None),
        ('name: "a\\n"\n', "invalid-name", "1:7", None),
        (f"name: {'a' * 64}\n", "invalid-name", "1:7", None),
        ("name: NO\n", "wrong-type", "1:7", "quote it"),
        ("name: 0123\n", "wrong-type", "1:7", "quote it"),
        ("name: [a]\n", "wrong-type", "1:1", "write text"),
        ("name: a\ncache_remotes: maybe\n", "wrong-type", "2:16", "write true or false"),
        ("name: a\nnamespace: A\n", "invalid-namespace", "2:12", None),
        ("name: a\napiserver: https://u:p@h\n", "invalid-apiserver", "2:12", None),
        ("name: a\nNameSpace: b\n", "unknown-key", "2:1", "did you mean `namespace`?"),
        ("name: a\ncache-remotes: true\n", "unknown-key", "2:1", "did you mean `cache_remotes`?"),
        ("name: a\nname: b\n", "duplicate-key", "2:1", "keep one of them"),
        ("name: a\n\tauthor: b\n", "yaml-syntax", "2:1", "indent with spaces"),
        ("name: a\0\n", "control-character", "1:8", "remove it"),
        (b"name: \xff\n", "not-utf8", "1:7", "save the file as UTF-8"),
        (b"name: a\n" * 1_000_000, "too-large", None, "split it"),
    ],
)
def test_a_bad_kployfile_is_a_finding(
    content: str | bytes, rule: str, place: str | None, hint: str | None, write: Write
) -> None:
    findings = read_kployfile(write({"Kployfile": content}))[1]
    assert [(f.rule, f.place and f"{f.place.line}:{f.place.column}") for f in findings] == [(rule, place)]
    assert findings[0].hint == (hint or findings[0].hint)


def test_a_missing_kployfile_says_what_to_do(tmp_path: Path) -> None:
    found, findings = read_kployfile(tmp_path)
    assert found is None
    assert [(f.rule, f.hint) for f in findings] == [
        ("no-kployfile", "run `kploy init`, or give the app's directory")
    ]
    assert [f.rule for f in read_kployfile(tmp_path / "nowhere")[1]] == ["no-kployfile"]


def test_a_kployfile_is_a_regular_file_of_the_app(tmp_path: Path) -> None:
    path = tmp_path / "Kployfile"
    path.mkdir()
    assert [f.rule for f in read_kployfile(tmp_path)[1]] == ["not-a-file"]
    path.rmdir()
    os.mkfifo(path)
    assert [f.rule for f in read_kployfile(tmp_path)[1]] == ["not-a-file"]
    path.unlink()
    path.symlink_to("/etc/hostname")
    assert [f.rule for f in read_kployfile(tmp_path)[1]] in (["outside-link"], ["unreadable-file"])


@pytest.mark.parametrize("namespace", ["kube-system", "kube-public", "kube-node-lease"])
def test_namespaces_of_kubernetes_are_refused(namespace: str, write: Write) -> None:
    with pytest.raises(Refused, match=namespace):
        read_kployfile(write({"Kployfile": f"name: a\nnamespace: {namespace}\n"}))


def test_the_schema_is_valid_and_explains_every_key() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(schema_text()))
    for rule in schema()["properties"].values():
        assert rule["title"]
        assert rule["description"]
        for example in rule["examples"]:
            jsonschema.Draft202012Validator(rule).validate(example)


def test_the_example_explains_every_key_and_is_valid(write: Write) -> None:
    content = (REPOSITORY / "Kployfile.example").read_text(encoding="utf-8")
    found, findings = read_kployfile(write({"Kployfile": content}))
    assert findings == ()
    assert found is not None
    assert set(yaml.safe_load(content)) == set(schema()["properties"])


keys = st.sampled_from([*schema()["properties"], "nam"])
values: st.SearchStrategy[Any] = st.sampled_from(
    ["shop", "Shop.x", "", "-a", "kube_system", "https://h:1/x", "a\n", 1, 1.5, True, None, [], {}]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.dictionaries(keys, values, min_size=1))
def test_what_is_read_agrees_with_the_schema(data: dict[str, Any], write: Write) -> None:
    content = json.dumps(data)
    assert read_documents(Text("Kployfile", content)).complete[0].value == data
    by_schema = jsonschema.Draft202012Validator(schema()).is_valid(data)
    found, findings = read_kployfile(write({"Kployfile": content}))
    # Python's `$` also matches before a last newline, JSON Schema's does not.
    assert (found is not None and not findings) == (
        by_schema and "a\n" not in map(data.get, ("name", "namespace"))
    )
