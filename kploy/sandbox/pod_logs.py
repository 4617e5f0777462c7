"""What every simulated container says, and what it said before it was started again."""

from __future__ import annotations

from collections.abc import Mapping

_SIMULATED = "this is the sandbox: no container runs, and all of them say this"

_RUNS = (
    _SIMULATED,
    "listening on :8080",
    *(f"GET /orders/{number} 200" for number in range(1, 29)),
)
_CRASHED = (
    _SIMULATED,
    "connecting to postgres://db.internal:5432/shop",
    *(f"no answer, attempt {number} of 26" for number in range(1, 27)),
    "giving up: the database does not answer",
)


def pod_logs() -> Mapping[str, str]:
    """The files that stages/logs.yaml names, as a container runtime writes them (CRI): time, stream, tag, line."""
    return {"pod.log": _as_cri(_RUNS), "pod-previous.log": _as_cri(_CRASHED)}


def _as_cri(lines: tuple[str, ...]) -> str:
    return "".join(
        f"2026-01-01T00:00:{second:02}.000000000Z stdout F {line}\n" for second, line in enumerate(lines)
    )
