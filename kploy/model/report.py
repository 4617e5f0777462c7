"""How a command ended, and the exit code that says so."""

from __future__ import annotations

from enum import IntEnum


class Outcome(IntEnum):
    """How a command ended. The value is the exit code."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    INVALID = 3
    UNREACHABLE = 4
    TIMED_OUT = 5
    REFUSED = 6
    PENDING = 10
    BUG = 70
    INTERRUPTED = 130


MEANINGS: dict[Outcome, str] = {
    Outcome.DONE: "done",
    Outcome.FAILED: "the rollout failed",
    Outcome.USAGE: "wrong usage",
    Outcome.INVALID: "the app is invalid",
    Outcome.UNREACHABLE: "the cluster is unreachable, or the credentials do not suffice",
    Outcome.TIMED_OUT: "not ready in time",
    Outcome.REFUSED: "refused for safety",
    Outcome.PENDING: "changes are pending (dryrun --exit-code)",
    Outcome.BUG: "a bug in kploy",
    Outcome.INTERRUPTED: "interrupted",
}
