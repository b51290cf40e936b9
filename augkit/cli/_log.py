"""The log file of a command: what it says while it works, with the time of day. It is added to, never replaced."""

from __future__ import annotations

import logging
from pathlib import Path

_ROOT, _RUN = "augkit", "augkit.run"
_HANDLERS: list[logging.Handler] = []


def open_log(path: Path) -> None:
    """From here on warnings, progress and errors go to the file too. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = logging.FileHandler(path, encoding="utf-8")
    file.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    terminal = logging.StreamHandler()
    terminal.setLevel(logging.WARNING)  # as without a file: Python's last resort
    for handler in (file, terminal):
        logging.getLogger(_ROOT).addHandler(handler)
        _HANDLERS.append(handler)
    logging.getLogger(_RUN).setLevel(logging.INFO)


def close_log() -> None:
    """Ends it, where there is one."""
    while _HANDLERS:
        handler = _HANDLERS.pop()
        logging.getLogger(_ROOT).removeHandler(handler)
        handler.close()


def logs_to_file() -> bool:
    """Whether there is one."""
    return bool(_HANDLERS)


def note(line: str) -> None:
    """A line for the file alone."""
    logging.getLogger(_RUN).info(line)
