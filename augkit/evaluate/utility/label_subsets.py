"""Workspaces in which only some of the labels are known: the same photos, the rest of them without masks.

The subsets of one seed are nested and drawn by groups of near duplicates, at random but so that each holds every class
in the proportion of the whole, as far as whole groups allow. Held-out photos stay as they are.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from augkit.core.atomic_file import make_folder
from augkit.core.errors import ConfigError, DataError
from augkit.core.seeds import derive
from augkit.core.workspace import Workspace
from augkit.data.catalogue import Catalogue, CatalogueRow, TrainingRows, read_catalogue, write_catalogue

ALL = "all"
LEAST = 2
"""Labels: fewer than two give no second pair, and no two folds."""


@dataclass(frozen=True)
class LabelSubset:
    """``asked`` labels, or all of them (0), as the subset of a seed."""

    seed: int
    asked: int

    @property
    def name(self) -> str:
        """``64``, or ``all``."""
        return str(self.asked or ALL)

    def folder(self, workspace: Workspace) -> Path:
        """Where the workspace with these labels is."""
        return workspace.root / "utility" / "labels" / str(self.seed) / self.name


def numbers_of(words: Sequence[str], there: int) -> list[int]:
    """``["16", "all"]`` -> numbers of labels in ascending order, 0 for all. Raises ConfigError for what is no number,
    for fewer than ``LEAST``, and for more than the ``there`` labelled training photos."""
    wrong = [word for word in words if word != ALL and not (word.isdecimal() and LEAST <= int(word) <= there)]
    if wrong or not words:
        raise ConfigError(
            f"--labels {','.join(words)}: {', '.join(wrong) or 'none'}",
            f"numbers from {LEAST} to {there}, the labelled training photos that there are, or all",
            "e.g. 16,32,64,all",
        )
    numbers = {0 if word == ALL or int(word) == there else int(word) for word in words}
    return sorted(numbers, key=lambda number: number or there)


def chosen(rows: Sequence[CatalogueRow], subset: LabelSubset) -> list[CatalogueRow]:
    """The rows whose labels are known, in the order of ``rows``: the seed's first groups, while they fit."""
    if not subset.asked:
        return list(rows)
    known: set[str] = set()
    for group in _order(rows, subset.seed):
        if len(known) + len(group) > subset.asked:
            break
        known |= {row.id for row in group}
    return [row for row in rows if row.id in known]


def _order(rows: Sequence[CatalogueRow], seed: int) -> list[list[CatalogueRow]]:
    """Groups at random, but evenly by class: the k-th of a class's m groups stands at about (k + 1/2) / m."""
    groups: dict[str, list[CatalogueRow]] = {}
    for row in rows:
        groups.setdefault(row.group or row.id, []).append(row)
    classes: dict[str, list[list[CatalogueRow]]] = {}
    for group in groups.values():
        classes.setdefault(group[0].car_class.name, []).append(group)
    places: list[tuple[float, str, list[CatalogueRow]]] = []
    for name, own in sorted(classes.items()):
        draw = random.Random(derive(seed, "labels", name))
        draw.shuffle(own)
        places += [((k + draw.random()) / len(own), group[0].id, group) for k, group in enumerate(own)]
    return [group for *_, group in sorted(places, key=lambda place: place[:2])]


def labelled_workspace(workspace: Workspace, subset: LabelSubset) -> Workspace:
    """The workspace in which only the subset's labels are known, made where it is not there yet; files are links.

    Raises DataError where there is one that was made of other data.
    """
    place = Workspace(subset.folder(workspace))
    rows = read_catalogue(workspace.require_catalogue())
    known = {row.id for row in chosen(TrainingRows.of(rows).rows, subset)}
    wanted = [row if row.split != "train" or row.problem or row.id in known else _hidden(row) for row in rows]
    wanted += list(Catalogue(workspace.catalogue).unlabelled())
    if place.catalogue.is_file():
        if _rows(place) != sorted(wanted, key=lambda row: row.id):
            raise DataError(
                f"{place.root}: labels of another catalogue", "those of the workspace as it is", "remove the folder"
            )
        return place
    for source, target in _files(workspace, place, wanted):
        _link(source, target)
    write_catalogue(place.catalogue, wanted)  # last: without it the folder is made again
    return place


def _rows(place: Workspace) -> list[CatalogueRow]:
    found = Catalogue(place.catalogue)
    return sorted(chain(found, found.unlabelled()), key=lambda row: row.id)


def _hidden(row: CatalogueRow) -> CatalogueRow:
    """The row of a photo that is cut around its car, and nothing else is known of it."""
    bare = CatalogueRow("none", "", "")
    return replace(
        row,
        labelled=False,
        histogram=[],
        off_palette=0.0,
        orientation=bare.orientation,
        doors=bare.doors,
        confidence=0.0,
    )


def _files(workspace: Workspace, place: Workspace, rows: Iterable[CatalogueRow]) -> Iterator[tuple[Path, Path]]:
    yield workspace.schema, place.schema
    for row in rows:
        if row.problem:
            continue
        if row.labelled:
            yield workspace.photo(row.id), place.photo(row.id)
            yield workspace.mask(row.id), place.mask(row.id)
            yield workspace.silhouette(row.id), place.silhouette(row.id)
        else:
            yield workspace.photo(row.id), place.unlabelled_photo(row.id)
            yield workspace.unlabelled_photo(row.id), place.unlabelled_photo(row.id)


def _link(source: Path, target: Path) -> None:
    """What is not there is not needed: silhouettes, and the one of two places where a photo without a mask is not."""
    if not source.is_file() or target.exists():
        return
    make_folder(target.parent)
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without links
        shutil.copyfile(source, target)
