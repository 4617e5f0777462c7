"""Warnings that Kubernetes' components wrote down about objects: Events of type Warning."""

from __future__ import annotations

from kploy.model.frozen import dataclass
from kploy.model.objects import ObjectRef


@dataclass(frozen=True, slots=True)
class Notice:
    """One warning: ``about`` an object (``uid``), ``count`` times, at last ``at``, in seconds since the epoch."""

    about: ObjectRef
    uid: str
    reason: str
    message: str
    count: int
    at: float
