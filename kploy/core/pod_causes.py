"""Why a pod does not get on: what its status says, and the warnings about it.

Each cause has a grade. *Fatal* is what does not mend itself; it is better told too seldom than once too
often, because it ends a run. *Suspected* has a grace. All else is *transient*. The list is the union of
what krane, kapp, nelm and kubectl go by; kubelet's words are from pkg/kubelet/{events,images,kuberuntime}.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from kploy.core.live import Fields, Malformed, condition_of, containers_of, fields
from kploy.core.readiness_of_pods import is_ready
from kploy.core.scheduling import refusal
from kploy.model.notices import Notice
from kploy.model.objects import Body, Cause, Grade, JsonPath

_SCHEDULING = 180.0
"""Seconds that a pod may be without a node: so long a cluster that grows by itself takes to get one."""

_APPEARING = 30.0
"""The same for what a container names and is not there: an operator may be about to make it."""

_MOUNTING = 60.0
"""The same for volumes: kubelet reads a ConfigMap again after some seconds."""

_SHORTEST_PROBING = 120.0
"""No probe has failed for good before so many seconds: many an app without a startupProbe warms up that long."""

_FEW_CRASHES, _MANY_CRASHES = 2, 3
"""A container that was started so often again, and ended each time, may not stay; or is not going to."""

_CRASHING = 15.0
"""Seconds for which few crashes must go on to be too many."""

_UNPULLABLE = re.compile(
    r"not ?found|manifest unknown|does not exist|unauthori[sz]ed|authentication required|no basic auth"
    r"|denied|forbidden|pull access|invalid reference|no match for platform",
    re.IGNORECASE,
)
"""What a registry says that will not hand out an image later either. Not to answer is another thing."""

_NOT_IN_CACHE = re.compile(r"failed to sync .* cache", re.IGNORECASE)
"""kubelet has not seen the ConfigMap or Secret yet."""

_NOT_THERE = re.compile(r"not found|find key")

_UNBOUND = "unbound immediate PersistentVolumeClaims"
"""The claim is what is waited for, and has a status of its own."""

_SIGNALS = {134: "aborted", 137: "killed", 139: "segmentation fault", 143: "terminated"}
_ENTRY = {126: "the command cannot be executed", 127: "the command was not found"}


def cause_of(pod: Body, notices: Sequence[Notice] = ()) -> Cause | None:
    """What keeps a pod from being ready, the first of it; None where nothing is known to.

    ``notices`` are those about this pod. ``path`` of the cause leads through
    the pod, and so, behind its own prefix, through the template of its controller.
    Never raises: of what cannot be read nothing is said.
    """
    try:
        return next(_causes(fields("", pod), notices), None)
    except Malformed:
        return None


def _causes(pod: Fields, notices: Sequence[Notice]) -> Iterator[Cause]:
    if "deletionTimestamp" in pod.map("metadata") or is_ready(pod):
        return
    yield from _of_scheduling(pod)
    for container in _containers(pod):
        yield from container.causes(notices)
    if not _has_volumes(pod):
        yield from _of_volumes(notices)
    for container in _containers(pod):
        yield from container.of_probes(notices)


def _of_scheduling(pod: Fields) -> Iterator[Cause]:
    told = condition_of(pod.map("status"), "PodScheduled")
    if told.reason == "Unschedulable":
        grade, why = Grade.TRANSIENT if _UNBOUND in told.message else Grade.SUSPECTED, refusal(pod, told.message)
        yield Cause("Unschedulable", f"no node can take it: {why.message}", grade, why.path, _SCHEDULING)


def _has_volumes(pod: Fields) -> bool:
    """Whether its volumes are mounted and its sandbox is made (KEP-3085): what was said before is past."""
    status = pod.map("status")
    has_begun = any("waiting" not in each.map("state") or each.map("lastState") for each in containers_of(status))
    return has_begun or condition_of(status, "PodReadyToStartContainers").is_true


_OF_VOLUMES = frozenset({"FailedAttachVolume", "FailedCreatePodSandBox", "FailedMapVolume", "FailedMount"})
"""To attach a disk elsewhere may take minutes; a sandbox is tried again."""


def _of_volumes(notices: Sequence[Notice]) -> Iterator[Cause]:
    """Trouble before the containers are made, of which only events tell."""
    for notice in reversed(notices):
        if notice.reason not in _OF_VOLUMES:
            continue
        if notice.reason == "FailedMount" and not _NOT_IN_CACHE.search(notice.message):
            yield Cause(notice.reason, notice.message, Grade.SUSPECTED, ("spec", "volumes"), _MOUNTING)
        else:
            yield Cause(notice.reason, notice.message, Grade.TRANSIENT)


def _containers(pod: Fields) -> Iterator[_Container]:
    """The containers that the pod's status tells of, in the order in which they start."""
    spec, status = pod.map("spec"), pod.map("status")
    restarts = spec.text("restartPolicy") != "Never"
    for listed, told in (("initContainers", "initContainerStatuses"), ("containers", "containerStatuses")):
        index = {wanted.text("name"): number for number, wanted in enumerate(spec.maps(listed))}
        for state in status.maps(told):
            number = index.get(state.text("name"))
            if number is not None:
                wanted = spec.maps(listed)[number]
                yield _Container(wanted, state, ("spec", listed, number), is_restarted=restarts)


