"""``dataclass`` as the standard library has it, for frozen classes with slots, made in a fifth of the time.

Every command makes the classes of all the modules that it loads, and the standard
library compiles six functions for each of them: 0.7 ms a class, a third of what
``kploy dryrun --offline`` takes. Here only ``__init__`` is compiled; what compares,
hashes and shows is the same code for all. To a type checker it is the
original.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, fields  # noqa: TID251 - the original
from operator import attrgetter, ge, gt, le, lt
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

_original = dataclass


def _quick(
    *,
    frozen: bool,
    slots: bool,
    eq: bool = True,
    order: bool = False,
    repr: bool = True,  # noqa: A002 - as there
) -> Callable[[type], type]:
    """The decorator. Every field is a parameter of ``__init__``, and none is for keywords only."""
    if not (frozen and slots):
        raise TypeError("for frozen classes with slots only")

    def make(cls: type) -> type:
        own = set(cls.__dict__)
        made: type = _original(init=False, repr=False, eq=False, slots=True)(cls)
        methods = {"__init__": _initialiser(made), **_FROZEN}
        methods |= {"__repr__": _shower(made)} if repr else {}
        methods |= _equality(made) if eq else {}
        methods |= _order(made) if order else {}
        for name, method in methods.items():
            if name not in own:
                setattr(made, name, method)
        return made

    return make


if not TYPE_CHECKING:
    dataclass = _quick


def _initialiser(cls: type) -> Callable[..., None]:
    """``__init__``, compiled: each value goes straight into its slot."""
    known: dict[str, Any] = {"missing": MISSING}
    parameters, lines = ["self"], []
    for each in _fields(cls):
        name, value = each.name, each.name
        known[f"set_{name}"] = getattr(cls, name).__set__
        if each.default is not MISSING:
            known[f"default_{name}"] = each.default
            parameters.append(f"{name}=default_{name}")
        elif each.default_factory is not MISSING:
            known[f"make_{name}"] = each.default_factory
            parameters.append(f"{name}=missing")
            value = f"make_{name}() if {name} is missing else {name}"
        else:
            parameters.append(name)
        lines.append(f"set_{name}(self, {value})")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    source = f"def make({', '.join(known)}):\n def __init__({', '.join(parameters)}):\n  "
    namespace: dict[str, Any] = {}
    exec(source + "\n  ".join(lines or ["pass"]) + "\n return __init__", namespace)  # noqa: S102 - names of fields
    init: Callable[..., None] = namespace["make"](**known)
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


def _equality(cls: type) -> dict[str, Callable[..., Any]]:
    """Equal are objects of one class whose fields are."""
    key = _values([each.name for each in _fields(cls) if each.compare])
    hashed = _values([each.name for each in _fields(cls) if (each.compare if each.hash is None else each.hash)])

    def equals(self: object, other: object) -> bool:
        return key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented

    return {"__eq__": equals, "__hash__": lambda self: hash(hashed(self))}


def _order(cls: type) -> dict[str, Callable[..., bool]]:
    """In the order of their fields are objects of one class."""
    key = _values([each.name for each in _fields(cls) if each.compare])

    def by(compare: Callable[[Any, Any], bool]) -> Callable[[object, object], bool]:
        return lambda self, other: (
            compare(key(self), key(other)) if other.__class__ is self.__class__ else NotImplemented
        )

    return {"__lt__": by(lt), "__le__": by(le), "__gt__": by(gt), "__ge__": by(ge)}


def _shower(cls: type) -> Callable[[object], str]:
    shown = [each.name for each in _fields(cls) if each.repr]
    return lambda self: (
        f"{self.__class__.__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"
    )


def _refuse_set(self: object, name: str, value: object) -> None:  # noqa: ARG001 - so Python calls it
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_delete(self: object, name: str) -> None:  # noqa: ARG001 - so Python calls it
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _reduced(self: object) -> tuple[type, tuple[Any, ...]]:
    """What copies and pickles are made of."""
    return self.__class__, tuple(getattr(self, each.name) for each in _fields(self.__class__))


def _values(names: list[str]) -> Callable[[object], Any]:
    return attrgetter(*names) if names else lambda _: ()


def _fields(cls: type) -> tuple[Field[Any], ...]:
    return fields(cls)


_FROZEN = {"__setattr__": _refuse_set, "__delattr__": _refuse_delete, "__reduce__": _reduced}
