from __future__ import annotations

import pytest

from kploy.sandbox import Sandbox
from kploy.sandbox.api import Answer, Api, api_of
from kploy.sandbox.errors import NotAnswering, StartFailed
from kploy.sandbox.start import free_ports


def test_an_answer_that_is_no_json_object_has_an_empty_body() -> None:
    assert [Answer(200, text).body for text in ("ok", "[1]", "", '{"a": 1}')] == [{}, {}, {}, {"a": 1}]


def test_nobody_there_is_said_in_one_sentence_that_hides_the_token() -> None:
    api = Api(free_ports(1)[0], "", "secret-token")
    assert "secret-token" not in repr(api)
    assert not api.ready()
    with pytest.raises(NotAnswering, match="gave no answer to GET /version") as caught:
        api.get("/version")
    assert "secret-token" not in str(caught.value)


@pytest.mark.cluster
def test_an_object_that_is_there_is_left_and_one_that_is_refused_is_named(cluster: Sandbox) -> None:
    api = api_of(cluster)
    api.create("/api/v1/namespaces", {"kind": "Namespace", "metadata": {"name": "default"}})
    with pytest.raises(StartFailed, match=r"refused Namespace Not_A_Name: .*Invalid value"):
        api.create("/api/v1/namespaces", {"kind": "Namespace", "metadata": {"name": "Not_A_Name"}})


@pytest.mark.cluster
def test_trusts_only_the_authority_of_its_own_sandbox(cluster: Sandbox) -> None:
    stranger = Api(api_of(cluster).port, "", api_of(cluster).token)
    with pytest.raises(NotAnswering, match="certificate verify failed"):
        stranger.request("GET", "/version")
