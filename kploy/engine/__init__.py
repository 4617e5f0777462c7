"""The one path of a deploy: prepare, compare, deploy; and the reading of how it is."""
