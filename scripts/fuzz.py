"""Looks for files that break the loader, guided by the code that they reach: ``make fuzz``.

    fuzz.py [--seconds 300]        every target for so long, at the same time
    fuzz.py TARGET CORPUS [FLAG]…  one target, with flags of libFuzzer; a file as CORPUS is tried alone

What must hold is in tests/source/properties.py. The corpus begins with the
examples, in a directory that is kept only when something was found.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the tests are no part of what is installed

import atheris  # noqa: E402
from hypothesis import given  # noqa: E402

with atheris.instrument_imports(include=["kploy.source", "kploy.core", "kploy.engine"]):
    from tests.source import properties, strategies

OBJECTS = {"bodies": strategies.bodies().map(lambda body: [body]), "definitions": strategies.custom_resources()}
FILES = {"manifests": "rcs/a.yaml", "json": "rcs/a.json", "kployfiles": "Kployfile"}
TOKENS = (
    "- ",
    ": ",
    "? ",
    "&a ",
    "*a",
    "<<: *a",
    "---\\x0a",
    "!!str ",
    "!!binary ",
    "|\\x0a",
    "{",
    "[",
    "kind: ",
    "items:",
)


def main() -> int:
    """Run every target, or the one that is named."""
    if len(sys.argv) > 2 and sys.argv[1] in {*FILES, *OBJECTS}:
        fuzz(sys.argv[1], sys.argv[2:])
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=300)
    return fuzz_all(parser.parse_args().seconds)


def fuzz_all(seconds: int) -> int:
    """Every target in a process of its own; 1 when one of them found something."""
    home = Path(tempfile.mkdtemp(prefix="kploy-fuzz-"))
    (home / "tokens").write_text("".join(f'"{token}"\n' for token in TOKENS))
    running = {target: _start(target, home / target, seconds) for target in (*FILES, *OBJECTS)}
    failed = [target for target, process in running.items() if process.wait() != 0]
    for target in running:
        print(target, _executions(home / target / "log"), "executions", "FAILED" if target in failed else "")  # noqa: T201
    if failed:
        print(f"what was found is in {home}/*/found-*, and why at the end of {home}/*/log")  # noqa: T201
        return 1
    shutil.rmtree(home)
    return 0


def _start(target: str, home: Path, seconds: int) -> subprocess.Popen[bytes]:
    corpus = home / "corpus"
    corpus.mkdir(parents=True)
    for number, text in enumerate(strategies.manifests()):
        (corpus / str(number)).write_text(text)
    flags = (
        f"-max_total_time={seconds}",
        f"-artifact_prefix={home}/found-",
        f"-dict={home.parent}/tokens",
        "-timeout=20",
        "-rss_limit_mb=2048",
        "-max_len=8192",
        "-print_final_stats=1",
    )
    with (home / "log").open("wb") as log:
        command = [sys.executable, __file__, target, str(corpus), *flags]
        # libFuzzer ends a process without tidying up: what it leaves goes with ``home``.
        environment = {**os.environ, "TMPDIR": str(home)}
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)  # noqa: S603


def _executions(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if "number_of_executed_units" in line]
    return lines[-1].split()[-1] if lines else "few"


def fuzz(target: str, arguments: list[str]) -> None:
    """Try one target until libFuzzer ends the process."""
    with tempfile.TemporaryDirectory(prefix="kploy-app-") as home:
        atheris.Setup(["fuzz", *arguments], _try_bytes(target, Path(home)) or _try_objects(target, Path(home)))
        atheris.Fuzz()


def _try_bytes(target: str, root: Path) -> Callable[[bytes], None] | None:
    if target not in FILES:
        return None

    def attempt(data: bytes) -> None:
        _write(root, FILES[target], data)
        properties.hold_for_the_app(root)
        properties.hold_for_the_loader(data.decode("utf-8", "ignore"))

    return attempt


def _try_objects(target: str, root: Path) -> Callable[[bytes], object]:
    @given(objects=OBJECTS[target])
    def attempt(objects: list[dict[str, Any]]) -> None:
        _write(root, "resources/a.json", strategies.as_text(*objects).encode())
        properties.hold_for_the_app(root)

    one: Callable[[bytes], object] = attempt.hypothesis.fuzz_one_input  # type: ignore[attr-defined]
    return one


def _write(root: Path, file: str, data: bytes) -> None:
    for name, content in {"Kployfile": b"name: shop\nnamespace: shop\n", "env/a.config": b"x", file: data}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


if __name__ == "__main__":
    sys.exit(main())
