"""``kploy explain``: the rules, one rule, a command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import yaml

from kploy.core.rules import RULES
from tests.cli.conftest import Kploy


def test_lists_every_rule_as_a_table(offline: Kploy) -> None:
    lines = offline("explain", "rules").stdout.splitlines()
    assert lines[0].split() == ["RULE", "SEVERITY", "SWITCHABLE", "FINDS"]
    assert [line.split()[0] for line in lines[1:]] == list(RULES)
    row = next(line for line in lines if line.startswith("image-tag "))
    assert row.split(maxsplit=3)[1:] == ["warning", "yes", "an image without a tag, or with `latest`"]
    assert next(line for line in lines if line.startswith("duplicate-object ")).split()[1:3] == ["error", "no"]


def test_lists_every_rule_for_programs(offline: Kploy) -> None:
    document = json.loads(offline("explain", "rules", "-o", "json").stdout)
    assert (document["apiVersion"], document["kind"]) == ("kploy.dev/v1", "RuleList")
    assert yaml.safe_load(offline("explain", "rules", "-o", "yaml").stdout) == document
    assert offline("explain", "rules", "-o", "name").stdout.split() == [rule["id"] for rule in document["rules"]]
    assert document["rules"][0].keys() == {"id", "severity", "switchable", "title", "why"}


def test_explains_one_rule_and_how_to_switch_it(offline: Kploy) -> None:
    assert offline("explain", "image-tag").stdout == (
        """\
warning[image-tag]: an image without a tag, or with `latest`

Which program runs depends on the day a node pulls it, and there is no way back. Write a version or
a digest.

In the Kployfile:

  rules:
    image-tag: ignore

On one object:

  metadata:
    annotations:
      kploy.dev/ignore: "image-tag"
"""
    )
    assert offline("explain", "duplicate-object").stdout.endswith("\n\nIt cannot be switched.\n")
    assert "kploy.dev/ignore" not in offline("explain", "yaml-boolean").stdout


def test_explains_a_command_by_its_help(offline: Kploy) -> None:
    assert offline("explain", "run").stdout == offline("run", "--help").stdout


def test_an_unknown_rule_is_wrong_usage_and_says_what_was_meant(offline: Kploy) -> None:
    result = offline("explain", "image-tga")
    assert (result.code, result.stdout) == (2, "")
    assert result.lines[-1] == "Error: There is no rule 'image-tga'. Did you mean `image-tag`?"
    assert offline("explain", "zzz").lines[-1].endswith("`kploy explain rules` lists them.")


def test_the_shell_completes_ids(offline: Kploy) -> None:
    result = offline(_KPLOY_COMPLETE="bash_complete", COMP_WORDS="kploy explain image", COMP_CWORD="2")
    assert result.stdout.split() == ["plain,image-tag"]


def test_nothing_is_loaded_that_is_not_needed(tmp_path: Path) -> None:
    script = (
        "import sys, kploy.cli.main as m\n"
        "m.kploy.main(['explain', 'image-tag'], standalone_mode=False)\n"
        "print([name for name in ('rich', 'kubernetes', 'yaml', 'jsonschema', 'urllib3') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
