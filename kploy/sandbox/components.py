"""The command line of each component, and the stages that KWOK plays.

Every component runs in the sandbox's directory, so paths are relative to it;
that also keeps the sockets' names short, which may have 107 bytes at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

SERVICE_RANGE = "10.96.0.0/16"
"""Cluster IPs. stages/service.yaml makes a load balancer's address out of one."""

_KEY = "pki/service-account.key"


def command_of(component: str, binary: Path, port: int, kubelet_port: int) -> list[str]:
    """How ``component`` is started; the ports are where the API server and the nodes' kubelet listen."""
    flags = _COMPONENTS[component]
    values = {"port": port, "kubelet_port": kubelet_port, "key": _KEY, "services": SERVICE_RANGE}
    return [str(binary), *(flag.format(**values) for flag in flags)]


def stages() -> str:
    """Every stage in the package, as one file for KWOK: another file in the folder is another set of stages."""
    from importlib import resources

    folder = resources.files("kploy.sandbox").joinpath("stages")
    files = sorted(
        (entry for entry in folder.iterdir() if entry.name.endswith(".yaml")), key=lambda entry: entry.name
    )
    return "---\n".join(entry.read_text(encoding="utf-8") for entry in files)


_LOOPBACK_CLIENT = ("--leader-elect=false", "--secure-port=0", "--kube-api-qps=1000", "--kube-api-burst=2000")
"""One of each, nobody to elect; metrics and health are not served; and they may ask as quickly as they like."""

_COMPONENTS: Mapping[str, tuple[str, ...]] = {
    # Sockets in the 0700 directory: no other user of the machine can reach etcd, and no port is needed.
    "etcd": (
        "--name=sandbox",
        "--data-dir=data",
        "--listen-client-urls=unix://etcd.sock",
        "--advertise-client-urls=unix://etcd.sock",
        "--listen-peer-urls=unix://peer.sock",
        "--initial-advertise-peer-urls=unix://peer.sock",
        "--initial-cluster=sandbox=unix://peer.sock",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ),
    "kube-apiserver": (
        "--etcd-servers=unix://etcd.sock",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        "--secure-port={port}",
        "--cert-dir=pki",
        # An endpoint on loopback is invalid, and simulated pods ask nobody anything.
        "--endpoint-reconciler-type=none",
        "--token-auth-file=pki/tokens.csv",
        "--authorization-mode=Node,RBAC",
        # As in every distribution: agents and CNI plugins need it, and Pod Security is what judges them.
        "--allow-privileged=true",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-account-key-file={key}",
        "--service-account-signing-key-file={key}",
        "--service-cluster-ip-range={services}",
        # Where it asks for the logs of pods: all nodes are one kubelet on loopback, which is KWOK.
        "--kubelet-preferred-address-types=InternalDNS",
        # Everything comes from one machine: let it.
        "--max-requests-inflight=2000",
        "--max-mutating-requests-inflight=1000",
        "--profiling=false",
    ),
    "kube-controller-manager": (
        "--kubeconfig=pki/kube-controller-manager.kubeconfig",
        *_LOOPBACK_CLIENT,
        "--use-service-account-credentials",
        "--service-account-private-key-file={key}",
        "--root-ca-file=pki/authority.crt",
        "--service-cluster-ip-range={services}",
        "--allocate-node-cidrs",
        "--cluster-cidr=10.128.0.0/9",
        "--node-cidr-mask-size=22",
        # The default is in /usr, and would be made there.
        "--flex-volume-plugin-dir=volume-plugins",
        "--profiling=false",
    ),
    "kube-scheduler": (
        "--kubeconfig=pki/kube-scheduler.kubeconfig",
        *_LOOPBACK_CLIENT,
        "--profiling=false",
    ),
    "kwok": (
        "--kubeconfig=pki/kwok.kubeconfig",
        "--config=stages.yaml",
        "--manage-all-nodes",
        "--node-lease-duration-seconds=40",
        "--server-address=127.0.0.1:{kubelet_port}",
        "--node-port={kubelet_port}",
        "--tls-cert-file=pki/apiserver.crt",
        "--tls-private-key-file=pki/apiserver.key",
        # At INFO it tells of every step of every pod.
        "--v=WARN",
    ),
}

NAMES = tuple(_COMPONENTS)
"""Every component, in the order they are started."""
