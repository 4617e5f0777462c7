"""What is said to a user who may not do all that a run does, and what it costs everybody else."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
import yaml

from kploy.cluster.adapter import ApiServer
from kploy.cluster.connection import Choice, connect
from kploy.cluster.port import NotFound
from kploy.engine.pipeline import dryrun
from kploy.model import events
from kploy.model.report import Outcome
from kploy.sandbox import Sandbox
from tests.cli.conftest import Kploy, Live, Write
from tests.cli.state import hold
from tests.cli.test_run import APP, FLAGS, KINDS
from tests.cli.test_waiting import allow, create
from tests.fakes import RecordingCluster

pytestmark = pytest.mark.cluster

FLAGS_ONLY = {"resources/flags.yaml": FLAGS.format("blue")}

HEADLESS = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: ExternalName, externalName: example.com, ports: [{port: 80}]}
"""


@pytest.fixture
def user() -> str:
    """A user whom nobody has allowed anything."""
    return f"user-{uuid4().hex[:8]}"


def allow_state(live: Live, user: str) -> None:
    """Let a user keep the state of an app, in ConfigMaps, Secrets and Leases, and delete no Lease."""
    rbac = "rbac.authorization.k8s.io"
    keeping = ["create", "get", "list", "update"]
    rules = [
        {"apiGroups": [""], "resources": ["configmaps", "secrets"], "verbs": [*keeping, "delete"]},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": keeping},
    ]
    subjects = [{"apiGroup": rbac, "kind": "User", "name": user}]
    role = {"apiGroup": rbac, "kind": "Role", "name": "state"}
    create(live, live.namespace, f"{rbac}/v1", "Role", "state", rules=rules)
    create(live, live.namespace, f"{rbac}/v1", "RoleBinding", "state", roleRef=role, subjects=subjects)


def grant(live: Live, snippet: str) -> None:
    """Do as an administrator what a finding proposes."""
    for body in filter(None, yaml.safe_load_all(snippet)):
        resource = live.api.resource(body["apiVersion"], body["kind"])
        assert resource is not None
        live.api.apply(resource, body, "administrator", dry_run=False)


@pytest.mark.parametrize("command", ["dryrun", "run"])
def test_who_may_do_nothing_gets_one_answer_and_nothing_more_is_sent(
    kploy: Kploy, write: Write, live: Live, user: str, command: str
) -> None:
    create(live, "", "v1", "Namespace", live.namespace)
    write(APP)
    result = kploy(command, "--as", user)
    assert result.code == 4
    assert [line for line in result.lines if line.startswith("error[")] == [
        (
            f"error[missing-permission]: {user} may not, in namespace {live.namespace}:"
            " create, delete, get, list, patch, update and watch configmaps;"
            " create, list, patch and watch deployments.apps, services;"
            " list and watch endpointslices.discovery.k8s.io;"
            " create, get and update leases.coordination.k8s.io; create, delete and get secrets"
        )
    ]
    assert result.lines[-1] == "✗ 1 error; nothing was written"
    assert "kind: RoleBinding" in result.lines


def test_the_role_that_is_shown_is_all_that_it_takes(kploy: Kploy, write: Write, live: Live, user: str) -> None:
    create(live, "", "v1", "Namespace", live.namespace)
    write({**APP, "env/PASSWORD.secret": "hunter2"})
    refused = kploy("dryrun", "--as", user)
    text = refused.stderr[refused.stderr.index("apiVersion:") : refused.stderr.rindex("✗")]
    grant(live, text)
    result = kploy("run", "--as", user)
    assert result.code == 0
    assert result.lines[-1] == "✓ shop is up: 4 created"
    assert kploy("list", "--as", user).code == 0


def test_json_has_the_role_as_a_field(kploy: Kploy, write: Write, live: Live, user: str) -> None:
    create(live, "", "v1", "Namespace", live.namespace)
    write(FLAGS_ONLY)
    result = kploy("run", "-o", "json", "--as", user)
    said = [json.loads(line) for line in result.stdout.splitlines()]
    assert [event["kind"] for event in said] == ["Opened", "Checked", "Finished"]
    role = next(yaml.safe_load_all(said[1]["findings"][0]["snippet"]))
    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create", "delete", "get"]},
        {
            "apiGroups": [""],
            "resources": ["configmaps"],
            "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"],
        },
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "verbs": ["create", "get", "update"],
        },
    ]
    assert said[-1]["outcome"] == {"exitCode": 4, "name": "unreachable"}


