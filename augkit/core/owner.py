"""Who has a lock: host, process and command, as a lock's file says it and as messages do."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from augkit.core.errors import BusyError


def owner_here() -> dict[str, str | int]:
    """This process."""
    program = Path(sys.argv[0] or "python")
    verb = [word for word in sys.argv[1:2] if word.isalpha()]
    names = [program.parent.name if program.stem == "__main__" else program.name, *verb]
    since = datetime.now().astimezone().isoformat(timespec="seconds")
    return {"host": socket.gethostname(), "pid": os.getpid(), "command": " ".join(names), "since": since}


def busy(thing: object, owner: Mapping[str, Any]) -> BusyError:
    """What is told of a thing that another process is writing, or reading as a whole; one that is about to write its
    name has none."""
    try:
        said = f"process {owner['pid']} on {owner['host']} (`{owner['command']}`, since {owner['since']})"
    except KeyError:
        said = "another process"
    does = owner.get("does", "writing")
    return BusyError(
        f"{thing}: {said} is {does} it",
        "one command at a time",
        "wait for it to end, or end it: it can go on later, and so can this one",
    )
