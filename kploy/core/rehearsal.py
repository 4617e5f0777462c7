"""A dry run for objects whose namespace does not exist yet.

The API server refuses even a dry run into a missing namespace (404). So the
object is rehearsed in a namespace that every cluster has, under a name that
nothing there has, and whatever the server says of it is put back into its own
words. Policies of that other namespace (quota, Pod Security) say nothing about
this one: a refusal on their account is not a finding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from kploy.core.bodies import entries, mapping, text
from kploy.model.objects import Body

STAGE = "default"
"""The namespace that every cluster has, and that cannot be deleted."""


def on_stage(body: Body) -> dict[str, Any]:
    """``body`` as it is rehearsed: in the namespace STAGE, under a name that is free there."""
    metadata = mapping(body, "metadata")
    identity = f"{text(metadata, 'namespace')}/{text(metadata, 'name')}"
    name = "kploy-rehearsal-" + hashlib.sha256(identity.encode()).hexdigest()[:16]
    return {**body, "metadata": {**metadata, "namespace": STAGE, "name": name}}


def beside(body: Body) -> dict[str, Any]:
    """``body`` as it is rehearsed while another object has its name: under a free one in its own namespace.

    Addresses and ports of which there is but one are left out: the other object has them.
    """
    on = on_stage(body)
    on["metadata"] = {**on["metadata"], "namespace": text(body, "metadata", "namespace")}
    if not on["metadata"]["namespace"]:
        del on["metadata"]["namespace"]
    if text(body, "kind") != "Service":
        return on
    spec = mapping(body, "spec")
    kept = {key: value for key, value in spec.items() if key not in _TAKEN or value in ("None", ["None"])}
    if "ports" in kept:
        kept["ports"] = [{key: port[key] for key in port if key != "nodePort"} for port in entries(spec, "ports")]
    return {**on, "spec": kept}


_TAKEN = frozenset({"clusterIP", "clusterIPs", "loadBalancerIP", "healthCheckNodePort"})

_OF_THE_JOB = (
    "controller-uid",
    "job-name",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
)
"""Labels that a Job's controller gives to its pods, other ones to those of every Job."""


def successor(answer: Body, body: Body, live: Body) -> dict[str, Any]:
    """What the server made of ``beside(body)``, as the object that comes in the place of ``live``."""
    told = mapping(answer, "metadata")
    metadata = {
        key: value for key, value in mapping(live, "metadata").items() if key not in {"labels", "annotations"}
    }
    metadata |= {key: told[key] for key in ("labels", "annotations", "managedFields") if key in told}
    result = {**answer, "metadata": metadata}
    if text(body, "kind") == "Service":
        given = {key: value for key, value in mapping(live, "spec").items() if key in _TAKEN}
        wanted = {key: value for key, value in mapping(body, "spec").items() if key in _TAKEN}
        if "clusterIP" in wanted:
            given["clusterIPs"] = [wanted["clusterIP"]]
        result["spec"] = {**mapping(answer, "spec"), **given, **wanted}
    if text(body, "kind") == "Job":
        result["spec"] = _as_of(mapping(answer, "spec"), mapping(live, "spec"))
    return result


def _as_of(spec: Mapping[str, Any], live: Mapping[str, Any]) -> dict[str, Any]:
    """The spec of a Job with what its controller made of the other one's identity."""
    template, metadata = mapping(spec, "template"), mapping(spec, "template", "metadata")
    labels = {key: value for key, value in mapping(metadata, "labels").items() if key not in _OF_THE_JOB}
    theirs = mapping(live, "template", "metadata", "labels")
    labels |= {key: theirs[key] for key in _OF_THE_JOB if key in theirs}
    return {
        **spec,
        "template": {**template, "metadata": {**metadata, "labels": labels}},
        **({"selector": live["selector"]} if "selector" in live else {}),
    }


def in_own_words(message: str, body: Body) -> str:
    """What the server said about ``on_stage(body)``, as if it had been about ``body``."""
    return message.replace(text(on_stage(body), "metadata", "name"), text(body, "metadata", "name"))
