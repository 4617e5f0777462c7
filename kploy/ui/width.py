"""How many columns of a terminal a text takes, and a text that takes no more.

What rich knows of wide and narrow characters need not load for ASCII.
"""

from __future__ import annotations


def width_of(text: str) -> int:
    """The columns that ``text`` takes, which is safe to print."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def fitted(text: str, columns: int) -> str:
    """As much of the beginning of ``text`` as so many ``columns`` hold, and spaces where it is shorter."""
    from rich.cells import set_cell_size

    return set_cell_size(text, columns)
