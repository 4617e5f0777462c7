"""What the server has against the pods of a workload, as findings at the lines of its manifest.

A workload is taken as it is; its pods are refused later, one by one, where
nobody looks: by quota, LimitRange, Pod Security, or because what they name
does not exist. So a pod of its template is put to the server beforehand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from kploy.core.bodies import dig, entries, mapping, pod_template, template_path, text
from kploy.core.fields import path_of
from kploy.core.quoting import quotable
from kploy.model.app import Manifest
from kploy.model.findings import Finding, Place, error, warning
from kploy.model.frozen import dataclass
from kploy.model.objects import Body, JsonPath, ObjectRef

if TYPE_CHECKING:
    from kploy.core.quota import Demand, Excess

OVER_QUOTA = "over-quota"
_NO_ACCOUNT = "missing-service-account"

_SUFFIX = "-kploy-rehearsal"
_LONGEST_NAME = 63
"""A pod's name is its host's name."""

_REFUSED = re.compile(r'\Apods "[^"]*" is forbidden: ')
"""What every refusal by admission begins with: the name in it is the rehearsal's."""


_STAND_IN = "default"
"""The account that every namespace has."""

_ACCOUNT = ("serviceAccountName", "serviceAccount")
"""Where a pod names its account; the second is the old name of the first, and the server keeps both."""


def account_of(workload: ObjectRef, pod: Body) -> ObjectRef:
    """The account that a pod of ``workload`` runs as."""
    name = text(pod, "spec", _ACCOUNT[0]) or text(pod, "spec", _ACCOUNT[1]) or _STAND_IN
    return ObjectRef("", "ServiceAccount", workload.namespace, name)


def with_stand_in(pod: Mapping[str, Any]) -> dict[str, Any]:
    """The same pod with the account that is always there: one that the run makes is not, and all else counts."""
    spec = {key: value for key, value in mapping(pod, "spec").items() if key not in _ACCOUNT}
    return {**pod, "spec": {**spec, _ACCOUNT[0]: _STAND_IN}}


def rehearsal_pod(manifest: Manifest, workload: Body) -> dict[str, Any]:
    """A pod as the controller of ``workload`` would make it, under a name of its own."""
    ref = manifest.ref
    template = pod_template(ref.kind, workload)
    given = mapping(template, "metadata")
    name = ref.name[: _LONGEST_NAME - len(_SUFFIX)].rstrip("-.") + _SUFFIX
    metadata = {key: given[key] for key in ("labels", "annotations") if given.get(key)}
    spec = dict(mapping(template, "spec"))
    claims = [_claimed(claim) for claim in entries(workload, "spec", "volumeClaimTemplates")]
    if claims:
        # A StatefulSet's own claims take the place of volumes of the same name.
        own = {claim["name"] for claim in claims}
        spec["volumes"] = [*(v for v in entries(spec, "volumes") if v.get("name") not in own), *claims]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**metadata, "name": name, "namespace": ref.namespace},
        "spec": spec,
    }


def _claimed(claim: Mapping[str, Any]) -> dict[str, Any]:
    name = text(claim, "metadata", "name")
    return {"name": name, "persistentVolumeClaim": {"claimName": f"{name}-kploy-rehearsal"}}


@dataclass(frozen=True, slots=True)
class _Refusal:
    """One way of the server to refuse a pod.

    ``by`` are the kinds of objects on which it hangs: if the run changes one
    of them, it may not hang any more. ``place`` is where the manifest says what is refused.
    """

    rule: str
    says: re.Pattern[str]
    hint: str
    by: frozenset[str]
    place: Callable[[Body, re.Match[str]], JsonPath]
    is_named: bool = False


def _at_resources(template: Body, said: re.Match[str]) -> JsonPath:
    return _resources(template, said.groupdict().get("container"))


def _resources(template: Body, named: str | None = None) -> JsonPath:
    """The resources of the container of that name, or else of the first one that has any."""
    containers = list(entries(template, "spec", "containers"))
    fitting = [i for i, one in enumerate(containers) if text(one, "name") == named]
    fitting += [i for i, one in enumerate(containers) if one.get("resources")]
    return ("spec", "containers", fitting[0] if fitting else 0, "resources")


def _at_security_context(template: Body, said: re.Match[str]) -> JsonPath:
    """The security context of the first container that is named, or of the pod."""
    named = re.search(r'containers? "([^"]+)"', said.string)
    for field in ("containers", "initContainers"):
        for index, container in enumerate(entries(template, "spec", field)):
            if named and text(container, "name") == named[1]:
                return ("spec", field, index, "securityContext")
    return ("spec",)


def _at(*fields: str) -> Callable[[Body, re.Match[str]], JsonPath]:
    """The first of these fields of the pod that the manifest has."""

    def place(template: Body, _: re.Match[str]) -> JsonPath:
        there = [field for field in fields if dig(template, "spec", field) is not None]
        return ("spec", *there[:1])

    return place


