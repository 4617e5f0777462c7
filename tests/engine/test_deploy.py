"""The deploy on a real API server, with a cluster between that records, delays or fails what a test wants."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from kploy.cluster.adapter import ApiServer
from kploy.cluster.connection import Choice, connect
from kploy.cluster.port import (
    Answer,
    Cause,
    Change,
    ChangeType,
    Cluster,
    Expired,
    Forbidden,
    Invalid,
    Listing,
    NotFound,
    ServerFailed,
    Trouble,
    Unreachable,
)
from kploy.cluster.transport import Request, Transport
from kploy.core.bodies import text
from kploy.core.kinds import own_resource
from kploy.core.moment import Moment
from kploy.core.readiness import status_at
from kploy.engine.carrier import Inbox
from kploy.engine.pipeline import dryrun
from kploy.engine.run import run
from kploy.model import events
from kploy.model.app import app_id
from kploy.model.events import Event
from kploy.model.objects import Body, Resource, State, Status
from kploy.model.plan import Action
from kploy.model.report import Outcome
from kploy.sandbox import Sandbox
from tests.eventually import eventually
from tests.fakes import Call, RecordingCluster, Unwilling

pytestmark = pytest.mark.cluster

Write = Callable[..., Path]
FOREVER = 60.0
"""A timeout in seconds that no test waits for."""


@pytest.fixture
def write(tmp_path: Path, namespace: str) -> Write:
    """Writes an app of these objects."""

    def app(*bodies: dict[str, Any]) -> Path:
        (tmp_path / "resources").mkdir(exist_ok=True)
        (tmp_path / "Kployfile").write_text(f"name: shop\nnamespace: {namespace}\n")
        (tmp_path / "resources/all.yaml").write_text(yaml.safe_dump_all(bodies))
        return tmp_path

    return app


def body_of(kind: str, name: str, api_version: str = "v1", **fields: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **fields}


def config_map(name: str = "flags", colour: str = "blue") -> dict[str, Any]:
    return body_of("ConfigMap", name, data={"colour": colour})


def deployment(name: str = "web", **pod: Any) -> dict[str, Any]:
    labels = {"app": name}
    containers = [{"name": "web", "image": "ghcr.io/acme/web:1.0.0"}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers, **pod}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return body_of("Deployment", name, "apps/v1", spec=spec)


def stuck(name: str = "web") -> dict[str, Any]:
    """A Deployment that no node can take."""
    return deployment(name, nodeSelector={"disk": "quantum"})


def service(name: str = "web") -> dict[str, Any]:
    return body_of("Service", name, spec={"selector": {"app": name}, "ports": [{"port": 80}]})


def told(root: Path, cluster: Cluster, timeout: float = FOREVER, inbox: Inbox | None = None) -> list[Event]:
    return list(run(root, lambda _: cluster, timeout, inbox or Inbox()))


def outcome(events_: list[Event]) -> Outcome:
    last = events_[-1]
    assert isinstance(last, events.Finished)
    return last.outcome


def applied(events_: list[Event]) -> dict[str, Action]:
    return {str(event.ref): event.action for event in events_ if isinstance(event, events.Applied)}


def failed(events_: list[Event]) -> dict[str, str]:
    return {str(event.ref): event.reason for event in events_ if isinstance(event, events.Failed)}


def names(events_: list[Event], kind: type[events.Skipped | events.Unfinished | events.Ready]) -> set[str]:
    return {str(event.ref) for event in events_ if isinstance(event, kind)}


def test_a_dry_run_sends_nothing_in_earnest(api: ApiServer, write: Write, namespace: str) -> None:
    recording = RecordingCluster(api)
    said = list(dryrun(write(config_map(), deployment(), service()), lambda _: recording))
    assert outcome(said) is Outcome.DONE
    assert {call.dry_run for call in recording.calls if call.method == "apply"} == {True}
    assert recording.count("watch") == {}
    assert api.get(Resource("", "v1", "Namespace", "namespaces", namespaced=False), "", namespace) is None


def test_a_second_run_asks_about_no_object_by_itself(api: ApiServer, write: Write) -> None:
    root = write(config_map(), deployment(), service())
    assert outcome(told(root, api)) is Outcome.DONE
    recording = RecordingCluster(api)
    said = told(root, recording)
    assert outcome(said) is Outcome.DONE
    assert applied(said) == dict.fromkeys(("configmap/flags", "deployment/web", "service/web"), Action.UNCHANGED)
    assert recording.count("apply") == {}
    # Whether it is as it should be was seen already: nothing to wait for.
    assert recording.count("watch") == {}


@pytest.mark.usefixtures("nothing_takes_long")
def test_every_kind_is_listed_and_watched_once_however_many_objects_it_has(api: ApiServer, write: Write) -> None:
    several = [make(f"web{number}") for number in range(4) for make in (deployment, service)]
    recording = RecordingCluster(api)
    assert outcome(told(write(*several), recording)) is Outcome.DONE
    # Services have all but endpoints at once, and of these the slices tell.
    assert recording.count("watch") == {"Deployment": 1, "EndpointSlice": 1}
    # Those of the namespace's own kind are listed for the plan; the others were not there to be listed.
    assert recording.count("list") == {"Namespace": 1, "Deployment": 1, "EndpointSlice": 1}


@pytest.mark.usefixtures("nothing_takes_long")
def test_services_that_wait_for_an_address_are_watched_from_the_start(api: ApiServer, write: Write) -> None:
    balanced = service()
    balanced["spec"]["type"] = "LoadBalancer"
    recording = RecordingCluster(api)
    assert outcome(told(write(deployment(), balanced), recording)) is Outcome.DONE
    assert recording.count("watch") == {"Deployment": 1, "Service": 1, "EndpointSlice": 1}


def test_a_service_that_somebody_deletes_while_it_waits_for_endpoints_has_failed(
    api: ApiServer, write: Write, namespace: str
) -> None:
    said: list[Event] = []
    for event in run(write(stuck(), service()), lambda _: api, FOREVER, Inbox()):
        said.append(event)
        if "service/web" in failed(said):
            break
        if isinstance(event, events.Applied) and event.ref.kind == "Service":
            gone = own_resource("v1", "Service")
            live = api.get(gone, namespace, "web")
            api.delete(gone, namespace, "web", uid=text(live, "metadata", "uid"))
    assert failed(said)["service/web"] == "somebody deleted it during the run"


class Together(RecordingCluster):
    """Takes ConfigMaps only when so many of them are offered at the same time."""

    def __init__(self, real: Cluster, number: int) -> None:
        super().__init__(real)
        self._all_here = threading.Barrier(number)

    def apply(self, resource: Resource, body: Body, manager: str, *, dry_run: bool, force: bool = False) -> Answer:
        if resource.kind == "ConfigMap" and not dry_run:
            self._all_here.wait(timeout=20)
        return super().apply(resource, body, manager, dry_run=dry_run, force=force)


def test_what_does_not_depend_on_each_other_is_under_way_at_the_same_time(api: ApiServer, write: Write) -> None:
    maps = [config_map(f"flags{number}") for number in range(8)]
    said = told(write(*maps), Together(api, len(maps)))
    assert outcome(said) is Outcome.DONE
    assert len(applied(said)) == 1 + len(maps)


class Answering(RecordingCluster):
    """Tells when an object was applied in earnest."""

    def __init__(self, real: Cluster) -> None:
        super().__init__(real)
        self.has_answered = threading.Event()

    def apply(self, resource: Resource, body: Body, manager: str, *, dry_run: bool, force: bool = False) -> Answer:
        answer = super().apply(resource, body, manager, dry_run=dry_run, force=force)
        if not dry_run:
            self.has_answered.set()
        return answer


def test_what_hangs_on_an_answer_does_not_wait_until_all_that_is_unchanged_is_judged(
    api: ApiServer, write: Write
) -> None:
    others = [config_map(f"other{number}") for number in range(50)]
    told(write(*others, config_map(colour="blue")), api)
    recording, inbox = Answering(api), Inbox()
    order = []
    for event in run(write(*others, config_map(colour="red")), lambda _: recording, FOREVER, inbox):
        if isinstance(event, events.Applied) and event.ref.kind == "ConfigMap":
            order.append(event.action)
            eventually(lambda: recording.has_answered.is_set() and (Action.CONFIGURED in order or inbox.qsize()))
    assert sorted(order) == [Action.CONFIGURED, *[Action.UNCHANGED] * 50]
    assert order.index(Action.CONFIGURED) < 10


class Restless(RecordingCluster):
    """Ends a watch after every change, as ``end`` says: by returning, or by an error."""

    def __init__(self, real: Cluster, end: Exception | None) -> None:
        super().__init__(real)
        self._end = end

    def watch(
        self, resource: Resource, namespace: str, selector: str, since: str, fields: str = ""
    ) -> Iterator[Change]:
        for change in super().watch(resource, namespace, selector, since, fields):
            yield change
            if self._end:
                raise self._end
            return


@pytest.mark.parametrize("end", [None, Expired("too old"), NotFound("no such route", is_object=False)])
def test_a_watch_that_ends_after_every_change_misses_nothing(
    api: ApiServer, write: Write, end: Exception | None
) -> None:
    said = told(write(service(), deployment()), Restless(api, end))
    assert outcome(said) is Outcome.DONE
    assert {"service/web", "deployment/web"} < names(said, events.Ready)


class Failing(Unwilling):
    """Has no watch and no list for the first three tries of a deploy."""

    def __init__(self, real: Cluster, method: str, error: Exception) -> None:
        super().__init__(real)
        self._method = method
        self._error = error
        self._tries = count()

    def refusal(self, method: str, resource: Resource) -> Exception | None:
        # Listing is a part of the plan, too; this is about the deploy.
        is_it = method == self._method and resource.kind == "Deployment" and bool(self.writes)
        return self._error if is_it and next(self._tries) < 3 else None


@pytest.mark.parametrize(
    ("method", "error"), [("watch", Unreachable("gone")), ("list", ServerFailed("etcdserver: leader changed"))]
)
def test_a_deploy_rides_out_an_api_server_that_does_not_answer_for_a_while(
    api: ApiServer, write: Write, method: str, error: Exception
) -> None:
    said = told(write(deployment()), Failing(api, method, error))
    assert outcome(said) is Outcome.DONE


class Mute(RecordingCluster):
    """A proxy stands before it that holds back whatever a watch says."""

    def __init__(self, real: Cluster) -> None:
        super().__init__(real)
        self.may_end = threading.Event()

    def watch(self, *asked: object) -> Iterator[Change]:  # noqa: ARG002 - what is held back does not matter
        yield from ()
        self.may_end.wait()


def test_a_proxy_that_holds_back_watches_costs_seconds_and_not_the_deploy(api: ApiServer, write: Write) -> None:
    mute = Mute(api)
    # It is ready some seconds after its pods are: nobody can have seen that in the first list.
    late = deployment()
    late["spec"]["minReadySeconds"] = 4
    said = told(write(service(), late), mute, timeout=60)
    mute.may_end.set()
    assert outcome(said) is Outcome.DONE
    assert mute.count("list")["Deployment"] >= 2


class InTrouble(RecordingCluster):
    """Tells everybody who listens at once of trouble that has passed."""

    def observe(self, listener: Callable[[Trouble], None]) -> None:
        listener(Trouble("https://one.example refuses the connection", 3.2))
        listener(Trouble("https://one.example refuses the connection", 12.0, is_over=True))


def test_a_wait_for_the_cluster_is_no_silence(api: ApiServer, write: Write) -> None:
    said = told(write(config_map()), InTrouble(api))
    assert outcome(said) is Outcome.DONE
    notes = [
        "https://one.example refuses the connection: trying again, for 3 s already",
        "the wait is over, after 12 s (https://one.example refuses the connection)",
    ]
    (planned,) = [index for index, event in enumerate(said) if isinstance(event, events.Planned)]
    # Whoever asks a cluster listens: about the namespace and the kinds, for the comparison, for the deploy.
    assert [event.text for event in said[:planned] if isinstance(event, events.Noted)] == notes * 2
    assert [event.text for event in said[planned:] if isinstance(event, events.Noted)] == notes


class Forgetful(RecordingCluster):
    """Has always forgotten where a watch was."""

    def watch(
        self, resource: Resource, namespace: str, selector: str, since: str, fields: str = ""
    ) -> Iterator[Change]:
        self._record("watch", resource.kind)
        yield from ()
        raise Expired(f"too old: {since} in {namespace} {selector} {fields}")


def test_a_server_that_always_forgets_is_not_asked_all_the_time(api: ApiServer, write: Write) -> None:
    forgetful = Forgetful(api)
    assert outcome(told(write(stuck()), forgetful, timeout=2.5)) is Outcome.TIMED_OUT
    assert forgetful.count("list")["Deployment"] <= 4


class Flooding(RecordingCluster):
    """Tells without end what everybody knows."""

    def watch(
        self, resource: Resource, namespace: str, selector: str, since: str, fields: str = ""
    ) -> Iterator[Change]:
        while True:
            for body in self._real.list(resource, namespace, selector, fields).items:
                yield from [Change(ChangeType.MODIFIED, body)] * 1000
            if not since:
                return


def test_the_deadline_counts_however_much_happens(api: ApiServer, write: Write) -> None:
    said = told(write(stuck()), Flooding(api), timeout=5)
    assert outcome(said) is Outcome.TIMED_OUT
    assert names(said, events.Unfinished) == {"deployment/web"}


class Crowded(RecordingCluster):
    """Tells of a pod a thousand times, each time something new."""

    def __init__(self, real: Cluster) -> None:
        super().__init__(real)
        self.watched = threading.Event()

    def watch(
        self, resource: Resource, namespace: str, selector: str, since: str, fields: str = ""
    ) -> Iterator[Change]:
        if resource.kind == "ReplicaSet":
            # By now it was told whose pods these are.
            self.watched.set()
        if resource.kind == "Pod":
            assert self.watched.wait(FOREVER)
            (pod,) = self._real.list(resource, namespace, selector, fields).items
            for number in range(1, 1001):
                metadata = {**pod["metadata"], "resourceVersion": str(int(since) + number)}
                yield Change(ChangeType.MODIFIED, {**pod, "metadata": metadata})
        yield from self._real.watch(resource, namespace, selector, since, fields)


def test_a_workload_is_not_judged_anew_for_each_of_its_pods(
    api: ApiServer, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[Body] = []

    def judge(moment: Moment, live: Body, *others: Any) -> Status:
        judged.append(live)
        return status_at(moment, live, *others)

    monkeypatch.setattr("kploy.engine.lookout.status_at", judge)
    said = told(write(stuck()), Crowded(api), timeout=4.0)
    ((status, cause),) = [
        (event.status.state, event.cause) for event in said if isinstance(event, events.Unfinished)
    ]
    assert (status, cause and cause.reason) == (State.IN_PROGRESS, "Unschedulable")
    assert len(judged) < 200


def test_a_stop_lets_nothing_new_start_and_tells_what_is_not_finished(
    api: ApiServer, write: Write, namespace: str
) -> None:
    inbox = Inbox()
    waiting = config_map()
    waiting["metadata"]["annotations"] = {"kploy.dev/depends-on": "deployment/web"}
    recording = RecordingCluster(api)
    said = []
    for event in run(write(stuck(), waiting), lambda _: recording, FOREVER, inbox):
        said.append(event)
        if isinstance(event, events.Applied) and event.ref.kind == "Deployment":
            inbox.stop()
    assert outcome(said) is Outcome.INTERRUPTED
    assert names(said, events.Unfinished) == {"deployment/web"}
    assert names(said, events.Skipped) == {"configmap/flags"}
    assert recording.written == [
        Call("create", "Namespace", namespace),
        Call("create", "Lease", "kploy-shop"),
        Call("create", "Secret", "kploy-shop-r1"),
        Call("create", "ConfigMap", "kploy-shop"),
        Call("apply", "Deployment", "web"),
        # How it ended, and nothing else.
        Call("replace", "ConfigMap", "kploy-shop"),
        Call("replace", "Lease", "kploy-shop"),
    ]


def test_a_stop_before_the_deploy_writes_nothing(api: ApiServer, write: Write, namespace: str) -> None:
    inbox = Inbox()
    inbox.stop()
    recording = RecordingCluster(api)
    said = told(write(config_map(), stuck()), recording, inbox=inbox)
    assert outcome(said) is Outcome.INTERRUPTED
    assert names(said, events.Skipped) == {f"namespace/{namespace}", "configmap/flags", "deployment/web"}
    assert recording.writes == []


class Slow(RecordingCluster):
    """Takes an object only when it is told to."""

    def __init__(self, real: Cluster) -> None:
        super().__init__(real)
        self.may_go_on = threading.Event()
        self.has_begun = threading.Event()

    def apply(self, resource: Resource, body: Body, manager: str, *, dry_run: bool, force: bool = False) -> Answer:
        if resource.kind == "ConfigMap" and not dry_run:
            self.has_begun.set()
            self.may_go_on.wait(timeout=20)
        return super().apply(resource, body, manager, dry_run=dry_run, force=force)


@pytest.mark.parametrize("timeout", [FOREVER, 0.5])
def test_at_the_end_requests_under_way_are_answered_and_those_in_the_queue_not_sent(
    api: ApiServer, write: Write, timeout: float
) -> None:
    told(write(config_map("first")), api)
    maps = [config_map(f"flags{number}") for number in range(40)]
    slow, inbox = Slow(api), Inbox()
    said: list[Event] = []
    for event in run(write(*maps), lambda _: slow, timeout, inbox):
        said.append(event)
        if isinstance(event, events.Planned) and timeout == FOREVER:

            def stop() -> None:
                slow.has_begun.wait(timeout=20)
                inbox.stop()

            threading.Thread(target=stop).start()
        if isinstance(event, events.Skipped):
            slow.may_go_on.set()
    assert outcome(said) is (Outcome.INTERRUPTED if timeout == FOREVER else Outcome.TIMED_OUT)
    written, skipped = set(applied(said)), names(said, events.Skipped)
    # What it wrote of its own is how it began, and how it ended.
    assert {f"configmap/{name}" for name in slow.writes} == written | {
        "configmap/kploy-shop",
        "configmap/kploy-shop-r2",
    }
    # The one that is no longer wanted is not deleted, either.
    assert skipped == {"configmap/first", *(f"configmap/flags{number}" for number in range(len(maps)))} - written
    assert "configmap/first" in skipped
    assert skipped


def remove(cluster: Sandbox, namespace: str) -> None:
    """Delete the Deployment, as somebody else."""
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
    Transport(connect(Choice(kubeconfig=str(cluster.kubeconfig)))).send(Request("DELETE", path))


class Meddled(RecordingCluster):
    """Somebody meddles with the cluster: before a kind is listed, before it is watched, or while it is."""

    def __init__(self, real: Cluster, when: str, meddle: Callable[[], None]) -> None:
        super().__init__(real)
        self._when = when
        self._meddle = meddle
        self._has_meddled = False

    def _now(self, when: str, resource: Resource) -> bool:
        if self._has_meddled or when != self._when or resource.kind != "Deployment" or not self.writes:
            return False
        self._has_meddled = True
        self._meddle()
        return True

    def list(self, resource: Resource, namespace: str, selector: str = "", fields: str = "") -> Listing:
        self._now("before the list", resource)
        return super().list(resource, namespace, selector, fields)

    def watch(
        self, resource: Resource, namespace: str, selector: str, since: str, fields: str = ""
    ) -> Iterator[Change]:
        self._now("before the watch", resource)
        if self._now("while the watch is lost", resource):
            raise Expired("too old")
        # Whether or not anything else happens meanwhile.
        threading.Timer(0.3, self._now, ["during the watch", resource]).start()
        yield from super().watch(resource, namespace, selector, since, fields)


WHEN = ["before the list", "before the watch", "while the watch is lost", "during the watch"]


@pytest.mark.parametrize("when", WHEN)
def test_an_object_that_somebody_deletes_during_the_run_has_failed(
    api: ApiServer, cluster: Sandbox, write: Write, namespace: str, when: str
) -> None:
    meddled = Meddled(api, when, lambda: remove(cluster, namespace))
    said = told(write(stuck()), meddled)
    assert outcome(said) is Outcome.FAILED
    assert failed(said) == {"deployment/web": "somebody deleted it during the run"}


def test_an_object_that_somebody_replaces_unseen_has_failed(
    api: ApiServer, cluster: Sandbox, write: Write, namespace: str
) -> None:
    def replace() -> None:
        remove(cluster, namespace)
        body = stuck()
        body["metadata"] |= {"namespace": namespace, "labels": {"kploy.dev/app": app_id("shop", namespace)}}
        resource = api.resource("apps/v1", "Deployment")
        assert resource is not None
        api.apply(resource, body, "somebody", dry_run=False)

    said = told(write(stuck()), Meddled(api, "while the watch is lost", replace))
    assert failed(said) == {"deployment/web": "somebody replaced it by another one during the run"}


class Strict(RecordingCluster):
    """Lets no pod in."""

    def __init__(self, real: Cluster, error: Exception) -> None:
        super().__init__(real)
        self._error = error

    def create(self, resource: Resource, body: Body, *, dry_run: bool = False) -> Body:
        if resource.kind == "Pod":
            raise self._error
        return super().create(resource, body, dry_run=dry_run)


_POLICY = "pods \"web-kploy-rehearsal\" is forbidden: ValidatingAdmissionPolicy 'x' denied request: no identity"
_LEVEL = 'pods "serviceaccount-x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true'


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (Invalid(_POLICY), []),
        (Forbidden(_POLICY), []),
        (Forbidden(_LEVEL), ["pod-security"]),
        (Invalid('Pod "web-kploy-rehearsal" is invalid: spec: no'), ["pod-refused"]),
    ],
)
def test_a_policy_is_not_held_against_a_pod_whose_account_the_run_makes(
    api: ApiServer, write: Write, error: Exception, found: list[str]
) -> None:
    told(write(config_map()), api)
    root = write(body_of("ServiceAccount", "robot"), deployment(serviceAccountName="robot"))
    said = list(dryrun(root, lambda _: Strict(api, error)))
    (checked,) = [event for event in said if isinstance(event, events.Checked)]
    assert [finding.rule for finding in checked.findings if finding.rule.startswith("pod-")] == found
    notes = [event.text for event in said if isinstance(event, events.Noted)]
    hangs = "it hangs on serviceaccount/robot, which the run changes as well"
    unchecked = f"whether pods of deployment/web would start could not be checked: {hangs}"
    assert (unchecked in notes) is (not found)


class Refusing(RecordingCluster):
    """Refuses Secrets in earnest, and quotes them."""

    def __init__(self, real: Cluster, error: Exception, *, dry_run: bool) -> None:
        super().__init__(real)
        self._error = error
        self._dry_run = dry_run

    def apply(self, resource: Resource, body: Body, manager: str, *, dry_run: bool, force: bool = False) -> Answer:
        if resource.kind == "Secret" and dry_run is self._dry_run:
            raise self._error
        return super().apply(resource, body, manager, dry_run=dry_run, force=force)


QUOTING = ["hunter2hunter2 is weak", "aHVudGVyMmh1bnRlcjI= is weak"]


@pytest.mark.parametrize("quoting", QUOTING)
def test_no_refusal_of_a_secret_shows_its_value(api: ApiServer, write: Write, quoting: str) -> None:
    told(write(config_map()), api)
    root = write(body_of("Secret", "login", stringData={"password": "hunter2hunter2"}))
    for dry_run in (True, False):
        for error in (Forbidden(quoting), Invalid(quoting, causes=(Cause("data.password", quoting),))):
            said = told(root, Refusing(api, error, dry_run=dry_run))
            assert outcome(said) is (Outcome.INVALID if dry_run else Outcome.FAILED)
            assert quoting.split(maxsplit=1)[0] not in repr(said)
    with pytest.raises(ServerFailed) as raised:
        told(root, Refusing(api, ServerFailed(quoting), dry_run=True))
    assert quoting.split(maxsplit=1)[0] not in str(raised.value)


class Unwatched(Unwilling):
    """Lets nobody watch, whatever it says beforehand."""

    def refusal(self, method: str, resource: Resource) -> Exception | None:
        return Forbidden(f"you may not watch {resource.plural}") if method == "watch" else None


def test_a_watch_that_is_refused_ends_the_run_and_the_last_event_is_the_end(api: ApiServer, write: Write) -> None:
    said = told(write(stuck()), Unwatched(api))
    assert outcome(said) is Outcome.UNREACHABLE
    assert [str(event.ref) for event in said if isinstance(event, events.Unfinished)] == ["deployment/web"]
    assert any("you may not watch" in event.text for event in said if isinstance(event, events.Noted))


class Blinkered(RecordingCluster):
    """Lets nobody look at namespaces."""

    def get(self, resource: Resource, namespace: str, name: str) -> Body | None:
        if resource.kind == "Namespace":
            raise Forbidden(f"you may not look at {resource.plural} {namespace}{name}")
        return super().get(resource, namespace, name)


def findings(events_: list[Event]) -> list[tuple[str, str]]:
    (checked,) = [event for event in events_ if isinstance(event, events.Checked)]
    return [(finding.rule, finding.message) for finding in checked.findings]


def test_a_namespace_that_is_missing_unseen_is_named(api: ApiServer, write: Write, namespace: str) -> None:
    said = told(write(config_map()), Blinkered(api))
    assert findings(said) == [("refused-by-server", f'configmap/flags: namespaces "{namespace}" not found')]
    assert outcome(said) is Outcome.INVALID


def test_a_kind_of_a_group_that_the_cluster_does_not_have_is_a_finding(api: ApiServer, write: Write) -> None:
    said = told(write(body_of("Tap", "a", "nowhere.example.com/v1")), api)
    assert findings(said) == [("unknown-kind", "the cluster has no kind Tap in nowhere.example.com/v1")]
    assert outcome(said) is Outcome.INVALID


@pytest.mark.parametrize("scope", ["Namespaced", "Cluster"])
def test_a_definition_and_its_resource_are_deployed_in_one_run_and_found_unchanged_in_the_next(
    api: ApiServer, write: Write, scope: str
) -> None:
    kind = f"Tap{uuid4().hex[:8]}"
    plural, group = f"{kind.lower()}s", "taps.example.com"
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {}}}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    spec = {"group": group, "scope": scope, "names": {"kind": kind, "plural": plural}, "versions": [version]}
    definition = body_of("CustomResourceDefinition", f"{plural}.{group}", "apiextensions.k8s.io/v1", spec=spec)
    root = write(definition, body_of(kind, "a", f"{group}/v1", spec={}))
    for action in (Action.CREATED, Action.UNCHANGED):
        said = told(root, api)
        assert outcome(said) is Outcome.DONE
        assert applied(said)[f"{kind.lower()}/a"] is action
    # Now without its definition, which the cluster has.
    assert applied(told(write(body_of(kind, "a", f"{group}/v1", spec={})), api)) == {
        f"{kind.lower()}/a": Action.UNCHANGED
    }


def test_every_apply_is_unforced_by_the_apps_own_manager_with_its_label_but_on_a_namespace_that_may_be_shared(
    api: ApiServer, write: Write, namespace: str
) -> None:
    sent: list[tuple[str, str, bool, str]] = []

    class Looking(RecordingCluster):
        def apply(
            self, resource: Resource, body: Body, manager: str, *, dry_run: bool, force: bool = False
        ) -> Answer:
            sent.append((text(body, "kind"), manager, force, text(body, "metadata", "labels", "kploy.dev/app")))
            return super().apply(resource, body, manager, dry_run=dry_run, force=force)

    told(write(config_map()), Looking(api))
    own = app_id("shop", namespace)
    assert set(sent) == {("Namespace", f"kploy-{own}", False, ""), ("ConfigMap", f"kploy-{own}", False, own)}
