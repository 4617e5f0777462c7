"""Input that means no good, or was made at 3 a.m.: what once came out wrong."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Kploy, Write
from tests.cli.test_run import FLAGS


@pytest.mark.parametrize(
    ("kployfile", "rule"),
    [
        ("name: a\napiserver: https://u:hunter2@h:1\n", "invalid-apiserver"),
        ("name: a\napiserver: https://h:443/x?token=hunter2#z\n", "invalid-apiserver"),
        ('name: a\napiserver: ""\n', "invalid-apiserver"),
        ("name: a\napiserver: https://h:999999\n", "invalid-apiserver"),
        ('name: a\ncontext: ""\n', "invalid-context"),
    ],
)
def test_a_pin_that_pins_nothing_is_an_error_and_shows_no_password(
    offline: Kploy, write: Write, kployfile: str, rule: str
) -> None:
    write({"Kployfile": kployfile, "resources/flags.yaml": FLAGS.format("blue")})
    result = offline("dryrun", "--offline")
    assert result.code == 3
    assert f"error[{rule}]" in result.stderr
    assert "Kployfile:2:" in result.stderr
    assert "hunter2" not in result.stderr


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("apiVersion: v1\nkind: List\nitem:\n  - {apiVersion: v1}\n", "missing-field"),
        ("apiVersion: v1\nkind: List\n", "missing-field"),
        ("apiVersion: v1\nkind: List\nitems: []\n", "empty-app"),
        ("# nothing\n", "empty-app"),
    ],
)
def test_an_app_that_would_deploy_nothing_is_an_error(offline: Kploy, write: Write, text: str, rule: str) -> None:
    write({"resources/list.yaml": text})
    result = offline("dryrun", "--offline")
    assert result.code == 3
    assert f"error[{rule}]" in result.stderr


def test_of_thousands_of_findings_a_hundred_are_shown_and_the_rest_counted(offline: Kploy, write: Write) -> None:
    one = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x{0}}}\nfoo: 1\n"
    write({"resources/x.yaml": "".join(one.format(number) for number in range(2000))})
    result = offline("dryrun", "--offline")
    assert result.code == 3
    assert result.stderr.count("error[unknown-field]") == 100
    assert "and 1900 more; -o json shows them all" in result.lines
    assert "✗ 2000 errors in 1 of 1 file" in result.lines[-1]


@pytest.mark.cluster
def test_what_the_server_keeps_for_itself_is_not_sent_back_to_it(kploy: Kploy, write: Write) -> None:
    pasted = FLAGS.format("blue").replace("  name: flags\n", '  name: flags\n  resourceVersion: "5"\n  uid: abc\n')
    write({"resources/flags.yaml": pasted})
    for _ in range(2):
        result = kploy("run")
        assert result.code == 0
        assert "warning[server-field]" in result.stderr


@pytest.mark.cluster
@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v1\nkind: Binding\nmetadata: {name: b}\ntarget: {kind: Node, name: n}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: big}\ndata:\n"
        + "".join(f"  k{number}: {'x' * 40}\n" for number in range(70_000)),
    ],
)
def test_what_the_server_does_not_take_at_all_is_a_finding_at_its_manifest(
    kploy: Kploy, write: Write, text: str
) -> None:
    write({"resources/odd.yaml": text})
    result = kploy("dryrun")
    assert result.code == 3
    assert "  resources/odd.yaml:" in result.stderr
