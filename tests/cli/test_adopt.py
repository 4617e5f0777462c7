"""``kploy run --adopt`` takes over what other tools have made, and only then."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from kploy.cluster.transport import Request
from kploy.core.adoption import LAST_APPLIED
from kploy.model.app import LABEL, app_id
from kploy.model.objects import Body
from tests.cli.between import Between
from tests.cli.conftest import Kploy, Live, Write
from tests.cli.test_owners import scale
from tests.cli.test_run import FLAGS, WEB
from tests.cluster.servers import Seen

pytestmark = pytest.mark.cluster

CONFIG = ("v1", "ConfigMap")
DEPLOYMENT = ("apps/v1", "Deployment")
OLD = FLAGS.format("red") + "  gone: away\n"
SMALL = WEB.replace("  replicas: 2\n", "")
HELM = {"meta.helm.sh/release-name": "old", "meta.helm.sh/release-namespace": "x"}


def home(live: Live) -> None:
    """Make the namespace, as if somebody lived in it already."""
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": live.namespace}}
    assert live.admin.request("POST", "/api/v1/namespaces", body).code == 201


def made(live: Live, manager: str, text: str, **metadata: dict[str, str]) -> None:
    """Make an object as a tool does that only updates: everything in it is then that manager's."""
    body = yaml.safe_load(text)
    body["metadata"] = {**body["metadata"], "namespace": live.namespace, **metadata}
    if manager == "kubectl-client-side-apply":
        body["metadata"]["annotations"] = {LAST_APPLIED: json.dumps(body)}
    resource = live.api.resource(body["apiVersion"], body["kind"])
    assert resource is not None
    group = f"apis/{resource.group}" if resource.group else "api"
    path = f"/{group}/{resource.version}/namespaces/{live.namespace}/{resource.plural}"
    live.api._transport.send(Request("POST", path, (("fieldManager", manager),), body))  # noqa: SLF001 - as kubectl


def the(live: Live, kind: tuple[str, str], name: str) -> Body:
    return live.objects(kind)[f"{kind[1].lower()}/{name}"]


def managers(body: Body) -> list[tuple[str, str, str]]:
    """Manager, operation and subresource of all entries that are not of the control plane's."""
    found = body["metadata"]["managedFields"]
    entries = [(one["manager"], one["operation"], one.get("subresource", "")) for one in found]
    return sorted(entry for entry in entries if entry[0] != "kube-controller-manager")


@pytest.mark.parametrize(
    ("manager", "metadata", "whose"),
    [
        ("kubectl-client-side-apply", {}, "it was made by kubectl"),
        ("kubectl-create", {}, "it was made by kubectl"),
        ("helm", {"annotations": HELM}, "it is of the Helm release old"),
        ("kapp", {"labels": {"kapp.k14s.io/app": "173"}}, "it is of the kapp app 173"),
    ],
)
def test_what_a_tool_has_made_is_refused_and_with_adopt_taken_over_for_good(
    kploy: Kploy, write: Write, live: Live, manager: str, metadata: dict[str, Any], whose: str
) -> None:
    home(live)
    made(live, manager, OLD, **metadata)
    before = the(live, CONFIG, "flags")
    write({"resources/flags.yaml": FLAGS.format("blue")})
    for command in ("dryrun", "run"):
        refused = kploy(command)
        assert refused.code == 6
        fact = f"configmap/flags exists already and does not belong to this app ({whose})"
        assert f"error[foreign-object]: {fact}" in refused.stderr
        assert "take it over: kploy run --adopt; or rename yours" in refused.stderr
    assert kploy("dryrun", "--adopt").code == 0
    assert the(live, CONFIG, "flags") == before

    assert kploy("run", "--adopt").code == 0
    after = the(live, CONFIG, "flags")
    ours = app_id("shop", live.namespace)
    assert after["data"] == {"colour": "blue"}
    assert after["metadata"]["labels"] == {LABEL: ours}
    assert "annotations" not in after["metadata"]
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert managers(after) == [(f"kploy-{ours}", "Apply", "")]

    again = kploy("run", "--adopt")
    assert again.code == 0
    assert the(live, CONFIG, "flags")["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"]
    write({"resources/flags.yaml": "# nothing\n", "resources/new.yaml": FLAGS.format("x").replace("flags", "new")})
    assert kploy("run").code == 0
    assert "configmap/flags" not in live.objects(CONFIG)


