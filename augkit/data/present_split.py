"""The split that a photo is of now: another import may have dealt its pair to another side since it was read."""

from __future__ import annotations

import hashlib
from pathlib import Path

from augkit.core.regular_file import PICTURE, open_regular
from augkit.core.workspace import Workspace
from augkit.data.catalogue import Catalogue, Split


def present_split(workspace: Workspace, word: str, sha256: str = "") -> Split:
    """Of a pair by its id, or of a file by its path; ``sha256`` is that of the photo's source, where it is known.

    A held-out row of that id or of that source decides, whatever else there is; what no row speaks of is ``train``.
    """
    if not workspace.catalogue.is_file():
        return "train"
    id = _id_of(workspace, word)
    held = (row for row in Catalogue(workspace.catalogue) if row.split != "train")
    return next((row.split for row in held if row.id == id or (sha256 and row.sha256 == sha256)), "train")


def sha256_of(file: Path) -> str:
    """Of the file's bytes, as the catalogue has it of a source photo."""
    with open_regular(file, PICTURE) as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _id_of(workspace: Workspace, word: str) -> str:
    """The word, or the id of the pair whose file it is the path of: those are cuts, with bytes of their own."""
    path = Path(word)
    if path.resolve().parent != workspace.pairs.resolve():
        return word
    return path.name.removesuffix(".mask.png").removesuffix(path.suffix)
