from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.core.admission import invalid, judges_pods, may_pass, refused, rehearsal_pod, too_many
from kploy.core.quota import Demand, Excess
from kploy.model.findings import Place, error, warning
from kploy.model.objects import ObjectRef
from tests.makers import deployment, manifest_of, thing

WEB = deployment(
    "web",
    containers=[{"name": "side"}, {"name": "web", "resources": {"limits": {}}, "securityContext": {}}],
    serviceAccountName="robot",
)
SPEC = "value spec.template.spec"


def says(reason: str) -> str:
    return f'pods "web-kploy-rehearsal" is forbidden: {reason}'


@pytest.mark.parametrize(
    ("reason", "rule", "place"),
    [
        (
            "exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1",
            "over-quota",
            "containers.1.resources",
        ),
        ("failed quota: q: must specify requests.cpu for: side", "undeclared-resources", "containers.0.resources"),
        (
            'violates PodSecurity "restricted:latest": x != false (container "web" must set y)',
            "pod-security",
            "containers.1.securityContext",
        ),
        ('violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)', "pod-security", ""),
        ("maximum memory usage per Container is 1Gi, but limit is 4Gi", "limit-range", "containers.1.resources"),
        (
            'error looking up service account shop/robot: serviceaccount "robot" not found',
            "missing-service-account",
            "serviceAccountName",
        ),
        ("no PriorityClass with name high was found", "pod-refused", ""),
        ('pod rejected: RuntimeClass "gvisor" not found', "pod-refused", ""),
        ("anything else", "pod-refused", ""),
    ],
)
def test_a_refusal_is_a_finding_where_the_manifest_says_what_is_refused(
    reason: str, rule: str, place: str
) -> None:
    finding = refused(WEB, says(reason))
    assert (finding.rule, finding.message) == (rule, f"no pod of deployment/web can start: {reason}")
    assert finding.place == Place(f"{SPEC}.{place}" if place else SPEC, 1, 1)


def test_an_invalid_pod_is_a_finding_at_its_field() -> None:
    assert invalid(WEB, "no", [("spec.containers[1].name", "taken")]) == (
        error(
            "pod-refused",
            "no pod of deployment/web can start: `spec.containers[1].name`: taken",
            "",
            Place(f"{SPEC}.containers.1.name", 1, 1),
        ),
    )
    assert invalid(WEB, "no", []) == (
        error("pod-refused", "no pod of deployment/web can start: no", "", Place("value spec.template", 1, 1)),
    )


@pytest.mark.parametrize(
    ("reason", "changed", "passes"),
    [
        (
            'error looking up service account shop/robot: serviceaccount "robot" not found',
            "ServiceAccount/robot",
            True,
        ),
        (
            'error looking up service account shop/robot: serviceaccount "robot" not found',
            "ServiceAccount/rob",
            False,
        ),
        ("no PriorityClass with name high was found", "PriorityClass/high", True),
        ("no PriorityClass with name high-2 was found", "PriorityClass/high", False),
        ("exceeded quota: q, requested: pods=1", "ResourceQuota/other", True),
        ("exceeded quota: q, requested: pods=1", "ServiceAccount/q", False),
        ('violates PodSecurity "restricted:latest": x', "Namespace/shop", True),
    ],
)
def test_a_refusal_may_pass_when_the_run_changes_what_it_hangs_on(reason: str, changed: str, passes: bool) -> None:
    kind, name = changed.split("/")
    ref = ObjectRef("", kind, "shop", name)
    assert may_pass(says(reason), [ref]) == (ref if passes else None)


def test_pods_that_do_not_all_fit_are_a_warning_at_what_they_ask_for() -> None:
    excess = Excess("compute", "requests.cpu", Fraction(8), Fraction(3), 0)
    place = Place(f"{SPEC}.containers.1.resources", 1, 1)
    hint = "some will not start: ask for less, or have it raised"
    words = "of requests.cpu; quota `compute` has 3 left"
    assert too_many(excess, WEB, 0, Demand(4, {}, {})) == warning(
        "over-quota", f"the 4 pods of deployment/web want 8 {words}", hint, place
    )
    assert too_many(excess, WEB, 2, Demand(4, {}, {})).message == (
        f"the pods of deployment/web and 2 more workloads want 8 {words}"
    )


@given(st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,250}[a-z0-9])?", fullmatch=True))
def test_a_rehearsed_pod_has_a_valid_name(name: str) -> None:
    pod = rehearsal_pod(deployment(name), deployment(name).body)
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?", pod["metadata"]["name"])
    assert pod["metadata"]["name"].endswith("-kploy-rehearsal")


def test_a_rehearsed_pod_is_what_the_controller_would_make_of_the_template() -> None:
    assert rehearsal_pod(WEB, WEB.body) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"labels": {"app": "web"}, "name": "web-kploy-rehearsal", "namespace": "shop"},
        "spec": WEB.body["spec"]["template"]["spec"],
    }


def test_the_claims_of_a_stateful_set_take_the_place_of_volumes() -> None:
    spec = {
        "template": {"spec": {"volumes": [{"name": "data", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}]}},
        "volumeClaimTemplates": [{"metadata": {"name": "data"}}],
    }
    manifest = thing("db", "StatefulSet", "apps/v1", spec=spec)
    assert rehearsal_pod(manifest, manifest.body)["spec"]["volumes"] == [
        {"name": "tmp", "emptyDir": {}},
        {"name": "data", "persistentVolumeClaim": {"claimName": "data-kploy-rehearsal"}},
    ]


@pytest.mark.parametrize(
    "template", [None, [], "x", {"spec": None}, {"metadata": [], "spec": {"containers": [1]}}]
)
def test_a_malformed_template_makes_no_trouble(template: Any) -> None:
    manifest = thing("web", "Deployment", "apps/v1", spec={"template": template})
    rehearsal_pod(manifest, manifest.body)
    for reason in ("exceeded quota: q", 'violates PodSecurity "a": container "b"', "no PriorityClass with name a"):
        assert refused(manifest, says(reason)).place is not None


def test_a_namespace_judges_pods_when_its_level_changes() -> None:
    def namespace(**labels: str) -> Any:
        named = {f"pod-security.kubernetes.io/{key}": value for key, value in labels.items()}
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": named}}
        return manifest_of(body, namespace="")

    strict, lax, none = (
        namespace(enforce="restricted"),
        namespace(enforce="baseline"),
        namespace(warn="restricted"),
    )
    assert judges_pods(strict, None)
    assert judges_pods(strict, lax.body)
    assert not judges_pods(strict, strict.body)
    assert not judges_pods(none, None)
    assert judges_pods(thing("q", "ResourceQuota"), None)
    assert not judges_pods(thing("q"), None)
