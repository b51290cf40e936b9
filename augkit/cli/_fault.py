"""What nobody foresaw: a fault of augkit's own leaves as one line, its traceback in a file to send with a report."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

FAULT = 70
_PACKAGES = ("torch", "torchvision", "ray", "accelerate", "numpy", "pyarrow", "pillow", "opencv-python-headless",
             "pydantic", "typer", "safetensors")  # fmt: skip


def report_fault(error: BaseException, arguments: Sequence[str]) -> str:
    """Writes what happened, to which command, with which versions; tells what the user is to be told."""
    said = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    found = f"a fault of augkit's own: {said}"
    remedy = "run `augkit verify` and `augkit audit` where files may be damaged; else report the fault, with that file"
    try:
        descriptor, place = tempfile.mkstemp(prefix="augkit-fault-", suffix=".txt", text=True)
        with os.fdopen(descriptor, "w", errors="backslashreplace") as file:
            file.writelines(f"{line}\n" for line in _report(error, arguments))
    except OSError as full:
        return f"{found}\nexpected: no fault (its report cannot be written: {full})\nremedy: {remedy}"
    return f"{found}\nexpected: no fault; the report is {place}\nremedy: {remedy}"


def _report(error: BaseException, arguments: Sequence[str]) -> Iterator[str]:
    yield "augkit " + " ".join(arguments)
    yield f"in {Path.cwd()}"
    system = os.uname()  # ``platform`` would start a program to tell as much
    yield f"Python {sys.version.split()[0]}, {system.sysname} {system.release} {system.machine}"
    yield from (f"{name} {_version(name)}" for name in ("augkit", *_PACKAGES))
    yield ""
    yield "".join(traceback.format_exception(error))


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "is not installed as a package"
