"""Runs kploy's command line many times in little time: one process loads it, and forks a child for each run.

Each child has 1 GiB, 10 s of processor time and 30 s in all; a crash, or a
limit shows as a negative exit code, that of the signal. Started as a program,
it takes requests as JSON, one a line, and answers each with the exit code.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from tests.cli.conftest import Result

_MEMORY = 1 << 30
_PROCESSOR = 10


class Bounded:
    """A kploy that is loaded already, and runs within limits."""

    def __init__(self, home: Path) -> None:
        self._said = home / "stdout", home / "stderr"
        environment = {**os.environ, "XDG_CACHE_HOME": str(home / "cache"), "KUBECONFIG": "/nowhere"}
        environment.pop("KPLOY_TRACEBACK", None)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.cli.bounded"],
            cwd=Path(__file__).parents[2],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def run(self, *arguments: str, cwd: Path, patience: int = 30) -> Result:
        """What ``kploy ARGUMENTS`` says in ``cwd``, and how it ends, at the latest after ``patience`` seconds."""
        assert self._process.stdin
        assert self._process.stdout
        said = [str(path) for path in self._said]
        request = {"arguments": arguments, "cwd": str(cwd), "said": said, "patience": patience}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        return Result(code, *(path.read_text(encoding="utf-8") for path in self._said))


def _serve() -> None:
    import kploy.cli.dryrun
    import kploy.cli.run
    import kploy.cluster.adapter
    import kploy.engine.pipeline
    import kploy.ui.text  # noqa: F401 - all of it is loaded once, before anything is forked
    from kploy.core import schema_store

    schema_store.load(schema_store.newest())
    gc.freeze()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _run(**json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)  # noqa: T201 - the answer


def _run(arguments: list[str], cwd: str, said: list[str], patience: int) -> None:
    from kploy.cli.main import main

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_PROCESSOR, _PROCESSOR))
    signal.alarm(patience)
    os.chdir(cwd)
    for descriptor, path in zip((1, 2), said, strict=True):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), descriptor)
    sys.argv = ["kploy", *arguments]
    try:
        main()
    except SystemExit as end:
        sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else 1)
    finally:
        os._exit(1)  # a child that came back would answer for its parent


if __name__ == "__main__":
    _serve()
