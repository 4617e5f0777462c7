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
    # What loads and what is read stays, so to look for garbage in it is in vain, and takes 10 ms or
    # more a time. What needs it is little: of 50,000 new objects, a few hundred that name each other in a circle.
    gc.set_threshold(200_000)
    try:
        from importlib import import_module

        from kploy.later import importing

        # For types of parameters that kploy has none of.
        importing(lambda: import_module("click"), "click", frozenset({"datetime", "uuid"}))
        from kploy.cli.main import main as begin

        begin()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    finally:
        # Once an interrupt has left a string that is executed, such as makes a dataclass, Python lets `-m` end
        # as if nobody had dealt with it, unless another is executed: run_eval_code_obj in CPython's pythonrun.c.
        exec("")  # noqa: S102 - nothing
        # Python looks for garbage once more at its end, through all that was read: 75 ms after 500 objects.
        gc.freeze()


if __name__ == "__main__":
    main()
