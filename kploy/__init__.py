"""kploy deploys an app directory to Kubernetes, and keeps it running."""

__version__ = "0.11.0"
