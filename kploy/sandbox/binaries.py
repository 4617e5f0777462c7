"""Where the programs of the control plane are: a folder the user names, else our own build."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from kploy.sandbox.build import PACKAGES, built
from kploy.sandbox.progress import Report

ASSET_VARIABLES = ("KPLOY_SANDBOX_ASSETS", "KUBEBUILDER_ASSETS")
"""The variables that may name a folder of ready-made programs; the first that has one wins."""


def find_binaries(report: Report) -> dict[str, Path]:
    """The path of every program of the control plane, built now if need be.

    A program that is in a folder of ``ASSET_VARIABLES`` is taken from there
    (envtest has etcd and kube-apiserver), the others come from the build.
    """
    ready = ready_made(os.environ)
    missing = [program for program in PACKAGES if program not in ready]
    return {**ready, **(built(missing, report) if missing else {})}


def ready_made(environment: Mapping[str, str]) -> dict[str, Path]:
    """The programs that the folders named in the environment have."""
    found: dict[str, Path] = {}
    for folder in filter(None, (environment.get(variable) for variable in ASSET_VARIABLES)):
        for program in PACKAGES:
            path = Path(folder).expanduser().absolute() / program
            if program not in found and os.access(path, os.X_OK) and path.is_file():
                found[program] = path
    return found