def test_list_explains_what_is_missing_with_the_same_exit_code(
    kploy: Kploy, write: Write, live: Live, user: str
) -> None:
    create(live, "", "v1", "Namespace", live.namespace)
    write(APP)
    result = kploy("list", "-o", "json", "--as", user)
    assert (result.code, result.stdout) == (4, "")
    assert result.lines[0] == (
        f"error[missing-permission]: {user} may not, in namespace {live.namespace}:"
        " list configmaps, deployments.apps, endpointslices.discovery.k8s.io, services"
    )


def test_a_namespace_that_the_user_may_not_create_is_proposed(
    kploy: Kploy, write: Write, live: Live, user: str
) -> None:
    write(FLAGS_ONLY)
    # Who may not look at namespaces would take it for there.
    rbac = "rbac.authorization.k8s.io"
    rules = [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}]
    subjects = [{"apiGroup": rbac, "kind": "User", "name": user}]
    role = {"apiGroup": rbac, "kind": "ClusterRole", "name": user}
    try:
        create(live, "", f"{rbac}/v1", "ClusterRole", user, rules=rules)
        create(live, "", f"{rbac}/v1", "ClusterRoleBinding", user, roleRef=role, subjects=subjects)
        result = kploy("dryrun", "-o", "json", "--as", user)
        findings = json.loads(result.stdout.splitlines()[2])["findings"]
        assert findings[0]["message"] == f"namespace {live.namespace} does not exist, and {user} may not create it"
        assert [finding["rule"] for finding in findings] == ["missing-permission"] * 2
        for finding in findings:
            grant(live, finding["snippet"])
        assert kploy("run", "--as", user).code == 0
    finally:
        for plural in ("clusterrolebindings", "clusterroles"):
            live.admin.request("DELETE", f"/apis/{rbac}/v1/{plural}/{user}")


def test_what_is_proposed_is_enough_to_wait_for_the_lock(
    kploy: Kploy, write: Write, live: Live, user: str
) -> None:
    create(live, "", "v1", "Namespace", live.namespace)
    write(FLAGS_ONLY)
    result = kploy("dryrun", "-o", "json", "--as", user)
    for finding in json.loads(result.stdout.splitlines()[2])["findings"]:
        grant(live, finding["snippet"])
    assert kploy("run", "--as", user).code == 0
    hold(live, duration=2)
    write({"resources/flags.yaml": FLAGS.format("green")})
    result = kploy("run", "--as", user)
    assert result.code == 0
    assert "waiting for the lock, held by ada@laptop, process 4711, kploy run" in result.lines


def test_who_may_not_create_may_deploy_what_is_there(kploy: Kploy, write: Write, live: Live, user: str) -> None:
    write({"services/web.yaml": HEADLESS})
    assert kploy("run").code == 0
    allow(live, user, ["get", "list", "watch", "patch"])
    allow_state(live, user)
    write({"services/web.yaml": HEADLESS.replace("80", "81")})
    assert kploy("run", "--as", user).code == 0
    write({"services/new.yaml": HEADLESS.replace("web", "new")})
    result = kploy("run", "--as", user)
    assert result.code == 4
    assert f"{user} may not, in namespace {live.namespace}: create services" in result.stderr
    assert "service/new" not in live.objects(*KINDS)


def test_what_may_not_be_deleted_is_said_before_anything_is_written(
    kploy: Kploy, write: Write, live: Live, user: str
) -> None:
    root = write({"services/web.yaml": HEADLESS, **FLAGS_ONLY})
    assert kploy("run").code == 0
    allow(live, user, ["get", "list", "watch", "patch", "create"])
    allow_state(live, user)
    (root / "services/web.yaml").unlink()
    before = live.versions(*KINDS)
    for command in ("dryrun", "run"):
        result = kploy(command, "--as", user)
        assert result.code == 4
        assert f"{user} may not, in namespace {live.namespace}: delete services" in result.stderr
    result = kploy("destroy", "--yes", "--as", user)
    assert result.code == 4
    assert f"{user} may not, in namespace {live.namespace}: delete leases.coordination.k8s.io, services" in (
        result.stderr
    )
    assert live.versions(*KINDS) == before
    text = result.stderr[result.stderr.index("apiVersion:") : result.stderr.rindex("✗")]
    grant(live, text)
    assert kploy("destroy", "--yes", "--as", user).code == 0


