"""The command line. Commands compose, show and exit; what they do is in the engine."""
