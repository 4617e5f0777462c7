"""What a dry run makes of objects that need others of the same app, and of namespaces that come and go."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Kploy, Live, Write
from tests.cli.test_run import FLAGS

pytestmark = pytest.mark.cluster

FLAGS_ONLY = {"resources/flags.yaml": FLAGS.format("blue")}

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: tool
spec:
  serviceAccountName: robot
  containers:
    - name: tool
      image: ghcr.io/acme/tool:1.0.0
"""

ROBOT = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: robot\n"

DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: things.{group}
spec:
  group: {group}
  scope: Namespaced
  names: {{plural: things, singular: thing, kind: Thing}}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties: {{{fields}}}
"""

THING = "apiVersion: {group}/v1\nkind: Thing\nmetadata:\n  name: one\nspec: {spec}\n"


def test_a_pod_may_need_an_account_that_the_same_run_creates(kploy: Kploy, write: Write) -> None:
    write(FLAGS_ONLY)
    kploy("run")
    write({"rcs/tool.yaml": POD, "resources/robot.yaml": ROBOT})
    result = kploy("dryrun")
    assert result.code == 0
    assert (
        "pod/tool: the server could not check it: it needs serviceaccount/robot, which the run changes first"
        in " ".join(result.stderr.split())
    )
    assert kploy("run").code == 0


def test_a_pod_that_needs_an_account_nobody_creates_is_refused(kploy: Kploy, write: Write) -> None:
    write(FLAGS_ONLY)
    kploy("run")
    write({"rcs/tool.yaml": POD})
    result = kploy("dryrun")
    assert result.code == 3
    assert 'serviceaccount "robot" not found' in result.stderr


def test_a_custom_resource_may_use_a_field_that_its_definition_gains_in_the_same_run(
    kploy: Kploy, write: Write, namespace: str
) -> None:
    group = f"{namespace}.example.com"
    texts = {
        "resources/definition.yaml": DEFINITION.format(group=group, fields="a: {type: string}"),
        "resources/one.yaml": THING.format(group=group, spec="{a: x}"),
    }
    write(texts)
    assert kploy("run").code == 0
    texts["resources/definition.yaml"] = DEFINITION.format(
        group=group, fields="a: {type: string}, b: {type: string}"
    )
    texts["resources/one.yaml"] = THING.format(group=group, spec="{a: x, b: z}")
    write(texts)
    result = kploy("run")
    assert result.code == 0
    assert result.lines[-1].startswith("✓ shop is up: 2 configured")


def test_a_namespace_that_is_being_deleted_is_named_and_nothing_is_written(
    kploy: Kploy, write: Write, live: Live
) -> None:
    held = FLAGS.format("blue").replace("  name: flags\n", "  name: flags\n  finalizers: [kploy.dev/held]\n")
    write({"resources/flags.yaml": held})
    assert kploy("run").code == 0
    live.delete_namespace()
    result = kploy("dryrun")
    assert result.code == 1
    assert f"namespace {live.namespace} is being deleted, and takes nothing new" in result.stderr
    live.release("flags")


def test_two_apps_may_share_a_new_namespace(kploy: Kploy, write: Write, live: Live) -> None:
    write(FLAGS_ONLY)
    assert kploy("run").code == 0
    write({"resources/flags.yaml": FLAGS.format("blue").replace("flags", "others")}, name="other")
    assert kploy("run").code == 0
    labels = live.objects(("v1", "Namespace"), namespace="")[f"namespace/{live.namespace}"]["metadata"]["labels"]
    assert "kploy.dev/app" not in labels
