"""Reads an app directory: the Kployfile, the manifests, and env/."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kploy.model.app import App, Reading
from kploy.model.findings import Finding, Severity, error
from kploy.source.access import Access
from kploy.source.environment import read_environment
from kploy.source.files import exists, resolved
from kploy.source.kployfile import FILE, read_kployfile
from kploy.source.manifests import read_manifests, resolve

if TYPE_CHECKING:
    from kploy.source.network import Network
    from kploy.source.text import Report


def read_app(root: Path, *, offline: bool = False, network: Network | None = None) -> Reading:
    """The app in ``root``, and all that is wrong with it in one go.

    Remote manifests are fetched through ``network`` (None is the real one),
    and pinned in Kployfile.lock when they are new; ``offline``, only copies
    of what is pinned are used.
    Never raises for what the user can mend, except BadDirectory, and Refused:
    an app whose namespace belongs to Kubernetes itself.
    """
    with _without_garbage_collection():
        return _read(resolved(root), offline, network)


def _read(root: Path, offline: bool, network: Network | None) -> Reading:
    kployfile, own = read_kployfile(root)
    if kployfile is None and not exists(root / FILE):
        return Reading(None, own)
    findings: list[Finding] = [*own]
    access = Access(offline, kployfile is not None and kployfile.cache_remotes, network)
    manifests = read_manifests(root, findings.append, access)
    environment = read_environment(root, findings.append)
    _check_runbooks(root, findings.append)
    files = manifests.files + environment.files
    if not files:
        findings.append(_empty())
    if kployfile is None:
        return Reading(None, tuple(findings), files)
    resolved = resolve((*manifests.drafts, *environment.drafts), kployfile.namespace)
    if files and not resolved and not any(map(_may_explain, findings)):
        findings.append(_empty())
    return Reading(App(str(root), kployfile, resolved), tuple(findings), files)


def _check_runbooks(root: Path, report: Report) -> None:
    if exists(root / "runbooks"):
        # Few apps have any, and what names the troubles need not load for the others.
        from kploy.source.runbooks import check_runbooks

        check_runbooks(root, report)


def _may_explain(finding: Finding) -> bool:
    """Whether a finding may be why there is no object at all."""
    return finding.severity is Severity.ERROR or finding.rule == "remote-not-checked"


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
