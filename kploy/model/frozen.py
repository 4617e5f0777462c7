"""``dataclass`` and ``replace`` as the standard library has them, for frozen classes with slots, and quick.

Every command makes the classes of all the modules that it loads, and the standard
library makes each of them twice and compiles six functions for it: 0.7 ms a class,
a third of what ``kploy dryrun --offline`` takes. Most of that is never used. So here a
class gets its slots at once, and everything else when it is first asked for: ``__init__``
is compiled for the first object, and ``__replace__`` for the first change. ``replace`` takes a tenth of the
time of the original then, which asks a class for its fields each time. To a type checker they are the originals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, fields, replace  # noqa: TID251 - the originals
from functools import cache
from inspect import get_annotations
from operator import attrgetter, ge, gt, le, lt
from threading import RLock
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass", "replace"]

_original = dataclass
_Maker = Callable[[type], Any]


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
    makers: dict[str, _Maker] = {"__init__": _initialiser, "__match_args__": _names, "__replace__": _replacer}
    makers |= {"__repr__": _shower} if repr else {}
    makers |= {"__eq__": _equality, "__hash__": _hash} if eq else {}
    makers |= {name: _order(compare) for name, compare in _COMPARISONS.items()} if order else {}
    return lambda cls: _with_slots(
        cls, {name: _Late(maker) for name, maker in (makers | _descriptions(cls)).items()}
    )


def _replaced(instance: Any, /, **changes: Any) -> Any:
    """The same object but for ``changes``, in a tenth of the time: the fields are known to its class already."""
    return instance.__replace__(**changes)  # the name that Python 3.13 has for it


if not TYPE_CHECKING:
    dataclass, replace = _quick, _replaced


def _with_slots(cls: type, made: dict[str, Any]) -> type:
    """The class again, its fields in slots. What it has of its own goes before what is ``made``."""
    names = [name for name, type_ in get_annotations(cls).items() if not _is_constant(type_)]
    inherited = {name for base in cls.__mro__ for name in base.__dict__.get("__slots__", ())}
    own = {name: value for name, value in cls.__dict__.items() if name not in {*names, *_OF_NO_SLOTS}}
    own |= {"__qualname__": cls.__qualname__, "__slots__": tuple(each for each in names if each not in inherited)}
    again: type = type(cls)(cls.__name__, cls.__bases__, {**_FROZEN, **made, **own})
    return again


def _is_constant(annotation: object) -> bool:
    """Whether it is that of a ClassVar, which is no field."""
    return str(annotation).startswith(("ClassVar", "typing.ClassVar"))


def _descriptions(cls: type) -> dict[str, _Maker]:
    """What ``fields``, ``replace`` and classes that are derived want to know: it is the standard library's."""

    @cache
    def described() -> Any:
        cls.__doc__ = cls.__doc__ or cls.__name__  # To make one up takes it longer than all the rest.
        return _original(init=False, repr=False, eq=False)(cls)

    return {
        "__dataclass_fields__": lambda _: described().__dataclass_fields__,
        "__dataclass_params__": lambda _: described().__dataclass_params__,
    }


_MAKING = RLock()


class _Late:
    """What a class has under a name, made when it is first asked for. From then on it stands there itself."""

    def __init__(self, maker: _Maker) -> None:
        self._maker = maker

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner, self._name = owner, name

    def __get__(self, instance: object, owner: type) -> Any:
        # Twice would not do: what is described is no more what it was, and another thread may ask at this moment.
        with _MAKING:
            made = self._owner.__dict__[self._name]
            if made is self:
                made = self._maker(self._owner)
                setattr(self._owner, self._name, made)
        return made.__get__(instance, owner) if callable(made) else made


def _initialiser(cls: type) -> Callable[..., None]:
    """``__init__``, compiled: each value goes straight into its slot."""
    known: dict[str, Any] = {_NOT_GIVEN: MISSING}
    parameters, lines = ["self"], []
    for each in _fields(cls):
        name, value = each.name, each.name
        known[f"set_{name}"] = getattr(cls, name).__set__
        if each.default is not MISSING:
            known[f"default_{name}"] = each.default
            parameters.append(f"{name}=default_{name}")
        elif each.default_factory is not MISSING:
            known[f"make_{name}"] = each.default_factory
            parameters.append(f"{name}={_NOT_GIVEN}")
            value = f"make_{name}() if {name} is {_NOT_GIVEN} else {name}"
        else:
            parameters.append(name)
        lines.append(f"set_{name}(self, {value})")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    source = f"def __init__({', '.join(parameters)}):\n " + "\n ".join(lines or ["pass"])
    exec(source, known)  # noqa: S102 - names of fields
    init: Callable[..., None] = known["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


def _replacer(cls: type) -> Callable[..., Any]:
    """``__replace__``, compiled: what is not given is taken from the object."""
    names = _names(cls)
    parameters = "".join(f", {name}={_NOT_GIVEN}" for name in names)
    values = ", ".join(f"self.{name} if {name} is {_NOT_GIVEN} else {name}" for name in names)
    known: dict[str, Any] = {_NOT_GIVEN: MISSING}
    exec(f"def __replace__(self{', *' if names else ''}{parameters}):\n return self.__class__({values})", known)  # noqa: S102 - names of fields
    made: Callable[..., Any] = known["__replace__"]
    made.__qualname__ = f"{cls.__qualname__}.__replace__"
    return made


def _equality(cls: type) -> Callable[[object, object], bool]:
    """Equal are objects of one class whose fields are."""
    key = _compared(cls)

    def equals(self: object, other: object) -> bool:
        return key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented

    return equals


def _hash(cls: type) -> Callable[[object], int]:
    key = _values([each.name for each in _fields(cls) if (each.compare if each.hash is None else each.hash)])
    return lambda self: hash(key(self))


def _order(compare: Callable[[Any, Any], bool]) -> _Maker:
    """In the order of their fields are objects of one class."""

    def maker(cls: type) -> Callable[[object, object], bool]:
        key = _compared(cls)
        return lambda self, other: (
            compare(key(self), key(other)) if other.__class__ is self.__class__ else NotImplemented
        )

    return maker


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


def _compared(cls: type) -> Callable[[object], Any]:
    return _values([each.name for each in _fields(cls) if each.compare])


def _values(names: list[str]) -> Callable[[object], Any]:
    return attrgetter(*names) if names else lambda _: ()


def _names(cls: type) -> tuple[str, ...]:
    return tuple(each.name for each in _fields(cls))


def _fields(cls: type) -> tuple[Field[Any], ...]:
    return fields(cls)


_NOT_GIVEN = "__not_given__"
"""What stands for MISSING in what is compiled: no field is called that."""

_COMPARISONS = {"__lt__": lt, "__le__": le, "__gt__": gt, "__ge__": ge}
_FROZEN = {"__setattr__": _refuse_set, "__delattr__": _refuse_delete, "__reduce__": _reduced}
_OF_NO_SLOTS = ("__dict__", "__weakref__")
"""What a class has whose objects can have any attribute."""
