"""What stops a sandbox command.

KployError
├── WrongUsage           a sandbox cannot be called that, or be that large (2)
├── Unsupported          this machine cannot run a sandbox (1)
├── NoToolchain          the control plane is not built yet, and there is no Go to build it (1)
├── BuildFailed          go could not build it (1)
├── StartFailed          a component ended, or was refused something, while starting (1)
│   ├── PortTaken        another program was quicker to take its port; up tries again by itself
│   └── NotAnswering     the API server gave no answer to a request
├── NotReadyInTime       it started, but was not ready before the deadline (5)
└── NotRunning           a command needs a running sandbox (1)
"""

from __future__ import annotations

from kploy.model.errors import KployError
from kploy.model.report import Outcome


class WrongUsage(KployError):
    """A sandbox cannot be called that, or be that large."""

    outcome = Outcome.USAGE


class Unsupported(KployError):
    """This machine cannot run a sandbox."""


class NoToolchain(KployError):
    """The control plane is not built yet, and there is no Go to build it with."""


class BuildFailed(KployError):
    """The Go toolchain could not build the control plane."""


class StartFailed(KployError):
    """A component ended, or was refused something, while the sandbox started."""


class PortTaken(StartFailed):
    """Another program took the port between our looking and the API server's binding."""


class NotAnswering(StartFailed):
    """The API server gave no answer to a request."""


class NotReadyInTime(KployError):
    """The sandbox started, but was not ready before the deadline."""

    outcome = Outcome.TIMED_OUT


class NotRunning(KployError):
    """A command needs a running sandbox, and there is none."""
