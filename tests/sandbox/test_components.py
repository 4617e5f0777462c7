from __future__ import annotations

import ipaddress
from pathlib import Path

import yaml

from kploy.sandbox.addons import PROVISIONER
from kploy.sandbox.build import PACKAGES
from kploy.sandbox.components import NAMES, SERVICE_RANGE, command_of, stages
from kploy.sandbox.nodes import node
from kploy.sandbox.pod_logs import pod_logs


def test_every_program_has_a_command_line() -> None:
    assert list(PACKAGES) == list(NAMES)
    for component in PACKAGES:
        command = command_of(component, Path("/bin") / component, 4711, 4712)
        assert command[0] == f"/bin/{component}"
        assert all(flag.startswith("--") and "{" not in flag for flag in command[1:])


def test_only_the_api_server_and_the_kubelet_listen_and_only_on_loopback() -> None:
    assert {"--bind-address=127.0.0.1", "--secure-port=4711"} < set(
        command_of("kube-apiserver", Path("x"), 4711, 4712)
    )
    for component in ("kube-controller-manager", "kube-scheduler"):
        assert "--secure-port=0" in command_of(component, Path("x"), 4711, 4712)
    listening = [flag for flag in command_of("etcd", Path("x"), 4711, 4712) if flag.startswith("--listen")]
    assert all("=unix://" in flag for flag in listening)


def test_every_stage_has_a_name_of_its_own_and_only_those_of_broken_pods_a_weight() -> None:
    read = [one for one in yaml.safe_load_all(stages()) if one["kind"] == "Stage"]
    names = [stage["metadata"]["name"] for stage in read]
    assert sorted(set(names)) == sorted(names)
    weighty = {name for name, stage in zip(names, read, strict=True) if "weight" in stage["spec"]}
    assert weighty == {name for name in names if name.startswith("pod-plays")}


def test_the_logs_that_are_named_are_those_that_there_are() -> None:
    (logs,) = [one for one in yaml.safe_load_all(stages()) if one["kind"] == "ClusterLogs"]
    (files,) = logs["spec"]["logs"]
    assert set(files.values()) == set(pod_logs())


def test_the_stages_know_the_provisioner_and_the_service_range() -> None:
    assert stages().count(PROVISIONER) == 3
    assert f'replace "{SERVICE_RANGE.removesuffix("0.0/16")}"' in stages()


def test_a_node_says_what_a_real_one_says() -> None:
    made = node(1, "v1.37.2")
    assert made["metadata"] == {
        "name": "node-1",
        "labels": {
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/os": "linux",
            "kubernetes.io/hostname": "node-1",
            "node.kubernetes.io/instance-type": "simulated",
            "topology.kubernetes.io/region": "sandbox",
            "topology.kubernetes.io/zone": "sandbox-b",
        },
    }
    assert made["status"]["capacity"] == {
        "cpu": "32",
        "memory": "128Gi",
        "ephemeral-storage": "500Gi",
        "pods": "500",
    }


def test_a_thousand_nodes_have_a_thousand_addresses() -> None:
    addresses = {node(number, "v1")["status"]["addresses"][0]["address"] for number in range(1000)}
    assert len({ipaddress.ip_address(address) for address in addresses}) == 1000


def test_a_privileged_agent_is_not_refused_as_no_distribution_refuses_it() -> None:
    assert "--allow-privileged=true" in command_of("kube-apiserver", Path("x"), 4711, 4712)
