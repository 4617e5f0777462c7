"""What an object holds, in a few words: for those that are new, of which there is nothing to compare."""

from __future__ import annotations

from collections.abc import Callable

from kploy.core.addresses import images_of
from kploy.core.bodies import dig, entries, mapping, text
from kploy.model.objects import Body


def contents(kind: str, body: Body) -> tuple[str, ...]:
    """A few words each on what tells most about an object of ``kind``; none where nothing is worth saying.

    Of a Secret only how many keys it has. ``body`` may be of any shape.
    """
    of_kind = _OF_KIND.get(kind)
    pods = () if dig(body, "spec", "replicas") is None else (_number(dig(body, "spec", "replicas"), "replica"),)
    return (*images_of(kind, body), *pods, *(of_kind(body) if of_kind else ()))


def _number(number: object, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def keys_of(body: Body) -> frozenset[str]:
    """The keys of a ConfigMap or Secret."""
    return frozenset(key for part in ("data", "binaryData", "stringData") for key in mapping(body, part))


def _keys(body: Body) -> tuple[str, ...]:
    return (_number(len(keys_of(body)), "key"),)


def _ports(body: Body) -> tuple[str, ...]:
    ports = [str(port["port"]) for port in entries(body, "spec", "ports") if "port" in port]
    return (f"port{'s' if len(ports) > 1 else ''} {', '.join(ports)}",) if ports else ()


def _hosts(body: Body) -> tuple[str, ...]:
    return tuple(dict.fromkeys(host for rule in entries(body, "spec", "rules") if (host := text(rule, "host"))))


def _size(body: Body) -> tuple[str, ...]:
    size = dig(body, "spec", "resources", "requests", "storage")
    return (str(size),) if isinstance(size, str | int) else ()


def _schedule(body: Body) -> tuple[str, ...]:
    return (text(body, "spec", "schedule"),) if text(body, "spec", "schedule") else ()


_OF_KIND: dict[str, Callable[[Body], tuple[str, ...]]] = {
    "ConfigMap": _keys,
    "CronJob": _schedule,
    "Ingress": _hosts,
    "PersistentVolumeClaim": _size,
    "Secret": _keys,
    "Service": _ports,
}