class _Container:
    """One container of a pod: what is ``wanted`` of it, and its ``state``."""

    def __init__(self, wanted: Fields, state: Fields, path: JsonPath, *, is_restarted: bool) -> None:
        self._wanted = wanted
        self._state = state
        self._path = path
        self._name = wanted.text("name")
        self._is_restarted = is_restarted

    def causes(self, notices: Sequence[Notice]) -> Iterator[Cause]:
        """What its state says."""
        waiting = self._state.map("state").map("waiting")
        judge = _WAITING.get(waiting.text("reason"))
        if judge is not None:
            yield judge(self, waiting.text("reason"), waiting.text("message"), notices)
        elif self._ended.number("exitCode") and not self._state.flag("ready"):
            yield self._crashed("Error", Grade.TRANSIENT if self._is_restarted else Grade.FATAL, notices)

    def of_probes(self, notices: Sequence[Notice]) -> Iterator[Cause]:
        """That it runs, and does not become ready."""
        if "running" not in self._state.map("state") or self._state.flag("ready"):
            return
        said = _last(notices, "Unhealthy", "Readiness probe")
        if said:
            message, grace = f"is not ready: {said}", self._grace()
            yield self._cause("Unhealthy", message, Grade.SUSPECTED, "readinessProbe", grace=grace)

    @property
    def _ended(self) -> Fields:
        """How it ended, now or the last time."""
        return self._state.map("state").map("terminated") or self._state.map("lastState").map("terminated")

    def image(self, reason: str, message: str, notices: Sequence[Notice]) -> Cause:
        """Its image cannot be had, for good if that is what the registry says."""
        image = self._wanted.text("image")
        told = [notice.message for notice in notices if notice.reason == "Failed" and image in notice.message]
        # Its own name may have any word in it.
        final = (each for each in [message, *reversed(told)] if _UNPULLABLE.search(each.replace(image, "")))
        said = next(final, "")
        grade = Grade.FATAL if said or reason in _NEVER_PULLED else Grade.TRANSIENT
        why = _core_of(said or message or reason, image)
        return self._cause(reason, f"cannot get the image {image}: {why}", grade, "image")

    def configuration(self, reason: str, message: str, _: Sequence[Notice]) -> Cause:
        """A ConfigMap, a Secret or a key that it names is not there, or its user is not allowed."""
        if _NOT_IN_CACHE.search(message):
            grade = Grade.TRANSIENT
        else:
            grade = Grade.SUSPECTED if _NOT_THERE.search(message) else Grade.FATAL
        said, path = f"cannot be made: {message or reason}", self._named_in(message)
        return self._cause(reason, said, grade, *path, grace=_APPEARING)

    def start(self, reason: str, message: str, _: Sequence[Notice]) -> Cause:
        """The container runtime cannot start it: most often its command is not in the image."""
        field = "command" if "command" in self._wanted else "image"
        return self._cause(reason, f"cannot be started: {message or reason}", Grade.FATAL, field)

    def loop(self, reason: str, _: str, notices: Sequence[Notice]) -> Cause:
        """It ends again and again."""
        crashes = self._state.number("restartCount")
        grade = Grade.SUSPECTED if crashes >= _FEW_CRASHES else Grade.TRANSIENT
        return self._crashed(reason, Grade.FATAL if crashes >= _MANY_CRASHES else grade, notices)

    def _crashed(self, reason: str, grade: Grade, notices: Sequence[Notice]) -> Cause:
        ended, restarts = self._ended, self._state.number("restartCount")
        times = f", started again {restarts} times" if restarts > 1 else ""
        if ended.text("reason") == "OOMKilled":
            limit = self._wanted.map("resources").map("limits").data.get("memory")
            room = f"more memory than its limit of {limit}" if limit else "more memory than there is"
            at = ("resources", "limits", "memory")
            return self._cause("OOMKilled", f"wants {room}{times}", grade, *at, grace=_CRASHING)
        for probe, field in (("Startup probe", "startupProbe"), ("Liveness probe", "livenessProbe")):
            said = _last(notices, "Unhealthy", probe)
            if said:
                return self._cause("Unhealthy", f"is killed: {said}{times}", grade, field, grace=_CRASHING)
        return self._cause(reason, f"ends with {_exit(ended)}{times}", grade, grace=_CRASHING)

    def _named_in(self, message: str) -> JsonPath:
        """Where it names the ConfigMap or Secret that a message of kubelet is about."""
        for number, variable in enumerate(self._wanted.maps("env")):
            for kind in ("configMapKeyRef", "secretKeyRef"):
                source = variable.map("valueFrom").map(kind)
                if source and source.text("name") in message and _is_about(source.text("key"), message):
                    return "env", number, "valueFrom", kind
        for number, source in enumerate(self._wanted.maps("envFrom")):
            for kind in ("configMapRef", "secretRef"):
                if source.map(kind) and f'"{source.map(kind).text("name")}"' in message:
                    return "envFrom", number, kind
        return ()

    def _grace(self) -> float:
        """For how long probes may fail: twice what their own fields give."""
        given = sum(_patience(self._wanted.map(probe)) for probe in ("startupProbe", "readinessProbe"))
        return max(_SHORTEST_PROBING, 2 * given)

    def _cause(self, reason: str, message: str, grade: Grade, *field: str | int, grace: float = 0.0) -> Cause:
        path = (*self._path, *field)
        grace = grace if grade is Grade.SUSPECTED else 0.0
        return Cause(reason, f"{self._name} {message}", grade, path, grace, self._name)


