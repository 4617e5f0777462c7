"""A real Kubernetes control plane on loopback, with simulated nodes: ``up``, ``down``, ``find``.

etcd, kube-apiserver, kube-controller-manager and kube-scheduler are the real
programs; KWOK plays the nodes, so pods are scheduled and become Running, but no
container ever runs.
"""

from kploy.sandbox.binaries import find_binaries as build
from kploy.sandbox.lifecycle import DEFAULT_NODES, all_sandboxes, down, find, up
from kploy.sandbox.processes import Process
from kploy.sandbox.progress import Phase, Progress, Report
from kploy.sandbox.state import Sandbox

__all__ = [
    "DEFAULT_NODES",
    "Phase",
    "Process",
    "Progress",
    "Report",
    "Sandbox",
    "all_sandboxes",
    "build",
    "down",
    "find",
    "up",
]