_REFUSALS = (
    _Refusal(
        OVER_QUOTA,
        re.compile(r"exceeded quota: "),
        "ask for less, or have the quota raised",
        frozenset({"ResourceQuota", "LimitRange"}),
        _at_resources,
    ),
    _Refusal(
        "undeclared-resources",
        re.compile(r"failed quota: .*must specify [^;]* for: (?P<container>[^,;\s]+)"),
        "the quota counts it: say how much",
        frozenset({"ResourceQuota", "LimitRange"}),
        _at_resources,
    ),
    _Refusal(
        "pod-security",
        re.compile(r"violates PodSecurity "),
        "set what it names, or have the namespace's level lowered",
        frozenset({"Namespace"}),
        _at_security_context,
    ),
    _Refusal(
        "limit-range",
        re.compile(r"(maximum|minimum) .* (usage|request|limit) per |limit to request ratio per "),
        "keep to it, or have the LimitRange changed",
        frozenset({"LimitRange"}),
        _at_resources,
    ),
    _Refusal(
        _NO_ACCOUNT,
        re.compile(r'serviceaccount "[^"]*" not found|error looking up service account'),
        "create it, or name another one",
        frozenset({"ServiceAccount"}),
        _at(*_ACCOUNT),
        is_named=True,
    ),
    _Refusal(
        "pod-refused",
        re.compile(r"no PriorityClass with name "),
        "create it, or name another one",
        frozenset({"PriorityClass"}),
        _at("priorityClassName"),
        is_named=True,
    ),
    _Refusal(
        "pod-refused",
        re.compile(r'RuntimeClass "[^"]*" not found'),
        "create it, or name another one",
        frozenset({"RuntimeClass"}),
        _at("runtimeClassName"),
        is_named=True,
    ),
)

_ANY = _Refusal(
    "pod-refused",
    re.compile(""),
    "change the pods, or have the policy changed",
    frozenset({"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}),
    _at(),
)
"""What none of the above is: a webhook, a policy, another plugin."""


def _understood(message: str) -> tuple[_Refusal, re.Match[str]]:
    for refusal in (*_REFUSALS, _ANY):
        match = refusal.says.search(message)
        if match is not None:
            return refusal, match
    raise AssertionError("the last one fits everything")


def refused(manifest: Manifest, message: str) -> Finding:
    """The finding for a workload whose pods no admission would let in. ``message`` is the server's."""
    said = quotable(manifest.body, _REFUSED.sub("", message))
    refusal, match = _understood(said)
    path = refusal.place(pod_template(manifest.ref.kind, manifest.body), match)
    return error(refusal.rule, f"no pod of {manifest.ref} can start: {said}", refusal.hint, _place(manifest, path))


def invalid(manifest: Manifest, message: str, causes: Iterable[tuple[str, str]]) -> tuple[Finding, ...]:
    """The findings for a workload whose pods are not valid; see core.refusals.invalid."""
    template = pod_template(manifest.ref.kind, manifest.body)
    findings = tuple(
        error(
            "pod-refused",
            f"no pod of {manifest.ref} can start: `{field.lstrip('.')}`: {quotable(manifest.body, said)}",
            "",
            _place(manifest, path_of(field, template)),
        )
        for field, said in causes
    )
    message = f"no pod of {manifest.ref} can start: {quotable(manifest.body, message)}"
    return findings or (error("pod-refused", message, "", _place(manifest)),)


def is_forbidden(message: str) -> bool:
    """Whether it is admission that refuses a pod, and not its validation; a policy may answer as that does."""
    return _REFUSED.match(message) is not None


def may_be_for_account(message: str) -> bool:
    """Whether the account of a pod may be why admission refuses it: nobody knows what a policy goes by."""
    refusal, _ = _understood(_REFUSED.sub("", message))
    return refusal is _ANY or refusal.rule == _NO_ACCOUNT


def lacks_default_account(message: str) -> bool:
    """Whether pods are refused for want of the account of a namespace that its controller has not made yet."""
    return "error looking up service account" in message and f'serviceaccount "{_STAND_IN}" not found' in message


def is_over_quota(message: str) -> bool:
    """Whether it is only for a quota that a pod is refused."""
    return _understood(message)[0].rule == OVER_QUOTA


def may_pass(message: str, changed: Iterable[ObjectRef]) -> ObjectRef | None:
    """The first of these objects on which it hangs that a pod is refused; None if it hangs on none of them."""
    refusal, _ = _understood(_REFUSED.sub("", message))
    for ref in changed:
        is_named = re.search(rf"(?<![\w.-]){re.escape(ref.name)}(?![\w-])", message)
        if ref.kind in refusal.by and (is_named or not refusal.is_named):
            return ref
    return None


_LEVEL = "pod-security.kubernetes.io/enforce"


def judges_pods(manifest: Manifest, live: Body | None) -> bool:
    """Whether a manifest that changes says which pods its namespace takes: quota, limits, Pod Security level."""
    if (manifest.ref.group, manifest.ref.kind) == ("", "Namespace"):
        level = mapping(manifest.body, "metadata", "labels").get(_LEVEL)
        return level is not None and level != mapping(live, "metadata", "labels").get(_LEVEL)
    return manifest.ref.kind in {"ResourceQuota", "LimitRange"} and not manifest.ref.group


def too_many(excess: Excess, manifest: Manifest, others: int, demand: Demand) -> Finding:
    """The finding for pods that do not all fit into a quota; ``manifest`` is the workload that wants most."""
    besides = f" and {others} more workload{'s' if others > 1 else ''}" if others else ""
    whose = f"{manifest.ref}{besides}"
    number = f"the {demand.pods} pods of" if demand.pods > 1 and not others else "the pods of"
    path = _resources(pod_template(manifest.ref.kind, manifest.body))
    message = f"{number} {whose} want {excess}"
    return warning(
        OVER_QUOTA, message, "some will not start: ask for less, or have it raised", _place(manifest, path)
    )


def _place(manifest: Manifest, path: JsonPath = ()) -> Place:
    return manifest.positions.value((*(template_path(manifest.ref.kind) or ()), *path))
