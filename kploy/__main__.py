"""The very start of ``kploy``, ``kubectl kploy`` and ``python -m kploy``.

Ctrl-C may come while Python loads the rest, which takes most of a short command. So nothing
is imported here before that is dealt with.
"""

import gc
import sys

_INTERRUPTED = 130
"""kploy.model.report.Outcome.INTERRUPTED, which is not loaded yet."""


def main() -> None:
    """Run the command line, and exit with its code. An interrupt never shows a traceback."""
    # What loads stays, so to look for garbage in it is in vain; later there is more of both at a time.
    gc.set_threshold(50_000)
    try:
        from kploy.cli.main import main as begin

        begin()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
