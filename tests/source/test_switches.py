from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from kploy.model.app import Kployfile, Switch
from kploy.source.kployfile import read_kployfile, schema_text

from .conftest import Write

REMEDY = "write ignore, warning or error"


def test_switches_are_read(write: Write) -> None:
    content = "name: shop\nrules:\n  image-tag: error\n  no-readiness-probe: ignore\n"
    rules = (("image-tag", Switch.ERROR), ("no-readiness-probe", Switch.IGNORE))
    assert read_kployfile(write({"Kployfile": content})) == (Kployfile(name="shop", rules=rules), ())
    assert read_kployfile(write({"Kployfile": "name: shop\nrules:\n"})) == (Kployfile(name="shop"), ())


@pytest.mark.parametrize(
    ("rules", "rule", "column", "message", "hint"),
    [
        ("image-tga: error", "unknown-rule", 3, "there is no rule `image-tga`", "did you mean `image-tag`?"),
        ("zzz: error", "unknown-rule", 3, "there is no rule `zzz`", "`kploy explain rules` lists them"),
        (
            "duplicate-object: ignore",
            "fixed-rule",
            3,
            "`duplicate-object` cannot be switched: kploy could not go on, or not safely",
            "take it out, and mend what it finds",
        ),
        (
            "image-tag: off",
            "invalid-switch",
            14,
            "a rule is switched to ignore, warning or error, not a boolean",
            "write `ignore`: YAML reads a bare off or no as false",
        ),
        (
            "image-tag: 'off'",
            "invalid-switch",
            14,
            "a rule is switched to ignore, warning or error, not `off`",
            REMEDY,
        ),
        (
            "image-tag: [ignore]",
            "invalid-switch",
            3,
            "a rule is switched to ignore, warning or error, not a list",
            REMEDY,
        ),
    ],
)
def test_a_wrong_switch_is_a_finding_at_its_line(
    rules: str, rule: str, column: int, message: str, hint: str, write: Write
) -> None:
    found, findings = read_kployfile(write({"Kployfile": f"name: shop\nrules:\n  {rules}\n"}))
    assert found == Kployfile(name="shop")
    of_rules = [finding for finding in findings if finding.rule != "yaml-boolean"]
    assert [(f.rule, f.message, f.hint, str(f.place)) for f in of_rules] == [
        (rule, message, hint, f"Kployfile:3:{column}")
    ]


def test_rules_are_a_mapping(write: Write) -> None:
    findings = read_kployfile(write({"Kployfile": "name: shop\nrules: [image-tag]\n"}))[1]
    assert [(f.rule, f.message) for f in findings] == [("wrong-type", "`rules` must be a mapping, this is a list")]


def test_the_schema_has_every_rule_that_can_be_switched() -> None:
    script = runpy.run_path(str(Path(__file__).parents[2] / "scripts/write_switches.py"))
    assert schema_text() == script["written"](schema_text()), "run: python scripts/write_switches.py"
