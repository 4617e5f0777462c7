"""Runs kploy's command line many times in little time: one process has loaded it, and each run is a fork of that.

Started as a program, it takes requests as JSON, one a line, and answers each with
two lines: the process id of the run, and its exit code, negative for a signal.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NoReturn, Self

from tests.cli.conftest import Result


@dataclass(frozen=True)
class Limits:
    """What a run may use: seconds in all, bytes of memory and seconds of processor time, 0 for any number of both.

    Who needs more is ended by a signal, or by an error of memory.
    """

    patience: int = 120
    memory: int = 0
    processor: int = 0


class Forked:
    """A kploy that is loaded already; runs one at a time, within ``limits``. ``environment`` is added."""

    def __init__(self, home: Path, limits: Limits, **environment: str) -> None:
        self._limits = limits
        self._said = home / "stdout", home / "stderr"
        inherited = {name: value for name, value in os.environ.items() if name != "KPLOY_TRACEBACK"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.forked"],
            cwd=Path(__file__).parents[1],
            env={**inherited, "XDG_CACHE_HOME": str(home / "cache"), **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def run(
        self,
        *arguments: str,
        cwd: Path,
        kubeconfig: Path = Path("/nowhere"),
        limits: Limits | None = None,
        started: Callable[[int], None] = lambda _: None,
    ) -> Result:
        """What ``kploy ARGUMENTS`` says in ``cwd``, and how it ends. ``started`` is told its process id."""
        assert self._process.stdin
        assert self._process.stdout
        said = [str(path) for path in self._said]
        request = {"arguments": arguments, "cwd": str(cwd), "kubeconfig": str(kubeconfig), "said": said}
        self._process.stdin.write(json.dumps({**request, "limits": asdict(limits or self._limits)}) + "\n")
        self._process.stdin.flush()
        started(int(self._process.stdout.readline()))
        code = int(self._process.stdout.readline())
        return Result(code, *(path.read_text(encoding="utf-8") for path in self._said))


def _serve() -> None:
    import kploy.cli.destroy
    import kploy.cli.display
    import kploy.cli.dryrun
    import kploy.cli.rollback
    import kploy.cli.run
    import kploy.cluster.adapter
    import kploy.engine.destroy
    import kploy.engine.run
    import kploy.ui.text  # noqa: F401 - all of it is loaded once, before anything is forked
    from kploy.core import schema_store

    schema_store.load(schema_store.newest())
    gc.freeze()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _run(**json.loads(line))
        print(child, flush=True)  # noqa: T201 - the answer
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)  # noqa: T201


def _run(arguments: list[str], cwd: str, kubeconfig: str, said: list[str], limits: dict[str, int]) -> NoReturn:
    from kploy.cli.main import main

    _limit(Limits(**limits))
    os.chdir(cwd)
    os.environ["KUBECONFIG"] = kubeconfig
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for descriptor, path in zip((1, 2), said, strict=True):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), descriptor)
    sys.argv = ["kploy", *arguments]
    try:
        code = main()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    finally:
        os._exit(1)  # a child that came back would answer for its parent


def _limit(limits: Limits) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for what, most in ((resource.RLIMIT_AS, limits.memory), (resource.RLIMIT_CPU, limits.processor)):
        if most:
            resource.setrlimit(what, (most, most))
    signal.alarm(limits.patience)


if __name__ == "__main__":
    _serve()
