"""Where an object is reached from outside the cluster, and what it runs."""

from __future__ import annotations

from collections.abc import Iterator

from kploy.core.bodies import dig, entries, pod_template, text
from kploy.model.objects import Body


def images_of(kind: str, body: Body) -> tuple[str, ...]:
    """The images of a workload's containers, in their order, each once."""
    containers = entries(pod_template(kind, body), "spec", "containers")
    return tuple(dict.fromkeys(image for container in containers if (image := text(container, "image"))))


def urls_of(kind: str, body: Body) -> tuple[str, ...]:
    """The addresses of a live Service or Ingress as far as the object itself tells them."""
    of_kind = {"Service": _of_service, "Ingress": _of_ingress}.get(kind)
    return tuple(dict.fromkeys(of_kind(body))) if of_kind else ()


def _of_service(body: Body) -> Iterator[str]:
    ports = list(entries(body, "spec", "ports"))
    for point in entries(body, "status", "loadBalancer", "ingress"):
        host = text(point, "hostname") or text(point, "ip")
        for port in ports:
            if host:
                yield _url(host, dig(port, "port"))
    for name in _texts(dig(body, "spec", "externalIPs")):
        for port in ports:
            yield _url(name, dig(port, "port"))


def _url(host: str, port: object) -> str:
    host = f"[{host}]" if ":" in host else host
    return {80: f"http://{host}", 443: f"https://{host}"}.get(
        port if isinstance(port, int) else 0, f"{host}:{port}"
    )


def _of_ingress(body: Body) -> Iterator[str]:
    secure = {host for tls in entries(body, "spec", "tls") for host in _texts(dig(tls, "hosts"))}
    for rule in entries(body, "spec", "rules"):
        host = text(rule, "host")
        if host:
            wildcard = "*." + host.partition(".")[2]
            scheme = "https" if host in secure or wildcard in secure else "http"
            paths = [text(path, "path") for path in entries(rule, "http", "paths")] or [""]
            yield from (f"{scheme}://{host}{'' if path == '/' else path}" for path in paths)


def _texts(values: object) -> Iterator[str]:
    if isinstance(values, list):
        yield from (value for value in values if isinstance(value, str))
