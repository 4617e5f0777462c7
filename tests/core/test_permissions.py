from __future__ import annotations

import pytest
import yaml

from kploy.core.kinds import builtin
from kploy.core.permissions import (
    Right,
    is_about_permission,
    namespace_wanted,
    not_permitted,
    to_apply,
    to_look,
)
from kploy.core.rules import MISSING_PERMISSION
from kploy.model.findings import Severity
from kploy.model.objects import Resource
from tests.makers import app_of

APP = app_of()
SECRETS = Resource("", "v1", "Secret", "secrets", namespaced=True)


def rights(*rows: str, namespace: str = "shop") -> list[Right]:
    """The needs of rows like ``create deployments.apps``."""
    return [
        Right(verb, resource.partition(".")[2], resource.partition(".")[0], namespace)
        for verb, resource in (row.split() for row in rows)
    ]


def test_a_kind_is_listed_watched_patched_and_created() -> None:
    look, apply = to_look(SECRETS, "shop"), to_apply(SECRETS, "shop", ["b", "a"])
    assert [(right.verb, right.names) for right in (*look, *apply)] == [
        ("list", ()),
        ("watch", ()),
        ("create", ("a", "b")),
        ("patch", ("a", "b")),
    ]


def test_what_is_cluster_wide_is_needed_in_no_namespace() -> None:
    namespace = builtin("v1", "Namespace")
    assert namespace is not None
    assert {right.namespace for right in (*to_look(namespace, "shop"), *to_apply(namespace, "shop", ["a"]))} == {
        ""
    }


def test_what_is_missing_is_one_line_by_verbs() -> None:
    missing = rights(
        "list secrets", "create deployments.apps", "patch deployments.apps", "patch services", "create services"
    )
    (finding,) = not_permitted(APP, missing, "jane")
    assert (finding.rule, finding.severity, finding.place) == (MISSING_PERMISSION, Severity.ERROR, None)
    assert finding.message == (
        "jane may not, in namespace shop: create and patch deployments.apps, services; list secrets"
    )


def test_the_role_grants_just_what_is_missing_to_the_user() -> None:
    (finding,) = not_permitted(APP, rights("list secrets", "list pods", "patch deployments.apps"), "jane")
    role, binding, rest = yaml.safe_load_all(finding.snippet)
    assert (role["kind"], binding["kind"], rest) == ("Role", "RoleBinding", None)
    assert role["metadata"] == binding["metadata"]
    assert role["metadata"]["namespace"] == "shop"
    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["pods", "secrets"], "verbs": ["list"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["patch"]},
    ]
    assert binding["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "Role",
        "name": role["metadata"]["name"],
    }
    assert binding["subjects"] == [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "jane"}]


def test_what_is_missing_in_the_whole_cluster_is_a_finding_of_its_own_with_a_cluster_role() -> None:
    found = not_permitted(APP, [*rights("list secrets"), *rights("list nodes", namespace="")], "")
    assert [finding.message for finding in found] == [
        "you may not, in the whole cluster: list nodes",
        "you may not, in namespace shop: list secrets",
    ]
    role, binding, _ = yaml.safe_load_all(found[0].snippet)
    assert (role["kind"], binding["kind"], binding["roleRef"]["kind"]) == (
        "ClusterRole",
        "ClusterRoleBinding",
        "ClusterRole",
    )
    assert "namespace" not in role["metadata"]
    assert binding["subjects"][0]["name"] == "YOUR-USER-NAME"


@pytest.mark.parametrize(
    ("user", "subject"),
    [
        ("system:serviceaccount:ci:deployer", {"kind": "ServiceAccount", "namespace": "ci", "name": "deployer"}),
        ('ja"ne: {}\n', {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": 'ja"ne: {}\n'}),
    ],
)
def test_the_subject_is_whom_the_server_takes_the_user_for(user: str, subject: dict[str, str]) -> None:
    (finding,) = not_permitted(APP, rights("list secrets"), user)
    assert list(yaml.safe_load_all(finding.snippet))[1]["subjects"] == [subject]


def test_two_roles_that_grant_other_things_have_other_names_so_that_none_takes_the_place_of_another() -> None:
    names = [
        next(yaml.safe_load_all(not_permitted(APP, rights(row), user)[0].snippet))["metadata"]["name"]
        for row, user in (("list secrets", "a"), ("list pods", "a"), ("list secrets", "b"), ("list secrets", "a"))
    ]
    assert len(set(names)) == 3
    assert names[0] == names[3]


def test_who_may_not_create_the_namespace_can_have_it_created() -> None:
    finding = namespace_wanted(APP, "jane")
    assert finding.message == "namespace shop does not exist, and jane may not create it"
    namespace, _ = yaml.safe_load_all(finding.snippet)
    assert namespace == {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}


@pytest.mark.parametrize(
    ("message", "is_permission"),
    [
        ('pods "x" is forbidden: User "jane" cannot patch resource "pods" in API group "" in the namespace', True),
        ('secrets is forbidden: User "a \\"b\\"" cannot list resource "secrets" in API group "": no RBAC', True),
        ('namespaces is forbidden: User "jane" cannot list resource "namespaces" at the cluster scope', True),
        ('forbidden: User "jane" cannot get path "/version"', False),
        ('pods "x" is forbidden: exceeded quota: compute, requested: cpu=1', False),
        ('pods "x" is forbidden: policy says: User "jane" cannot patch resource "pods"', False),
        ('roles "x" is forbidden: user "jane" is attempting to grant RBAC permissions not currently held', False),
        ('pods "x is forbidden: User "a" cannot list resource "pods"', False),
    ],
)  # fmt: skip
def test_a_missing_right_is_told_from_a_policy_by_the_servers_words(message: str, is_permission: bool) -> None:
    assert is_about_permission(message) is is_permission
