"""``python -m kploy``."""

from kploy.cli.main import main

main()
