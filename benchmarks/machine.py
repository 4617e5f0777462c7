"""The machine that a bench ran on: its shape, and how much others had of it meanwhile. No names, no paths."""

from __future__ import annotations

import os
import platform
import resource
from pathlib import Path

from benchmarks.building import version_of_modules
from kploy.model.frozen import dataclass
from kploy.sandbox import Sandbox
from kploy.sandbox.toolchain import find_toolchain

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")

_TOLERABLE = 0.2
"""Of so many cores others may make use without spoiling anything."""


def shape(cluster: Sandbox) -> list[tuple[str, str]]:
    """What there is, and of which version."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    go = ".".join(map(str, find_toolchain().version))
    return [
        ("cores", str(os.cpu_count())),
        ("memory", f"{memory:.0f} GiB"),
        ("kernel", f"{platform.system()} {platform.release()}"),
        ("Python", platform.python_version()),
        ("Go", go),
        ("Kubernetes, kubectl", cluster.version),
        ("Helm", version_of_modules("helm.sh/helm/v4")),
    ]


@dataclass(frozen=True, slots=True)
class Moment:
    """Seconds of CPU since boot: that all processes had, and those of them that were the bench's."""

    uptime: float
    busy: float
    ours: float


def moment(cluster: Sandbox) -> Moment:
    """How things are now."""
    user, nice, system, _, _, irq, softirq, *_ = map(int, (_PROC / "stat").read_text().split()[1:9])
    ours = sum(_cpu_of(pid) for pid in cluster.pids.values())
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        ours += usage.ru_utime + usage.ru_stime
    uptime = float((_PROC / "uptime").read_text().split()[0])
    return Moment(uptime, (user + nice + system + irq + softirq) / _TICKS, ours)


def cores_of_others(before: Moment, after: Moment) -> float:
    """How many cores processes that have nothing to do with the bench kept busy in between, on average."""
    others = (after.busy - before.busy) - (after.ours - before.ours)
    return max(0.0, others / (after.uptime - before.uptime))


def load_note(load: float, cores: float) -> str:
    """How busy others kept the machine, and whether that spoils the figures."""
    fact = f"Load when it began: {load:.1f}. What has nothing to do with it kept {cores:.2f} cores busy meanwhile"
    return f"{fact}." if cores <= _TOLERABLE else f"{fact}: **too much to rely on these figures**."


def _cpu_of(pid: int) -> float:
    fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
