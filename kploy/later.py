"""What a library does when it loads, and kploy hardly ever needs, is put off: imports, and regular expressions."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, TypeVar

from kploy.ending import is_interrupt

_T = TypeVar("_T")


def importing(load: Callable[[], _T], package: str, put_off: frozenset[str]) -> _T:
    """What ``load`` returns, which imports ``package``; the modules ``put_off`` are not loaded for it.

    What it takes from them is there, and loads them when it is called or looked
    into. Where that does not do, because the package does more with it at once,
    everything is loaded as usual.
    """
    if package not in sys.modules:
        finder = _Finder(put_off)
        sys.meta_path.insert(0, finder)
        try:
            return load()
        except Exception as error:
            if is_interrupt(error):
                raise
        finally:
            sys.meta_path.remove(finder)
            _forget_stand_ins(package)
        for name in tuple(sys.modules):
            if _is_of(package, name):
                del sys.modules[name]
    return load()


@contextmanager
def compiling_later(*modules: str) -> Iterator[None]:
    """Those of ``modules`` that are loaded meanwhile have their regular expressions compiled when they are used.

    For modules that only call methods of their patterns: to ``re.sub`` and its like such a pattern is none. Not
    for two threads at once.
    """
    compiled = re.compile

    def noted(pattern: Any, flags: Any = 0) -> Any:
        owner = sys._getframe(1).f_globals.get("__name__")  # noqa: SLF001 - there is no other name for it
        return _Pattern(pattern, flags) if owner in modules else compiled(pattern, flags)

    re.compile = noted
    try:
        yield
    finally:
        re.compile = compiled


class _Pattern:
    """A regular expression that is compiled when it is first used."""

    def __init__(self, pattern: str, flags: int) -> None:
        self._arguments = pattern, flags

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(*self._arguments), name)
        setattr(self, name, found)  # So it is asked for once, and takes no longer than that of any pattern then.
        return found


def _forget_stand_ins(package: str) -> None:
    """Only what ``package`` took from them is left of them: who else imports such a module gets the module."""
    for name, module in tuple(sys.modules.items()):
        if isinstance(module, _StandIn):
            del sys.modules[name]
            parent, _, own = name.rpartition(".")
            if parent and not _is_of(package, name):
                delattr(sys.modules[parent], own)


def _is_of(package: str, name: str) -> bool:
    return f"{name}.".startswith(f"{package}.")


class _Finder:
    """Finds a stand-in for each of some modules, and is also what loads it."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name in self._names else None  # type: ignore[arg-type]  # it has what loads

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing in it."""


class _StandIn(ModuleType):
    """A module that is not loaded, and has every name."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # Python asks whether it is a package, and the like.
            raise AttributeError(name)
        return _Later(self.__name__, name)


class _Later:
    """What a module has under a name, loaded when it is used. That no class can derive from it is seen at once."""

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name

    def _loaded(self) -> Any:
        if self._is_put_off():
            raise ImportError(f"{self._module}.{self._name} is used while it is put off")
        return getattr(import_module(self._module), self._name)

    def _is_put_off(self) -> bool:
        return isinstance(sys.modules.get(self._module), _StandIn)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._loaded()(*arguments, **named)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and self._is_put_off():
            raise AttributeError(name)  # Asked while its package loads, as by the brackets of a generic class.
        return getattr(self._loaded(), name)
