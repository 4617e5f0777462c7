"""What may be secret is not in anything that kploy shows of a file, wherever it sits and however it is written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kploy.core.differences import differences
from kploy.engine.prepare import conforming, prepare
from kploy.model.findings import Finding, Place
from kploy.model.objects import JsonPath
from kploy.source.documents import read_documents
from kploy.source.positions import Layout
from kploy.source.text import Text
from tests.source.conftest import Write

VALUE = "hunter2"


def deployed(container: Any) -> dict[str, Any]:
    metadata = {"name": "web", "labels": {"app": "web"}}
    spec = {"containers": [{"name": "web", "image": "a:1", **container}, {"name": "side", "image": "b:1"}]}
    template = {"metadata": metadata, "spec": spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": template}}


def config(data: dict[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a"},
        "data": {"a": "b", **data, "z": "y"},
    }


def header(value: str) -> dict[str, Any]:
    return {"livenessProbe": {"httpGet": {"httpHeaders": [{"name": "Authorization", "value": value}]}}}


SEATS: dict[str, Callable[[str], Any]] = {
    "variable": lambda value: deployed(
        {"env": [{"name": "DB_PASSWORD", "value": value}, {"name": "A", "value": "b"}]}
    ),
    "variable with a misspelt key": lambda value: deployed({"env": [{"name": "DB_PASSWORD", "valeu": value}]}),
    "variable with a misspelt name": lambda value: deployed({"env": [{"nam": "DB_PASSWORD", "value": value}]}),
    "variable in a misspelt list": lambda value: deployed({"evn": [{"name": "DB_PASSWORD", "value": value}]}),
    "variables as a mapping": lambda value: deployed({"env": {"DB_PASS": value}}),
    "variables as texts": lambda value: deployed({"env": [f"DB_PASS={value}"]}),
    "address in a variable": lambda value: deployed(
        {"env": [{"name": "DB", "value": f"postgres://shop:{value}@db"}]}
    ),
    "argument": lambda value: deployed({"args": ["--db-password", value, "-v"]}),
    "argument of one piece": lambda value: deployed({"args": [f"--token={value}"]}),
    "header of a probe": lambda value: deployed(header(value)),
    "key of a config": lambda value: config({"api_token": value}),
    "line of a config": lambda value: config({"app.ini": f"colour=blue\npassword={value}\nend=1\n"}),
    "custom resource": lambda value: {
        "apiVersion": "x.io/v1",
        "kind": "Db",
        "spec": {"size": 1, "adminPassword": value},
    },
    "item of a list": lambda value: {"apiVersion": "v1", "kind": "List", "items": [config({"password": value})]},
    "item of a typed list": lambda value: {"kind": "ConfigMapList", "items": [{"data": {"auth": value}}]},
}

STYLES: dict[str, Callable[[Any], str]] = {
    "block": lambda body: yaml.safe_dump(body, sort_keys=False),
    "flow": lambda body: yaml.safe_dump(body, default_flow_style=True, sort_keys=False, width=60),
    "one line": lambda body: yaml.safe_dump(body, default_flow_style=True, width=10**6),
    "literal": lambda body: yaml.safe_dump(body, default_style="|", sort_keys=False),
    "quoted": lambda body: yaml.safe_dump(body, default_style='"', sort_keys=False, width=30),
    "json": json.dumps,
    "indented json": lambda body: json.dumps(body, indent=2),
}

VALUES = st.text("ab \n#:'\"\\1é{", max_size=12).map(lambda text: f"{VALUE}{text}{VALUE}")


def paths(value: Any, path: JsonPath = ()) -> Iterator[JsonPath]:
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in children:
        yield from paths(inner, (*path, key))


def shown(place: Place) -> str:
    return "\n".join(line.text for line in place.excerpt)


@pytest.mark.parametrize("seat", SEATS)
@given(value=VALUES, style=st.sampled_from([*STYLES]))
@settings(max_examples=30)
def test_no_place_in_a_file_shows_a_value_that_may_be_secret(seat: str, style: str, value: str) -> None:
    if seat.startswith(("argument of", "address", "line", "variables as texts")):
        value = "".join(character for character in value if character.isalnum())
    text = Text("rcs/a.yaml", STYLES[style](SEATS[seat](value)))
    (document,) = read_documents(text).complete
    positions = Layout(text, document, secret=False).at(())
    for path in paths(document.value):
        for place in (positions.value(path), positions.key(path)):
            assert VALUE not in shown(place)
            last = place.excerpt[-1].text
            assert 1 <= place.column <= place.column + place.width - 1 <= max(1, len(last))
    if "items" not in document.value:
        assert VALUE not in repr(differences({"kind": document.value["kind"]}, document.value))


def findings(root: Path) -> tuple[Finding, ...]:
    return conforming(prepare(root, offline=True), "1.37").findings


POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n    - name: web\n      image: a:1\n"


@pytest.mark.parametrize(
    ("rest", "rule", "excerpt", "hint"),
    [
        (
            "      env:\n        - name: DB_PASSWORD\n          value: 72312345\n",
            "wrong-type",
            ["      env:", "        - name: DB_PASSWORD", "          value: ••••••"],
            "quote it",
        ),
        (
            "      env:\n        - {name: DB_PASSWORD, value: hunter2, valu: x}\n",
            "unknown-field",
            ["      image: a:1", "      env:", "        - {name: DB_PASSWORD, value: ••••••, valu: ••••••}"],
            "did you mean `value`?",
        ),
        (
            "      env:\n      - name: KEY\n        value: |\n         hunter2\n         hunter2\n      imag: x\n",
            "unknown-field",
            ["         ••••••", "         ••••••", "      imag: x"],
            "did you mean `image`?",
        ),
        (
            "      env:\n        - name: DB_PASSWORD\n          # value: hunter2\n          valu: x\n",
            "unknown-field",
            ["        - name: DB_PASSWORD", "          ••••••", "          valu: ••••••"],
            "did you mean `value`?",
        ),
        (
            "      env:\n        - name: DB_PASSWORD\n          value: hunter2\n          value: hunter2\n",
            "duplicate-key",
            ["        - name: DB_PASSWORD", "          value: ••••••", "          value: ••••••"],
            "keep one of them",
        ),
        (
            '      args: ["--password", hunter2, "--token"\n',
            "yaml-syntax",
            ["      ••••••"],
            "close it",
        ),
        (
            "      # token: hunter2\n      command: [a, --token, hunter2]\n      imag: x\n",
            "unknown-field",
            ["      ••••••", "      command: [a, --token, ••••••]", "      imag: x"],
            "did you mean `image`?",
        ),
        (
            "      env:\n        - name: DB_PASSWORD\n          value: hunter2\n\t\tx: y\n",
            "yaml-syntax",
            ["\t\t••••••"],
            "indent with spaces",
        ),
    ],
)
def test_an_excerpt_shows_what_is_no_secret_and_the_caret_stands_under_it(
    write: Write, rest: str, rule: str, excerpt: list[str], hint: str
) -> None:
    (found,) = [finding for finding in findings(write({"rcs/web.yaml": POD + rest})) if finding.rule == rule]
    assert found.place is not None
    assert [line.text for line in found.place.excerpt] == excerpt
    assert found.hint == hint


def test_a_value_that_cannot_be_read_is_not_quoted(write: Write) -> None:
    database = "apiVersion: x.io/v1\nkind: Db\nmetadata: {name: a}\nspec:\n  adminPassword: !!int hunter2\n"
    (found,) = findings(write({"resources/a.yaml": database}))
    assert (found.rule, found.message) == ("yaml-tag", "this value is no !!int")
    assert found.place is not None
    assert shown(found.place).endswith("spec:\n  adminPassword: !!int ••••••")


def test_documents_that_share_a_line_hide_each_others_secrets(write: Write) -> None:
    one = json.dumps({**config({"password": "hunter2"})})
    other = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}, "dat": {}})
    found = findings(write({"resources/a.json": f"{one} {other}"}))
    assert [finding.rule for finding in found] == ["unknown-field"]
    assert "hunter2" not in repr(found)


def test_a_kployfile_hides_what_looks_like_a_password(write: Write) -> None:
    found = findings(write({"Kployfile": "name: shop\npassword: hunter2\n", "rcs/web.yaml": POD}))
    assert [finding.message for finding in found] == ["`password` is not a key of a Kployfile"]
    assert "hunter2" not in repr(found)
