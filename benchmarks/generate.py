"""Makes an app of N services with five objects each, to measure deploys with.

python benchmarks/generate.py DIR 20      100 objects
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


def generate(directory: Path, services: int, name: str = "bench") -> None:
    """Write the app called ``name`` to ``directory``: five objects for each of ``services``."""
    for part in ("rcs", "services", "resources"):
        (directory / part).mkdir(parents=True, exist_ok=True)
    (directory / "Kployfile").write_text(f"name: {name}\nnamespace: {name}\n")
    lines = "".join(f"    key-{number:02} = value number {number}\n" for number in range(40))
    for number in range(services):
        each = f"web-{number:04}"
        resources = f"{ACCOUNT}---\n{CONFIG}---\n{CREDENTIALS}".format(name=each, lines=lines)
        (directory / f"resources/{each}.yaml").write_text(resources)
        (directory / f"services/{each}.yaml").write_text(SERVICE.format(name=each))
        (directory / f"rcs/{each}.yaml").write_text(DEPLOYMENT.format(name=each))


if __name__ == "__main__":
    generate(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:4])
