from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.core.addresses import images_of, urls_of


def service(*ports: Any, **fields: Any) -> dict[str, Any]:
    ingress = fields.pop("ingress", [])
    return {
        "spec": {"ports": [{"port": port} for port in ports], **fields},
        "status": {"loadBalancer": {"ingress": ingress}},
    }


def ingress(*rules: Any, tls: Any = None) -> dict[str, Any]:
    return {"spec": {"rules": list(rules), "tls": tls}}


def rule(host: str, *paths: str) -> dict[str, Any]:
    return {"host": host, "http": {"paths": [{"path": path} for path in paths]}}


@pytest.mark.parametrize(
    ("kind", "body", "urls"),
    [
        ("Service", service(80), ()),
        (
            "Service",
            service(80, 443, 5432, ingress=[{"ip": "192.0.2.1"}]),
            ("http://192.0.2.1", "https://192.0.2.1", "192.0.2.1:5432"),
        ),
        ("Service", service(80, ingress=[{"ip": "2001:db8::1"}]), ("http://[2001:db8::1]",)),
        (
            "Service",
            service(80, ingress=[{"hostname": "lb.example.com", "ip": "192.0.2.1"}]),
            ("http://lb.example.com",),
        ),
        ("Service", service(80, ingress=[{}]), ()),
        ("Service", service(8080, externalIPs=["192.0.2.7"]), ("192.0.2.7:8080",)),
        ("Service", service(80, externalIPs=["192.0.2.1"], ingress=[{"ip": "192.0.2.1"}]), ("http://192.0.2.1",)),
        ("Ingress", ingress(), ()),
        ("Ingress", ingress(rule("shop.example.com")), ("http://shop.example.com",)),
        (
            "Ingress",
            ingress(rule("shop.example.com", "/", "/api")),
            ("http://shop.example.com", "http://shop.example.com/api"),
        ),
        (
            "Ingress",
            ingress(rule("shop.example.com", "/"), tls=[{"hosts": ["shop.example.com"]}]),
            ("https://shop.example.com",),
        ),
        (
            "Ingress",
            ingress(rule("shop.example.com", "/"), tls=[{"hosts": ["*.example.com"]}]),
            ("https://shop.example.com",),
        ),
        (
            "Ingress",
            ingress(rule("example.com", "/"), tls=[{"hosts": ["*.example.com"]}]),
            ("http://example.com",),
        ),
        (
            "Ingress",
            ingress(rule("shop.example.com", "/"), tls=[{"secretName": "tls"}]),
            ("http://shop.example.com",),
        ),
        ("Ingress", ingress({"http": {"paths": [{"path": "/"}]}}), ()),
        ("Deployment", service(80, ingress=[{"ip": "192.0.2.1"}]), ()),
    ],
)
def test_the_addresses_that_an_object_tells(kind: str, body: dict[str, Any], urls: tuple[str, ...]) -> None:
    assert urls_of(kind, body) == urls


def template(*images: str) -> dict[str, Any]:
    return {"template": {"spec": {"containers": [{"image": image} for image in images]}}}


@pytest.mark.parametrize(
    ("kind", "body", "images"),
    [
        ("Deployment", {"spec": template("web:1", "proxy:2", "web:1")}, ("web:1", "proxy:2")),
        ("CronJob", {"spec": {"jobTemplate": {"spec": template("job:1")}}}, ("job:1",)),
        ("Pod", {"spec": {"containers": [{"image": "pod:1"}, {"name": "without"}]}}, ("pod:1",)),
        ("Service", {"spec": template("web:1")}, ()),
        ("Deployment", {}, ()),
    ],
)
def test_the_images_that_a_workload_runs(kind: str, body: dict[str, Any], images: tuple[str, ...]) -> None:
    assert images_of(kind, body) == images


KEYS = st.sampled_from(
    (
        *("spec", "status", "ports", "port", "loadBalancer", "ingress", "ip", "externalIPs", "rules", "tls"),
        *("hosts", "host", "http", "paths", "path", "template", "containers", "image"),
    )
)
ANYTHING = st.recursive(
    st.none() | st.integers() | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(
    st.sampled_from(["Service", "Ingress", "Deployment", "Tap"]),
    st.fixed_dictionaries({"spec": ANYTHING, "status": ANYTHING}),
)
def test_an_object_of_any_shape_has_some_addresses_and_images_or_none(kind: str, body: dict[str, Any]) -> None:
    assert all(isinstance(url, str) for url in (*urls_of(kind, body), *images_of(kind, body)))


@pytest.mark.parametrize("odd", [5, "x", {"a": "b"}, [None, 5, {"a": "b"}, ["c"]]])
def test_addresses_that_are_none_are_passed_over(odd: Any) -> None:
    assert urls_of("Service", service(80, externalIPs=odd)) == ()
    assert urls_of("Ingress", ingress(rule("a.example.com", "/"), tls=[{"hosts": odd}])) == (
        "http://a.example.com",
    )
