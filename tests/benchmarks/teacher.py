"""What a teacher of few labels reads of photos whose labels are hidden from it.

    OMP_NUM_THREADS=1 python tests/benchmarks/teacher.py SRC --workspace DIR --labelled 80 --seed 0

``SRC`` is a COCO data set of parts. It is imported into ``DIR/labels``; then ``--labelled`` of its training photos,
drawn by the seed, and all held-out ones into ``DIR/few``, where the other training photos come without their masks and,
but for ``--boxes``, without the squares around their cars. After each round of the teacher the photos are read, and
what was kept is held against the hidden labels: the share kept and the share right, for each part. What was done
already in ``DIR`` is not done again. ``--set`` changes settings.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from augkit.core.seeds import derive
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow, read_catalogue, usable
from augkit.data.importers.coco import read_coco
from augkit.data.ingest.ingestion import ingest
from augkit.data.ingest.photo_ingestion import ingest_photos
from augkit.data.readings import ReadingFolder
from augkit.data.samples import CarBox, Sample, SampleSet
from augkit.evaluate.hidden_labels import TeacherFigures, evaluate_teacher
from augkit.settings import Settings, dump_settings, load_settings
from augkit.stages.photo_readings import PhotoReader
from augkit.stages.teacher import Teacher


def prepare(source: Path, folder: Path, settings: Settings, labelled: int, boxes: bool) -> tuple[Workspace, Workspace]:
    """The workspace with all labels, and the one with few."""
    labels, few = Workspace(folder / "labels"), Workspace(folder / "few")
    data, options = read_coco(source), settings.data.options(settings.seed)
    text = dump_settings(settings)
    if not labels.catalogue.is_file():
        ingest(data.samples, data.schema, labels, options, importer="coco", settings=text)
    rows = {row.id: row for row in usable(read_catalogue(labels.catalogue))}
    training = [id for id, row in rows.items() if row.split == "train"]
    hidden = set(sorted(training, key=lambda id: derive(settings.seed, "hidden", id))[labelled:])
    if not few.catalogue.is_file():
        kept = [replace(s, split=rows[s.id].split) for s in data.samples if s.id in rows and s.id not in hidden]
        ingest(kept, data.schema, few, options, importer="coco", settings=text)
        photos = list(unlabelled(data, rows, hidden, boxes))
        print(ingest_photos(photos, few, options, importer="photos").to_dict())
    return labels, few


def unlabelled(data: SampleSet, rows: dict[str, CatalogueRow], hidden: set[str], boxes: bool) -> Iterator[Sample]:
    """The samples without their masks."""
    for sample in data.samples:
        if sample.id in hidden:
            row = rows[sample.id]
            margin = row.crop_side * (1 - 1 / 1.12) / 2
            x, y, side = row.crop_x + margin, row.crop_y + margin, row.crop_side - 2 * margin
            car = CarBox((x, y, x + side, y + side), (row.height, row.width)) if boxes else None
            yield replace(sample, mask=None, car=car)


def show(title: str, found: TeacherFigures) -> None:
    """A line a part, as Markdown."""
    print(f"\n{title}: {found.pairs} pairs of {found.photos} photos, class right {found.classes_right:.1%}")
    for reason, count in found.refused.items():
        print(f"  {count} refused, {reason}")
    print("| part | kept | right |\n|---|---:|---:|")
    for part in [*found.parts, found.whole]:
        print(f"| {part.name} | {part.kept:.1%} | {part.right:.1%} |")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--labelled", type=int, default=80)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--boxes", action="store_true", help="say where the cars are")
    parser.add_argument("--set", dest="changes", action="append", default=[])
    told = parser.parse_args()
    settings = load_settings("cpu", [f"seed={told.seed}", *told.changes])
    labels, few = prepare(told.source, told.workspace, settings, told.labelled, told.boxes)

    def read(number: int, reader: PhotoReader, agreement: float) -> None:
        folder = told.workspace / f"round-{number + 1}"
        teacher.readings.write(teacher.photos, [(reader, folder)], "benchmark", lambda *_: None)
        title = f"round {number + 1}, mean IoU on labels that were not seen {agreement:.3f}"
        show(title, evaluate_teacher(few, labels, ReadingFolder(folder)))

    teacher = Teacher(few, settings, on_round=read)
    teacher.train()


if __name__ == "__main__":
    main()
