"""What may be secret is not in anything that kploy prints, whoever says it."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Kploy, Live, Write
from tests.cli.test_admission import namespace_with
from tests.cli.test_run import WEB

pytestmark = pytest.mark.cluster

ENV = """\
          env:
            - name: DB_PASSWORD
              value: hunter2hunter2
"""


def test_a_refusal_by_the_server_quotes_no_password_and_the_line_of_one_is_masked(
    kploy: Kploy, write: Write, live: Live
) -> None:
    namespace_with(live)
    write({"rcs/web.yaml": WEB + ENV + "          volumeMounts: [{name: hunter2hunter2, mountPath: /a}]\n"})
    result = kploy("dryrun")
    assert result.code == 3
    found = [line for line in result.lines if line.startswith("error")]
    assert found == [
        (
            "error[refused-by-server]: `spec.template.spec.containers[0].volumeMounts[0].name` of deployment/web: "
            'Not found: "••••••"'
        )
    ]
    assert "  24 |               value: ••••••" in result.lines


def test_an_immutable_field_is_told_without_the_password_that_it_is_set_to(kploy: Kploy, write: Write) -> None:
    write({"rcs/web.yaml": WEB + ENV})
    assert kploy("run").code == 0
    write({"rcs/web.yaml": (WEB + ENV).replace("app: web", "app: hunter2hunter2")})
    result = kploy("dryrun")
    assert result.code == 3
    (message,) = [line for line in result.lines if line.startswith("error")]
    assert message.startswith("error[refused-by-server]: `spec.selector` of deployment/web: Invalid value: ")
    assert "hunter2" not in message
