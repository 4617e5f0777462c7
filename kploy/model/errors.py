"""What stops a command. What the user can mend in the app is a Finding instead.

KployError            anything that stops a command; its outcome is the exit code
├── Refused           going on would not be safe (6)
│   └── LockLost      somebody else may be deploying the app by now
└── see cluster.port and sandbox.errors for what their rooms add
"""

from __future__ import annotations

from kploy.model.report import Outcome


class KployError(Exception):
    """Stops a command, with the fact and the remedy in words.

    ``message`` is one sentence without a full stop; ``hint`` says what to do
    about it ("" when nothing can be done); ``outcome`` is the exit code.
    """

    outcome = Outcome.FAILED

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Refused(KployError):
    """Going on would not be safe."""

    outcome = Outcome.REFUSED


class LockLost(Refused):
    """This run does not hold the app's lock any more, or cannot be sure of it."""
