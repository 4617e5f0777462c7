"""What a server says is shown without the secrets of the object that it speaks of."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.core.admission import invalid as invalid_pod
from kploy.core.admission import refused
from kploy.core.masking import MASK
from kploy.core.quoting import quotable, without, words_of
from tests.core.test_refusals import FORMATS, every_finding, secret
from tests.makers import deployment, manifest_of

WEB = deployment("web", containers=[{"name": "web", "imagee": "x"}])
WITHHELD = "refused, in words that quote a secret value and are not shown"


@pytest.mark.parametrize("value", ["abc", "on", "1"])
def test_a_short_value_is_not_shown_as_a_word_of_its_own(value: str) -> None:
    assert f"weak: {value}" not in quotable(secret("stringData", value).body, f"weak: {value}")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Required value", "Required value"),
        ('Invalid value: "hunter2hunter2": too weak', "Invalid value: too weak"),
        (
            'Unsupported value: "hunter2hunter2": supported values: "a", "b"',
            'Unsupported value: supported values: "a", "b"',
        ),
        ("Invalid value: 5: must be one", "Invalid value: must be one"),
        ("Too long: may not be more than 1048576 bytes", "Too long: may not be more than 1048576 bytes"),
        ('secrets "login" is forbidden: exceeded quota', 'secrets "login" is forbidden: exceeded quota'),
        ("weak: hunter2hunter2", WITHHELD),
    ],
)
def test_what_tells_no_value_of_a_secret_is_shown(said: str, shown: str) -> None:
    assert quotable(secret("stringData", "hunter2hunter2").body, said) == shown


def test_of_secrets_that_begin_alike_the_longest_is_masked_first() -> None:
    words = words_of([secret("stringData", "hunter2").body, secret("stringData", "hunter2-and-more").body])
    assert without("it is hunter2-and-more, or hunter2", words) == f"it is {MASK}, or {MASK}"


def test_of_a_secret_of_several_lines_each_is_masked_and_its_frame_is_not() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADAN\nBgkqhkiG9w0B\n-----END KEY-----\n"
    words = words_of([secret("stringData", key).body])
    said = ["-----BEGIN KEY-----", "loading MIIEvQIBADAN", "a line"]
    assert [without(line, words) for line in said] == ["-----BEGIN KEY-----", f"loading {MASK}", "a line"]


def test_of_an_object_without_secrets_the_server_is_quoted_in_full() -> None:
    said = 'Invalid value: "hunter2hunter2": too weak'
    assert quotable(WEB.body, said) == said


def pod(*env: dict[str, Any], **container: Any) -> dict[str, Any]:
    return {"kind": "Pod", "spec": {"containers": [{"name": "web", "env": list(env), **container}]}}


LOGIN = {"name": "DB_PASSWORD", "value": "hunter2hunter2"}
DSN = {"name": "DB", "value": "postgres://shop:hunter2@db.example.com/shop"}


@pytest.mark.parametrize(
    ("body", "said", "shown"),
    [
        (pod(LOGIN), 'Invalid value: "hunter2hunter2": too weak', 'Invalid value: "••••••": too weak'),
        (pod(LOGIN), 'Invalid value: {"name":"hunter2hunter2"}: no', 'Invalid value: {"name":"••••••"}: no'),
        (pod(LOGIN), "got aHVudGVyMmh1bnRlcjI=", "got ••••••"),
        (pod(LOGIN), "near hunter2h…", WITHHELD),
        (pod({**LOGIN, "value": "web"}), 'pod "web-1" is no web', 'pod "••••••-1" is no ••••••'),
        (pod({**LOGIN, "value": "1"}), '"1" is not 1', '"••••••" is not 1'),
        (pod(DSN), "cannot reach db.example.com", "cannot reach db.example.com"),
        (pod(DSN), 'invalid port ":hunter2" after host', 'invalid port ":••••••" after host'),
        (pod(DSN), f"bad: {DSN['value']}", "bad: ••••••"),
        (
            {"kind": "ConfigMap", "data": {"app.ini": "colour=blue\npassword=hunter2\n"}},
            'colour=blue\\npassword=hunter2\\n: "blue"',
            'colour=blue\\n••••••\\n: "blue"',
        ),
    ],
)
def test_of_any_other_object_the_secrets_are_masked_and_the_rest_is_told(
    body: dict[str, Any], said: str, shown: str
) -> None:
    assert quotable(body, said) == shown


def test_kubectls_copy_of_an_object_hides_its_secrets_and_nothing_else() -> None:
    copy = json.dumps(pod(LOGIN))
    metadata = {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": copy}}
    body = {"kind": "Pod", "metadata": metadata}
    assert quotable(body, "containers has no hunter2hunter2") == "containers has no ••••••"


VALUES = st.text(st.characters(codec="utf-8"), min_size=9, max_size=30).map(lambda text: f"hunter2{text}")


@given(value=VALUES, is_encoded=st.booleans())
def test_no_finding_about_a_workload_or_its_pods_has_what_may_be_secret(value: str, is_encoded: bool) -> None:
    web = deployment("web", containers=[{"name": "web", "env": [{"name": "DB_PASSWORD", "value": value}]}])
    encoded = base64.b64encode(value.encode()).decode()
    for say in FORMATS.values():
        said = say(encoded if is_encoded else value)
        found = (*every_finding(web, said), refused(web, said), *invalid_pod(web, said, []))
        for finding in (*found, *invalid_pod(web, said, [("spec.containers[0].env[0].value", said)])):
            assert "hunter2" not in repr(finding)
            assert encoded[:9] not in repr(finding)


def test_a_manifest_of_a_custom_resource_may_hold_a_password_too() -> None:
    crontab = manifest_of(
        {"apiVersion": "x.io/v1", "kind": "Db", "metadata": {"name": "a"}, "password": "hunter2!"}
    )
    assert "hunter2" not in repr(every_finding(crontab, "weak: hunter2!"))