def test_a_dry_run_tells_the_fields_that_would_go_and_whose_they_were(
    kploy: Kploy, write: Write, live: Live
) -> None:
    home(live)
    made(live, "kubectl-client-side-apply", WEB.replace("replicas: 2", "minReadySeconds: 7\n  replicas: 2"))
    write({"rcs/web.yaml": WEB})
    result = kploy("dryrun", "--adopt", "-o", "json")
    events = [json.loads(line) for line in result.stdout.splitlines()]
    (change,) = next(event for event in events if event["kind"] == "Planned")["plan"]["changes"]
    fields = {field["name"]: (field["edit"], field["before"]) for field in change["fields"]}
    removed = {name: before for name, (edit, before) in fields.items() if edit == "removed"}
    assert change["action"] == "configured"
    assert change["reason"] == "taken over: it was made by kubectl"
    assert removed["spec.minReadySeconds"] == 7
    assert set(fields) <= {"spec.minReadySeconds", "metadata.labels", "metadata.annotations"} | {
        name for name in fields if name.startswith(("metadata.labels", "metadata.annotations"))
    }
    assert "kubectl-client-side-apply" in {row["manager"] for row in change["ownership"]}
    assert kploy("run", "--adopt").code == 0
    assert "minReadySeconds" not in the(live, DEPLOYMENT, "web")["spec"]


def test_what_changes_while_it_is_compared_is_looked_at_once_more(
    kploy: Kploy, write: Write, live: Live, between: tuple[Between, str]
) -> None:
    home(live)
    made(live, "kubectl-create", OLD)
    write({"resources/flags.yaml": FLAGS.format("red")})
    middle, config = between
    notes = iter(("one", "two"))

    def changes(seen: Seen) -> bool:
        if seen.headers.get("content-type") == "application/json-patch+json" and (note := next(notes, "")):
            path = f"/api/v1/namespaces/{live.namespace}/configmaps/flags"
            patch = {"metadata": {"annotations": {"note": note}}}
            query = (("fieldManager", "kubectl-annotate"),)
            live.api._transport.send(Request("PATCH", path, query, patch, "application/merge-patch+json"))  # noqa: SLF001
        return False

    middle.holds = changes
    result = kploy("dryrun", "--adopt", "-o", "json", KUBECONFIG=config)
    (plan,) = [
        event["plan"] for event in map(json.loads, result.stdout.splitlines()) if event["kind"] == "Planned"
    ]
    assert [change["reason"] for change in plan["changes"]] == [
        "taken over: it was made by kubectl, kubectl-annotate"
    ]
    assert next(notes, None) is None


def test_what_controllers_and_people_own_stays(kploy: Kploy, write: Write, live: Live) -> None:
    home(live)
    made(live, "kubectl-client-side-apply", WEB)
    scale(live, 3, "kube-controller-manager")
    path = f"/apis/apps/v1/namespaces/{live.namespace}/deployments/web"
    patch = {"metadata": {"annotations": {"note": "by hand"}}}
    query = (("fieldManager", "kubectl-annotate"),)
    live.api._transport.send(Request("PATCH", path, query, patch, "application/merge-patch+json"))  # noqa: SLF001
    write({"rcs/web.yaml": SMALL})
    assert kploy("run", "--adopt").code == 0
    after = the(live, DEPLOYMENT, "web")
    assert after["spec"]["replicas"] == 3
    assert after["metadata"]["annotations"]["note"] == "by hand"
    assert ("kubectl-annotate", "Update", "") in managers(after)


def test_another_apps_object_is_refused_even_so(kploy: Kploy, write: Write, live: Live) -> None:
    write({"resources/flags.yaml": FLAGS.format("red")}, name="other")
    assert kploy("run").code == 0
    before = live.versions(CONFIG)["configmap/flags"]
    write({"resources/flags.yaml": FLAGS.format("blue")})
    for arguments in (["dryrun", "--adopt"], ["run", "--adopt"], ["run"]):
        result = kploy(*arguments)
        assert result.code == 6
        assert f"(it is of the kploy app {app_id('other', live.namespace)})" in result.stderr
        assert "destroy that app, or take the label kploy.dev/app off the object" in result.stderr
    assert live.versions(CONFIG)["configmap/flags"] == before


def test_what_a_killed_takeover_has_left_is_refused_and_can_be_taken_over(
    kploy: Kploy, write: Write, live: Live
) -> None:
    home(live)
    made(live, "helm", OLD)
    found = the(live, CONFIG, "flags")
    from kploy.core.adoption import migration

    resource = live.api.resource(*CONFIG)
    assert resource is not None
    ours = f"kploy-{app_id('shop', live.namespace)}"
    live.api.patch(resource, live.namespace, "flags", migration(found, ours), ours)
    write({"resources/flags.yaml": FLAGS.format("blue")})
    result = kploy("run")
    assert result.code == 6
    assert "(it was this app's, and does not carry its label)" in result.stderr
    assert the(live, CONFIG, "flags")["data"] == {"colour": "red", "gone": "away"}
    assert kploy("run", "--adopt").code == 0
    assert the(live, CONFIG, "flags")["data"] == {"colour": "blue"}
