"""Makes an app of N services with five objects each, to measure deploys with; or the same as a chart.

python -m benchmarks.generate DIR 20      100 objects
"""

from __future__ import annotations

import sys
from pathlib import Path

ACCOUNT = """apiVersion: v1
kind: ServiceAccount
metadata:
  name: {name}
"""

CONFIG = """apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
data:
  settings.ini: |
{lines}"""

CREDENTIALS = """apiVersion: v1
kind: Secret
metadata:
  name: {name}
stringData:
  password: correct-horse-{name}
"""

SERVICE = """apiVersion: v1
kind: Service
metadata:
  name: {name}
spec:
  selector:
    app: {name}
  ports:
    - port: 80
      targetPort: 8080
"""

DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  replicas: 1
  selector:
    matchLabels:
      app: {name}
  template:
    metadata:
      labels:
        app: {name}
    spec:
      serviceAccountName: {name}
      containers:
        - name: web
          image: ghcr.io/acme/web:1.0.0
          ports:
            - containerPort: 8080
          readinessProbe:
            httpGet:
              path: /ready
              port: 8080
          envFrom:
            - secretRef:
                name: {name}
          volumeMounts:
            - name: settings
              mountPath: /etc/web
      volumes:
        - name: settings
          configMap:
            name: {name}
"""


OBJECTS = 5
"""How many objects each service has."""

_CHANGING = "resources/web-0000.yaml"


def generate(directory: Path, services: int, namespace: str = "bench") -> None:
    """Write an app for ``namespace`` to ``directory``: five objects for each of ``services``."""
    generate_manifests(directory, services)
    (directory / "Kployfile").write_text(f"name: bench\nnamespace: {namespace}\n")


def generate_chart(directory: Path, services: int) -> None:
    """Write the same objects as a chart for Helm."""
    generate_manifests(directory / "templates", services)
    (directory / "Chart.yaml").write_text("apiVersion: v2\nname: bench\nversion: 0.1.0\n")


def generate_manifests(directory: Path, services: int) -> None:
    """Write nothing but the manifests."""
    for part in ("rcs", "services", "resources"):
        (directory / part).mkdir(parents=True, exist_ok=True)
    lines = "".join(f"    key-{number:02} = value number {number}\n" for number in range(40))
    for number in range(services):
        each = f"web-{number:04}"
        resources = f"{ACCOUNT}---\n{CONFIG}---\n{CREDENTIALS}".format(name=each, lines=lines)
        (directory / f"resources/{each}.yaml").write_text(resources)
        (directory / f"services/{each}.yaml").write_text(SERVICE.format(name=each))
        (directory / f"rcs/{each}.yaml").write_text(DEPLOYMENT.format(name=each))


def change(directory: Path) -> None:
    """Change one object of what was generated there: a line of the first ConfigMap."""
    (path,) = directory.rglob(_CHANGING)
    path.write_text(path.read_text().replace("value number 0\n", "another value\n"))


if __name__ == "__main__":
    generate(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:4])
