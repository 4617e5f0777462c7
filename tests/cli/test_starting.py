"""An interrupt while Python still loads kploy: the process waits at an import until the signal has come."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kploy.model.report import Outcome

LAST = "\nkploy: interrupted\n"
"""What is said as soon as there is anything loaded to say it. The first line is that of the ^C."""

_WAITS = """
import sys, time

def wait(*_):
    open({told!r}, "w").close()
    while True:
        time.sleep(0.01)

class Waits:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            {waits}

sys.meta_path.insert(0, Waits())
"""
"""Python runs it before anything else. Who opens the FIFO to read knows that the import has begun."""

_WHERE = {
    "code": "wait()",
    # As classes of kploy.model are made. Python takes what leaves it for the end of `python -m`.
    "executed string": 'exec("wait()")',
    # Python makes a RuntimeError of what is raised there.
    "name of an attribute": 'type("Class", (), {"attribute": type("Attribute", (), {"__set_name__": wait})()})',
    # Python tells of what is raised there, and goes on.
    "callback": 'type("Class", (), {"__del__": wait})()',
}
"""Where Python may be when the interrupt comes."""


def script() -> str:
    """What the installed ``kploy`` does, as pyproject.toml has it."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    module, _, function = project["scripts"]["kploy"].partition(":")
    return f"import sys; from {module} import {function}; sys.argv[0] = 'kploy'; sys.exit({function}())"


@contextmanager
def begun(directory: Path, first: str, *command: str) -> Iterator[subprocess.Popen[str]]:
    """A Python that runs ``first`` before anything else. It is killed if it is still there at the end."""
    (directory / "sitecustomize.py").write_text(first)
    with subprocess.Popen(
        [sys.executable, *command],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(directory), *sys.path])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("where", _WHERE)
@pytest.mark.parametrize("start", [["-m", "kploy"], ["-c", script()]], ids=["module", "script"])
@pytest.mark.parametrize(
    ("module", "last_words"),
    [("kploy.cli", ""), ("click", ""), ("kploy.cli.dryrun", LAST), ("kploy.engine.check", LAST), ("yaml", LAST)],
)
def test_an_interrupt_during_any_import_ends_it_with_130_and_no_traceback(
    tmp_path: Path, start: list[str], module: str, last_words: str, where: str
) -> None:
    (tmp_path / "Kployfile").write_text("name: shop\nnamespace: shop\n")
    told = tmp_path / "told"
    os.mkfifo(told)
    first = _WAITS.format(module=module, told=str(told), waits=_WHERE[where])
    with begun(tmp_path, first, *start, "dryrun", "--offline") as process:
        told.read_text()
        process.send_signal(signal.SIGINT)
        said, complained = process.communicate(timeout=60)
    # The line of the ^C is click's to end, and it knows nothing of these.
    words = LAST.lstrip() if where == "callback" else last_words.lstrip() if "name" in where else last_words
    assert (process.returncode, said, complained) == (Outcome.INTERRUPTED, "", words)


_LINGERS = """
import atexit, time

def linger():
    open({told!r}, "w").close()
    open({goes_on!r}).close()

atexit.register(linger)
"""
"""Python runs it before anything else. At its end it waits until somebody opens the second FIFO, too."""


@pytest.mark.parametrize(
    "signals", [[signal.SIGINT], [signal.SIGTERM], [signal.SIGHUP], [signal.SIGINT] * 3], ids=len
)
@pytest.mark.parametrize("start", [["-m", "kploy"], ["-c", script()]], ids=["module", "script"])
def test_no_signal_at_the_end_changes_how_it_ended(
    tmp_path: Path, start: list[str], signals: list[signal.Signals]
) -> None:
    told, goes_on = tmp_path / "told", tmp_path / "goes-on"
    os.mkfifo(told)
    os.mkfifo(goes_on)
    first = _LINGERS.format(told=str(told), goes_on=str(goes_on))
    with begun(tmp_path, first, *start, "schema") as process:
        told.read_text()
        for each in signals:
            process.send_signal(each)
        goes_on.write_text("")
        said, complained = process.communicate(timeout=60)
    assert (process.returncode, complained) == (Outcome.DONE, "")
    assert said.endswith("}\n")
