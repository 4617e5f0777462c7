"""Label selectors: what they ask for, and whether labels satisfy them.

After the API reference, meta/v1 LabelSelector. What is malformed is left to the schemas.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kploy.core.bodies import dig, entries, mapping, text
from kploy.model.frozen import dataclass

_OPERATORS = frozenset({"In", "NotIn", "Exists", "DoesNotExist"})


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that a selector asks of labels."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    @property
    def is_positive(self) -> bool:
        """Whether only labels with this key can satisfy it."""
        return self.operator in {"In", "Exists"}

    def accepts(self, labels: Mapping[str, str]) -> bool:
        """Whether ``labels`` satisfy it."""
        match self.operator:
            case "In":
                return labels.get(self.key) in self.values
            case "NotIn":
                return labels.get(self.key) not in self.values
            case "Exists":
                return self.key in labels
            case _:
                return self.key not in labels


Selector = tuple[Requirement, ...]
"""All of them must be satisfied; an empty one selects everything."""


def by_labels(labels: Mapping[str, Any]) -> Selector:
    """The selector that asks for every one of ``labels``, as those of Services do."""
    return tuple(Requirement(key, "In", frozenset({str(value)})) for key, value in labels.items())


def label_selector(selector: object) -> Selector | None:
    """What a LabelSelector asks for; None if it is none, or malformed."""
    if not isinstance(selector, Mapping):
        return None
    found = (*by_labels(mapping(selector, "matchLabels")), *_expressions(selector))
    is_legible = all(one.operator in _OPERATORS and one.key for one in found)
    return found if is_legible else None


def _expressions(selector: Mapping[str, Any]) -> Iterator[Requirement]:
    for expression in entries(selector, "matchExpressions"):
        values = dig(expression, "values")
        texts = frozenset(map(str, values)) if isinstance(values, list) else frozenset[str]()
        yield Requirement(text(expression, "key"), text(expression, "operator"), texts)


def matches(selector: Selector, labels: Mapping[str, str]) -> bool:
    """Whether ``labels`` satisfy all that ``selector`` asks for."""
    return all(requirement.accepts(labels) for requirement in selector)


def written(selector: Selector) -> str:
    """The selector in the API's notation: ``app=web,tier in (a,b),!old``."""
    return ",".join(map(_written, selector))


def _written(requirement: Requirement) -> str:
    key, values = requirement.key, sorted(requirement.values)
    match requirement.operator:
        case "In" if len(values) == 1:
            return f"{key}={values[0]}"
        case "In" | "NotIn":
            return f"{key} {requirement.operator.lower()} ({','.join(values)})"
        case "Exists":
            return key
        case _:
            return f"!{key}"
