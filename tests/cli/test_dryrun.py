"""``kploy dryrun``: what is wrong, and what a run would change."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Kploy, Live, Write
from tests.cli.test_run import APP, FLAGS, KINDS, SERVICE, WEB

BROKEN = {
    "rcs/web.yaml": WEB.replace("image:", "imagee:").replace("replicas: 2", 'replicas: "two"'),
    "services/web.yaml": SERVICE.replace("kind: Service", "kind: Servce"),
    "resources/flags.yaml": FLAGS.format("yes"),
}


def test_offline_shows_every_error_with_its_place_excerpt_and_remedy(offline: Kploy, write: Write) -> None:
    write(BROKEN)
    result = offline("dryrun", "--offline")
    assert result.code == 3
    assert result.stdout == ""
    assert result.stderr == (
        """\
shop   3 manifests   schemas 1.37
error[wrong-type]: `replicas` must be an integer, not a string
  rcs/web.yaml:6:13
  4 |   name: web
  5 | spec:
  6 |   replicas: "two"
    |             ^^^^^

error[unknown-field]: `imagee` is not a field of Container
  rcs/web.yaml:17:11
  15 |       containers:
  16 |         - name: web
  17 |           imagee: ghcr.io/acme/web:1.0.0
     |           ^^^^^^ did you mean `image`?

error[wrong-type]: `colour` must be a string, not a boolean
  resources/flags.yaml:6:11
  4 |   name: flags
  5 | data:
  6 |   colour: yes
    |           ^^^ quote it: "yes"

error[unknown-kind]: Kubernetes 1.37 has no kind Servce
  services/web.yaml:2:7
  1 | apiVersion: v1
  2 | kind: Servce
    |       ^^^^^^ did you mean `Service`?

✗ 4 errors in 3 of 3 files; nothing was sent to the cluster
"""
    )


def test_offline_needs_no_cluster(offline: Kploy, write: Write) -> None:
    write(APP)
    result = offline("dryrun", "--offline")
    assert (result.code, result.stdout) == (0, "")
    assert result.lines == [
        "shop   3 manifests   schemas 1.37",
        "✓ valid, as far as that can be told without a cluster",
    ]


OLD = """\
apiVersion: storage.k8s.io/v1beta1
kind: VolumeAttributesClass
metadata:
  name: fast
driverName: disk.example.com
"""


@pytest.mark.parametrize("version", ["1.36", "v1.36", "1.36.4"])
def test_the_version_of_kubernetes_is_a_choice_and_what_goes_in_the_next_is_a_warning(
    offline: Kploy, write: Write, version: str
) -> None:
    write({"resources/fast.yaml": OLD})
    result = offline("dryrun", "--offline", "--kubernetes-version", version)
    assert result.code == 0
    assert result.stderr == (
        """\
shop   1 manifest   schemas 1.36
warning[deprecated-api]: VolumeAttributesClass in storage.k8s.io/v1beta1 is deprecated since Kubernetes 1.34, \
and goes in 1.37
  resources/fast.yaml:1:13
  1 | apiVersion: storage.k8s.io/v1beta1
    |             ^^^^^^^^^^^^^^^^^^^^^^ use storage.k8s.io/v1

