"""The scheduler's reasons in words: those of Kubernetes 1.37."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.core.live import fields
from kploy.core.scheduling import Refusal, refusal

AFTER = " preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
UNLIKE = "node(s) didn't match Pod's node affinity/selector"
TAINT = "node(s) had untolerated taint"
UNTOLERATED = "a taint that it does not tolerate ({}) on 1 of 2 nodes"
POD: dict[str, Any] = {
    "spec": {
        "nodeSelector": {"disk": "ssd"},
        "containers": [
            {"name": "a", "ports": [{"containerPort": 80}, {"hostPort": 80}]},
            {"name": "b", "resources": {"requests": {"cpu": "64"}, "limits": {"memory": "1Ti"}}},
        ],
        "volumes": [{"name": "x"}, {"name": "y", "persistentVolumeClaim": {"claimName": "data"}}],
    }
}


@pytest.mark.parametrize(
    ("said", "message", "path"),
    [
        (
            "0/3 nodes are available: 3 Insufficient cpu, 3 Insufficient memory." + AFTER,
            "too little cpu on all 3 nodes, too little memory on all 3 nodes",
            ("spec", "containers", 1, "resources", "requests", "cpu"),
        ),
        (
            "0/1 nodes are available: 1 Insufficient memory.",
            "too little memory on the only node",
            ("spec", "containers", 1, "resources", "limits", "memory"),
        ),
        (
            f"0/3 nodes are available: 1 node(s) were unschedulable, 2 {UNLIKE}.",
            "not the labels that it asks for on 2 of 3 nodes, a cordon on 1 of 3 nodes",
            ("spec", "nodeSelector"),
        ),
        (
            f"0/2 nodes are available: 1 {TAINT} {{dedicated: gpu}}, 1 {TAINT} {{node.acme.io/unreachable: }}.",
            UNTOLERATED.format("dedicated: gpu") + ", " + UNTOLERATED.format("node.acme.io/unreachable"),
            ("spec", "tolerations"),
        ),
        (
            "0/3 nodes are available: 3 node(s) had untolerated taint(s).",
            "a taint that it does not tolerate on all 3 nodes",
            ("spec", "tolerations"),
        ),
        (
            "0/3 nodes are available: 3 node(s) didn't have free ports for the requested pod ports.",
            "a host port that is taken on all 3 nodes",
            ("spec", "containers", 0, "ports", 1, "hostPort"),
        ),
        (
            '0/3 nodes are available: persistentvolumeclaim "data" not found. not found',
            "its claim data is not there",
            ("spec", "volumes", 1),
        ),
        (
            "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found",
            "its claim has no volume yet",
            ("spec", "volumes"),
        ),
        ("0/3 nodes are available: 3 node(s) are purple.", "node(s) are purple on all 3 nodes", ()),
        ("no nodes available to schedule pods", "no nodes available to schedule pods", ()),
    ],
)
def test_reasons_are_told_in_words_with_the_field_that_they_are_about(
    said: str, message: str, path: tuple[str | int, ...]
) -> None:
    assert refusal(fields("", POD), said) == Refusal(message, path)


@given(st.text(st.sampled_from("0123/ nodesareavailable:,.(){}\"' "), max_size=60))
def test_no_message_is_too_strange(said: str) -> None:
    assert isinstance(refusal(fields("", POD), f"0/3 nodes are available: {said}").message, str)