def test_a_right_to_single_objects_suffices_for_them(kploy: Kploy, write: Write, live: Live, user: str) -> None:
    allow(live, user, ["get", "list", "watch"])
    allow_state(live, user)
    rbac = "rbac.authorization.k8s.io"
    named = {
        "apiGroups": [""],
        "resources": ["services"],
        "verbs": ["create", "patch"],
        "resourceNames": ["web"],
    }
    subjects = [{"apiGroup": rbac, "kind": "User", "name": user}]
    role = {"apiGroup": rbac, "kind": "Role", "name": "named"}
    create(live, live.namespace, f"{rbac}/v1", "Role", "named", rules=[named])
    create(live, live.namespace, f"{rbac}/v1", "RoleBinding", "named", roleRef=role, subjects=subjects)
    write({"services/web.yaml": HEADLESS})
    assert kploy("run", "--as", user).code == 0
    write({"services/new.yaml": HEADLESS.replace("web", "new")})
    assert kploy("run", "--as", user).code == 4


def test_a_run_that_could_not_be_locked_and_written_down_is_told_before(
    kploy: Kploy, write: Write, live: Live, user: str
) -> None:
    allow(live, user, ["get", "list", "watch", "patch", "create"])
    write({"services/web.yaml": HEADLESS})
    result = kploy("dryrun", "--as", user)
    assert result.code == 4
    assert [line for line in result.lines if line.startswith("error[")] == [
        (
            f"error[missing-permission]: {user} may not, in namespace {live.namespace}:"
            " delete and update configmaps; update leases.coordination.k8s.io; delete secrets"
        )
    ]


def recorded(cluster: Sandbox, user: str | None = None) -> RecordingCluster:
    return RecordingCluster(ApiServer(connect(Choice(kubeconfig=str(cluster.kubeconfig), user=user))))


@pytest.mark.parametrize("is_new", [False, True])
def test_who_may_do_everything_is_asked_once(cluster: Sandbox, write: Write, live: Live, is_new: bool) -> None:
    if not is_new:
        create(live, "", "v1", "Namespace", live.namespace)
    api = recorded(cluster)
    assert isinstance(list(dryrun(write(APP), lambda _: api))[-1], events.Finished)
    assert api.count("may") == {"*": 1}
    assert api.count("user") == {}


def test_an_owner_of_the_namespace_is_asked_once(cluster: Sandbox, write: Write, live: Live, user: str) -> None:
    allow(live, user, ["*"])
    api = recorded(cluster, user)
    list(dryrun(write(APP), lambda _: api))
    assert api.count("may") == {"*": 1}


class Silent(RecordingCluster):
    """A server that does not have the API to ask for rights."""

    def may(self, verb: str, group: str, plural: str, namespace: str, name: str = "") -> bool:
        raise NotFound(f"no reviews: {verb} {group} {plural} {namespace} {name}", is_object=False)


def test_without_reviews_it_is_said_once_and_the_dry_runs_tell(
    cluster: Sandbox, write: Write, live: Live, user: str
) -> None:
    allow(live, user, ["get", "list", "watch", "patch"])
    said = list(dryrun(write(FLAGS_ONLY), lambda _: Silent(recorded(cluster, user))))
    notes = [event.text for event in said if isinstance(event, events.Noted)]
    assert len(notes) == 1
    assert notes[0].startswith("what you may do could not be checked beforehand: no reviews")
    (checked,) = [event for event in said if isinstance(event, events.Checked)]
    assert [finding.rule for finding in checked.findings] == ["missing-permission"]
    assert "cannot create resource" in checked.findings[0].message
    assert said[-1] == events.Finished(Outcome.UNREACHABLE)
