"""Writes the rules that can be switched into the schema of the Kployfile. Run it when their rows have changed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from kploy.core.rules import switchable
from kploy.model.app import Switch

SCHEMA = Path(__file__).parents[1] / "kploy/source/kployfile.schema.json"
_KEY = re.compile(r'^    "rules": \{$.*?^    \}', re.DOTALL | re.MULTILINE)


def rules_schema() -> dict[str, Any]:
    """The schema of the key ``rules``."""
    words = [switch.value for switch in Switch]
    return {
        "title": "Switches for rules",
        "description": "What becomes of the findings of a rule: ignore, warning or error. "
        "`kploy explain rules` lists the rules.",
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {rule.id: {"description": rule.title, "enum": words} for rule in switchable()},
        "examples": [{"image-tag": "error", "no-readiness-probe": "ignore"}],
    }


def lines() -> str:
    """The key as it stands in the schema, a line for each rule."""
    schema = rules_schema()
    rows = schema.pop("properties")
    examples = schema.pop("examples")
    head = [f"      {json.dumps(key)}: {json.dumps(value)}" for key, value in schema.items()]
    properties = ",\n".join(f"        {json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())
    body = [*head, f'      "properties": {{\n{properties}\n      }}', f'      "examples": {json.dumps(examples)}']
    return ",\n".join(body)


def written(text: str) -> str:
    """The text of the schema with the key as it should be."""
    return _KEY.sub(lambda _: f'    "rules": {{\n{lines()}\n    }}', text)


def main() -> None:
    """Rewrite the key ``rules`` of the schema."""
    SCHEMA.write_text(written(SCHEMA.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
