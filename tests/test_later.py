from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from kploy.later import compiling_later, importing

ITS_OWN = """
import json, sys
import kploy.cluster.adapter
print(json.dumps([[name, type(module).__name__] for name, module in sys.modules.items()]))
"""
"""What a process loads that talks to a cluster."""

NEEDLESS = {
    "csv", "dateutil", "decimal", "durationpy", "google", "jsonschema", "kubernetes_validate", "pydantic",
    "requests", "requests_oauthlib", "zipfile",
}  # fmt: skip


def test_the_official_client_is_loaded_without_what_kploy_does_not_use() -> None:
    done = subprocess.run([sys.executable, "-c", ITS_OWN], capture_output=True, text=True, check=True)
    loaded = dict(json.loads(done.stdout))
    assert NEEDLESS & {name.partition(".")[0] for name in loaded} == set()
    assert {"kubernetes.config.kube_config", "kubernetes.client.rest"} <= set(loaded)
    assert set(loaded.values()).isdisjoint({"_StandIn"})


def test_the_client_has_what_was_put_off_when_it_uses_it() -> None:
    script = "from kploy.cluster import kubeconfig; print(kubeconfig.kube_config.OAuth2Session(client_id='me'))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "OAuth2Session object" in done.stdout


def test_who_else_imports_what_was_put_off_gets_the_module() -> None:
    script = "import kploy.cluster.kubeconfig; from importlib import metadata; print(type(metadata).__name__)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "module\n"


Write = Callable[[str], None]
HEAVY = "class Thing:\n    size = 7\n    def __init__(self, name): self.name = name\n"


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes a package ``light``, which loads a module ``heavy``."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(content: str) -> None:
        (tmp_path / "light").mkdir()
        (tmp_path / "light/__init__.py").write_text("from . import inner\n")
        (tmp_path / "light/inner.py").write_text(content)
        (tmp_path / "heavy.py").write_text(HEAVY)

    yield write
    for name in ("light", "light.inner", "heavy"):
        sys.modules.pop(name, None)


def inner() -> Any:
    return importing(lambda: import_module("light.inner"), "light", frozenset({"heavy"}))


def test_what_is_put_off_is_loaded_when_it_is_used(library: Write) -> None:
    library(
        "import heavy\nfrom heavy import Thing\n\ndef use(): return Thing('a').name, Thing.size, heavy.Thing.size"
    )
    light = inner()
    assert "heavy" not in sys.modules
    assert light.use() == ("a", 7, 7)
    assert "heavy" in sys.modules


def test_what_is_put_off_may_be_named_in_the_brackets_of_a_generic_class(library: Write) -> None:
    library(
        "from typing import Generic, TypeVar\nfrom heavy import Thing\nT = TypeVar('T')\n"
        "class Box(Generic[T]): pass\nclass Things(Box[Thing]): pass\n\ndef use(): return Thing('a').name"
    )
    light = inner()
    assert "heavy" not in sys.modules
    assert light.use() == "a"


@pytest.mark.parametrize(
    "use", ["class Mine(Thing): pass", "def use(thing: Thing | None): pass", "Thing('a')", "Thing.size"]
)
def test_a_package_that_needs_it_at_once_is_loaded_as_usual(library: Write, use: str) -> None:
    library(f"from heavy import Thing\n\n{use}\n")
    light = inner()
    assert light.Thing is import_module("heavy").Thing
    assert light is sys.modules["light.inner"]


def test_a_package_that_is_loaded_already_stays_as_it_is(library: Write) -> None:
    library("from heavy import Thing\n")
    before = import_module("light.inner")
    assert inner() is before
    assert before.Thing is import_module("heavy").Thing


def test_a_package_that_cannot_be_loaded_says_so(library: Write) -> None:
    library("import no_such_module_anywhere\n")
    finders = list(sys.meta_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_module_anywhere"):
        inner()
    assert sys.meta_path == finders


PATTERN = "import re\nWORD = re.compile('[a-z]+', re.IGNORECASE)\n\ndef use(): return WORD.match('Ab1').group()\n"


def test_a_regular_expression_that_is_put_off_is_compiled_when_it_is_used(library: Write) -> None:
    library(PATTERN)
    with compiling_later("light.inner"):
        light = import_module("light.inner")
    assert not isinstance(light.WORD, re.Pattern)
    assert [light.use(), light.use(), light.WORD.flags] == ["Ab", "Ab", re.IGNORECASE | re.UNICODE]


def test_those_of_other_modules_are_compiled_as_usual(library: Write) -> None:
    library(PATTERN)
    with compiling_later("light"):
        light = import_module("light.inner")
    assert isinstance(light.WORD, re.Pattern)


def test_everything_is_compiled_as_usual_after_that_even_after_a_failure() -> None:
    before = re.compile
    with pytest.raises(ModuleNotFoundError), compiling_later(__name__):
        import_module("no_such_module_anywhere")
    assert re.compile is before


@pytest.mark.parametrize(
    "name", ["yaml.constructor", "yaml.reader", "yaml.resolver", "urllib3.util.url", "urllib3.util.ssl_"]
)
def test_the_libraries_only_call_methods_of_the_patterns_that_are_put_off(name: str) -> None:
    source = Path(str(import_module(name).__file__)).read_text(encoding="utf-8")
    assert re.findall(r"\bre\.(?!compile\b|[A-Z]+\b|Match\b)\w+", source) == []