_NEVER_PULLED = frozenset({"InvalidImageName", "ErrImageNeverPull"})

_WAITING: dict[str, Callable[[_Container, str, str, Sequence[Notice]], Cause]] = {
    "ErrImagePull": _Container.image,
    "ImagePullBackOff": _Container.image,
    "InvalidImageName": _Container.image,
    "ErrImageNeverPull": _Container.image,
    "CreateContainerConfigError": _Container.configuration,
    "CreateContainerError": _Container.start,
    "RunContainerError": _Container.start,
    "CrashLoopBackOff": _Container.loop,
}


def _is_about(key: str, message: str) -> bool:
    """Whether a message may be about a key: it names none, or this one."""
    return "find key " not in message or bool(re.search(rf"key {re.escape(key)}(?![-\w.])", message))


def _last(notices: Sequence[Notice], reason: str, beginning: str) -> str:
    found = (each.message for each in reversed(notices) if each.reason == reason)
    return next((message for message in found if message.startswith(beginning)), "")


def _patience(probe: Fields) -> float:
    if not probe:
        return 0.0
    tries = probe.number("failureThreshold", 3) * probe.number("periodSeconds", 10)
    return probe.number("initialDelaySeconds") + tries


def _exit(ended: Fields) -> str:
    code = ended.number("exitCode")
    meaning = _SIGNALS.get(code) or _ENTRY.get(code) or ended.text("reason").removeprefix("Error")
    return f"exit code {code}" + (f" ({meaning})" if meaning and meaning != "Completed" else "")


def _core_of(said: str, image: str) -> str:
    """What a message about an image says, without what every layer has put before it."""
    return _LAYERS.sub("", said).removeprefix(f"{image}: ")


_LAYERS = re.compile(
    r"^(?:(?:Back-off pulling image|[Ff]ailed to (?:pull image|pull and unpack image|resolve reference))"
    r' "[^"]*": |ErrImagePull: |rpc error: code = \w+ desc = |Error response from daemon: )+'
)
