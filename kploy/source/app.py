"""Reads an app directory: the Kployfile, the manifests, and env/."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kploy.model.app import App, Reading
from kploy.model.findings import Finding, error
from kploy.source.environment import read_environment
from kploy.source.files import exists
from kploy.source.kployfile import FILE, read_kployfile
from kploy.source.manifests import read_manifests, resolve


def read_app(root: Path) -> Reading:
    """The app in ``root``, and all that is wrong with it in one go.

    Never raises for what the user can mend, except Refused: an app whose
    namespace belongs to Kubernetes itself.
    """
    with _without_garbage_collection():
        return _read(root.resolve())


def _read(root: Path) -> Reading:
    kployfile, own = read_kployfile(root)
    if kployfile is None and not exists(root / FILE):
        return Reading(None, own)
    findings: list[Finding] = [*own]
    manifests = read_manifests(root, findings.append)
    environment = read_environment(root, findings.append)
    files = manifests.files + environment.files
    if not files:
        findings.append(_empty())
    if kployfile is None:
        return Reading(None, tuple(findings), files)
    resolved = resolve((*manifests.drafts, *environment.drafts), kployfile.namespace)
    return Reading(App(str(root), kployfile, resolved), tuple(findings), files)


def _empty() -> Finding:
    message = "there is nothing to deploy: no manifest in rcs/, services/ or resources/, and nothing in env/"
    return error("empty-app", message, "put a manifest into rcs/, as rcs/web.yaml", subject=FILE)


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Reading makes many small objects and no garbage: collecting takes two thirds of its time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
