"""The simulated nodes: what each is called, how large it is, and making them more or fewer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kploy.sandbox.api import Api

_PATH = "/api/v1/nodes"
_SIZE = {"cpu": "32", "memory": "128Gi", "ephemeral-storage": "500Gi", "pods": "500"}


def node(number: int, version: str) -> dict[str, Any]:
    """The Node object of the simulated node ``number``, from 0: its status is complete but for the conditions.

    Addresses are out of 198.19.0.0/16 (RFC 2544: reserved for benchmarks, routed nowhere).
    """
    name = f"node-{number}"
    labels = {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": name,
        "node.kubernetes.io/instance-type": "simulated",
        "topology.kubernetes.io/region": "sandbox",
        "topology.kubernetes.io/zone": f"sandbox-{'abc'[number % 3]}",
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "status": {
            "capacity": _SIZE,
            "allocatable": _SIZE,
            "addresses": [
                {"type": "InternalIP", "address": f"198.19.{number // 250}.{number % 250 + 1}"},
                {"type": "Hostname", "address": name},
                # Where the API server asks for logs; stages/node.yaml has the port.
                {"type": "InternalDNS", "address": "localhost"},
            ],
            "nodeInfo": _node_info(version, name),
        },
    }


def set_nodes(api: Api, wanted: int, version: str) -> None:
    """Make the nodes ``node-0`` to ``node-(wanted - 1)``, and remove those beyond."""
    there = {item["metadata"]["name"] for item in _items(api)}
    names = [f"node-{number}" for number in range(wanted)]
    for number, name in enumerate(names):
        if name not in there:
            api.create(_PATH, node(number, version))
    for name in sorted(there.difference(names)):
        api.request("DELETE", f"{_PATH}/{name}")


def ready_nodes(api: Api) -> int:
    """How many nodes are Ready and take pods."""
    return sum(_takes_pods(item) for item in _items(api))


def _items(api: Api) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = api.get(_PATH).get("items", [])
    return items


def _takes_pods(item: Mapping[str, Any]) -> bool:
    conditions = item.get("status", {}).get("conditions", [])
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return ready and not item["spec"].get("taints")


def _node_info(version: str, name: str) -> dict[str, str]:
    return {
        "architecture": "amd64",
        "operatingSystem": "linux",
        "osImage": "simulated",
        "kernelVersion": "simulated",
        "containerRuntimeVersion": "simulated://0",
        "kubeletVersion": version,
        "kubeProxyVersion": version,
        "machineID": name,
        "systemUUID": name,
        "bootID": name,
    }
