"""The API server: what kploy asks of it (port), and the one adapter that asks."""