1 warning
✓ valid, as far as that can be told without a cluster
"""
    )


def test_what_has_gone_names_its_successor_in_json_as_well(offline: Kploy, write: Write) -> None:
    write({"resources/fast.yaml": OLD})
    result = offline("dryrun", "--offline", "-o", "json")
    opened, checked, _ = (json.loads(line) for line in result.stdout.splitlines())
    assert (result.code, opened["schemas"]) == (3, "1.37")
    assert [(each["rule"], each["message"], each["hint"]) for each in checked["findings"]] == [
        (
            "removed-api",
            "Kubernetes 1.37 has no VolumeAttributesClass in storage.k8s.io/v1beta1: it went in 1.37",
            "use storage.k8s.io/v1",
        )
    ]


def test_errors_are_told_although_no_cluster_can_be_reached(offline: Kploy, write: Write) -> None:
    write(BROKEN)
    result = offline("dryrun")
    assert result.code == 3
    assert result.lines[-1] == "✗ 4 errors in 3 of 3 files; nothing was sent to the cluster"


@pytest.mark.cluster
def test_the_chosen_version_counts_before_the_clusters(kploy: Kploy, write: Write) -> None:
    write(APP)
    result = kploy("dryrun", "--kubernetes-version", "1.34")
    assert result.code == 0
    assert result.lines[0].endswith("   schemas 1.34")


@pytest.mark.cluster
def test_shows_what_a_run_would_create_and_writes_nothing(kploy: Kploy, write: Write, live: Live) -> None:
    write(APP)
    result = kploy("dryrun")
    assert result.code == 0
    assert [" ".join(line.split()) for line in result.stdout.splitlines()] == [
        f"+ namespace/{live.namespace}",
        "+ service/web port 80",
        "+ configmap/flags 1 key",
        "+ deployment/web ghcr.io/acme/web:1.0.0, 2 replicas",
    ]
    assert "nodes: 3 of 3 ready" in result.lines
    assert result.lines[-1] == "✓ valid: kploy run would deploy this; nothing was written"
    assert not live.namespace_exists()


@pytest.mark.cluster
def test_shows_what_a_run_would_change_of_what_is_live(kploy: Kploy, write: Write, live: Live) -> None:
    write(APP)
    kploy("run")
    before = live.versions(*KINDS)
    write(
        {
            "resources/flags.yaml": FLAGS.format("green"),
            "resources/new.yaml": FLAGS.format("x").replace("flags", "new"),
        }
    )
    result = kploy("dryrun")
    assert [" ".join(line.split()) for line in result.stdout.splitlines()] == [
        "~ configmap/flags colour blue → green",
        "+ configmap/new 1 key",
        "= 2 unchanged",
    ]
    assert live.versions(*KINDS) == before


@pytest.mark.cluster
def test_a_live_app_that_is_as_it_should_be_would_not_change(kploy: Kploy, write: Write) -> None:
    write(APP)
    kploy("run")
    result = kploy("dryrun")
    assert result.stdout == "  = 3 unchanged\n"
    assert result.lines[-1] == "✓ valid: kploy run would change nothing; nothing was written"


@pytest.mark.cluster
def test_pending_changes_end_with_10_when_asked_for(kploy: Kploy, write: Write) -> None:
    write(APP)
    assert kploy("dryrun", "--exit-code").code == 10
    kploy("run")
    assert kploy("dryrun", "--exit-code").code == 0


@pytest.mark.cluster
def test_immutable_fields_are_found_at_their_line_before_the_write(kploy: Kploy, write: Write) -> None:
    write(APP)
    kploy("run")
    write({"rcs/web.yaml": WEB.replace("app: web", "app: net")})
    result = kploy("dryrun")
    assert result.code == 3
    assert "error[refused-by-server]: `spec.selector` of deployment/web: Invalid value" in result.stderr
    assert "field is immutable" in result.stderr
    assert "  rcs/web.yaml:7:3" in result.lines


@pytest.mark.cluster
def test_the_servers_refusals_never_show_a_secret(kploy: Kploy, write: Write) -> None:
    write(
        {"resources/s.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {bad key: aHVudGVyMg==}\n"}
    )
    result = kploy("dryrun")
    assert result.code == 3
    assert "aHVudGVyMg" not in result.stderr


@pytest.mark.cluster
def test_json_has_the_findings_with_their_places(kploy: Kploy, write: Write) -> None:
    write({"rcs/web.yaml": WEB.replace("image:", "imagee:")})
    result = kploy("dryrun", "-o", "json")
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.code == 3
    assert [event["kind"] for event in events] == ["Opened", "Checked", "Finished"]
    finding = events[1]["findings"][0]
    assert (finding["rule"], finding["severity"], finding["hint"]) == (
        "unknown-field",
        "error",
        "did you mean `image`?",
    )
    place = finding["place"]
    assert (place["file"], place["line"], place["column"], place["width"]) == ("rcs/web.yaml", 17, 11, 6)


def test_a_mistake_in_the_kployfile_hides_none_across_the_manifests(offline: Kploy, write: Write) -> None:
    targeted = SERVICE.replace("port: 80", "port: 80\n      targetPort: http")
    write({**APP, "services/web.yaml": targeted, "Kployfile": "name: shop\nrules:\n  image-tga: error\n"})
    result = offline("dryrun", "--offline")
    assert result.code == 3
    assert [line for line in result.lines if line.startswith(("error", "warning"))] == [
        "error[unknown-rule]: there is no rule `image-tga`",
        "error[missing-target-port]: no container of deployment/web has a port `http`",
    ]


def test_what_could_not_be_read_is_not_missing(offline: Kploy, write: Write) -> None:
    write({**APP, "rcs/web.yaml": WEB + "\t"})
    result = offline("dryrun", "--offline")
    assert [line for line in result.lines if line.startswith(("error", "warning"))] == [
        "error[yaml-syntax]: YAML cannot be indented with a tab"
    ]


def test_switches_of_the_kployfile_count(offline: Kploy, write: Write) -> None:
    latest = WEB.replace("web:1.0.0", "web")
    write({**APP, "rcs/web.yaml": latest, "Kployfile": "name: shop\nrules:\n  image-tag: error\n"})
    assert (
        "error[image-tag]: image `ghcr.io/acme/web` has no tag, so it is `latest`"
        in offline("dryrun", "--offline").lines
    )
    write({**APP, "rcs/web.yaml": latest, "Kployfile": "name: shop\nrules:\n  image-tag: ignore\n"})
    assert offline("dryrun", "--offline").lines[-1] == "✓ valid, as far as that can be told without a cluster"
