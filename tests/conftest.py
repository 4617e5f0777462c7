"""The sandbox that tests marked ``cluster`` talk to.

One for the whole run, shared by the workers of pytest-xdist: `up` gives all of
them the same. The process that started the run ends it. Set KPLOY_TEST_SANDBOX
to the name of a sandbox that runs already to use that one, and keep it.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

from kploy import sandbox

# A test proves what comes out, never how long it takes: machines are busy.
settings.register_profile("kploy", deadline=None)
settings.load_profile("kploy")

_REUSED = "KPLOY_TEST_SANDBOX"
_NAME = "test"
_state_of_the_run: Path | None = None

KILLED = "killed in"
"""The property of a test that says in which scenario it killed a run, once for each time. See tests.faults."""


def pytest_configure(config: pytest.Config) -> None:
    """Give the run a state directory of its own, which its workers inherit: it leaves the user's alone.

    Every kploy that a test starts may keep its bytecode. Without, each would compile
    all of kploy first, which takes longer than most commands. And every one can be interrupted:
    who starts the tests in the background, or by ``nohup``, has signals ignored in all that they start.
    """
    for each in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(each) is signal.SIG_IGN:
            signal.signal(each, signal.SIG_DFL if each is not signal.SIGINT else signal.default_int_handler)
    global _state_of_the_run  # noqa: PLW0603 -- pytest's hooks have no other place for it
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if not hasattr(config, "workerinput") and _REUSED not in os.environ:
        _state_of_the_run = Path(tempfile.mkdtemp(prefix="kploy-tests-"))
        os.environ["XDG_STATE_HOME"] = str(_state_of_the_run)


def pytest_unconfigure() -> None:
    """End the run's sandbox when the last worker is done."""
    if _state_of_the_run:
        os.environ["XDG_STATE_HOME"] = str(_state_of_the_run)
        sandbox.down(_NAME)
        shutil.rmtree(_state_of_the_run, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many kill points were tried."""
    reports = [report for each in terminalreporter.stats.values() for report in each]
    tried = Counter(
        str(scenario)
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, scenario in report.user_properties
        if name == KILLED
    )
    if tried:
        told = ", ".join(f"{scenario} {count}" for scenario, count in tried.items())
        terminalreporter.write_line(f"kill points tried: {tried.total()} ({told})")


@pytest.fixture(scope="session")
def cluster() -> sandbox.Sandbox:
    """A running sandbox. It is shared: every test uses a namespace of its own."""
    reused = os.environ.get(_REUSED)
    if not reused:
        return sandbox.up(_NAME)
    found = sandbox.find(reused)
    if found is None:
        pytest.fail(f"{_REUSED} names {reused}, and there is no such sandbox running")
    return found
