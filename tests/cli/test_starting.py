"""An interrupt while Python still loads kploy: the process waits at an import until the signal has come."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from kploy.model.report import Outcome

LAST = "\nkploy: interrupted\n"
"""What is said as soon as there is anything loaded to say it. The first line is that of the ^C."""

_WAITS = """
import sys, time

class Waits:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            open({told!r}, "w").close()
            exec("while True: time.sleep(0.01)")

sys.meta_path.insert(0, Waits())
"""
"""Python runs it before anything else. Who opens the FIFO to read knows that the import has begun.

It waits in a string that is executed, as classes of kploy.model are made by one: an interrupt that leaves
one is what Python afterwards takes for the end of ``python -m``, whatever became of it.
"""


def script() -> str:
    """What the installed ``kploy`` does, as pyproject.toml has it."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    module, _, function = project["scripts"]["kploy"].partition(":")
    return f"import sys; from {module} import {function}; sys.argv[0] = 'kploy'; sys.exit({function}())"


@pytest.mark.parametrize("start", [["-m", "kploy"], ["-c", script()]], ids=["module", "script"])
@pytest.mark.parametrize(
    ("module", "last_words"),
    [("kploy.cli", ""), ("click", ""), ("kploy.cli.dryrun", LAST), ("kploy.engine.check", LAST), ("yaml", LAST)],
)
def test_an_interrupt_during_any_import_ends_it_with_130_and_no_traceback(
    tmp_path: Path, start: list[str], module: str, last_words: str
) -> None:
    (tmp_path / "Kployfile").write_text("name: shop\nnamespace: shop\n")
    told = tmp_path / "told"
    os.mkfifo(told)
    (tmp_path / "sitecustomize.py").write_text(_WAITS.format(module=module, told=str(told)))
    with subprocess.Popen(
        [sys.executable, *start, "dryrun", "--offline"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            told.read_text()
            process.send_signal(signal.SIGINT)
            said, complained = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, said, complained) == (Outcome.INTERRUPTED, "", last_words)
