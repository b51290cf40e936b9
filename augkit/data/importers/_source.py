"""The folder that an importer is given: its kind, and the files below it."""

from __future__ import annotations

import os
from pathlib import Path

from augkit.core.errors import ConfigError
from augkit.data.importers._photos import contained


def require_folder(source: Path, layout: str) -> None:
    """Raises ConfigError where ``source`` is no folder; ``layout`` says in a line what it should hold."""
    if not source.is_dir():
        found = "no folder, but a file" if source.exists() else "nothing is there"
        raise ConfigError(f"{source}: {found}", layout, "check the path")


def refuse_annotations(annotations: Path | None, reason: str) -> None:
    """Raises ConfigError where ``--annotations`` is given to an importer that has no use for it."""
    if annotations is not None:
        raise ConfigError(f"--annotations {annotations}", f"no such option here: {reason}", "leave it away")


def hidden(name: str) -> bool:
    """Whether a file, or a folder that it is in, has a name with a dot first, as systems name their own files."""
    return any(part.startswith(".") for part in name.split("/"))


def files_below(root: Path, *endings: str) -> list[str]:
    """Paths below a folder, with ``/``, of the files whose name ends in one of the (lower case) endings; in order.

    Hidden ones are left out. Links to folders are not followed; DataError where one leads out of ``root``. Links to
    files are listed: whether they may be read is for ``contained`` to say, a sample at a time.
    """
    found = []
    for folder, folders, names in os.walk(root):
        for name in folders:
            if Path(folder, name).is_symlink():
                contained(root, Path(folder, name))
        below = Path(folder).relative_to(root)
        found += [(below / name).as_posix() for name in names if name.lower().endswith(endings)]
    return sorted(name for name in found if not hidden(name))
