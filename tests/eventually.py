"""Waiting for what comes by itself, and not forever."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import pytest

Found = TypeVar("Found")

_PATIENCE = 150.0
"""Seconds. Only a machine that is very busy needs them."""


def eventually(look: Callable[[], Found]) -> Found:
    """What ``look`` finds, once that is anything; the test fails if nothing comes in good time."""
    until = time.monotonic() + _PATIENCE
    while not (found := look()):
        if time.monotonic() > until:
            pytest.fail("what the test waits for does not happen")
        time.sleep(0.05)
    return found
