"""How much longer an import takes than decoding the same files in a plain loop, on one core.

    OMP_NUM_THREADS=1 taskset -c 0 python tests/benchmarks/import_speed.py DATASET --importer coco [--as-folder]

Three things are timed in turn, round after round, each over the whole data set with the files in the page cache:

- photos: every photo is read and decoded with Pillow to an array, nothing else;
- photos and masks: the same, and every annotation is decoded to a mask as pycocotools' guide does it (``annToMask`` of
  each annotation, painted into one array in the order of the file); mask files are decoded with Pillow. For ``coco``
  and ``folder``;
- import: what ``augkit import --workers 1`` does: the two above with all checks, the square cut out and resized, photo
  and mask encoded and written, hashes, class, groups, splits, catalogue.

With ``--as-folder`` the data set is first written as a folder of the same photos and of masks as grey PNG files, and
that is what is read and imported: masks that take a fifth of the time of annotations to decode.

Times are the fastest round of each, in processor time and in wall time (which includes waiting for disk and other
processes); ratios are the medians of the rounds' ratios. The target of 1.3 is against photos and masks, in processor
time; above it the exit code is 1. An import that also encodes and writes every pair cannot come near the time of
decoding the photos alone.

Workspaces are made in ``--folder`` and removed at the end. Making two files a photo is part of an import, and its share
is the file system's: ext4 passes over the places of files that were removed in the last minute, one by one, so a folder
in memory (``--folder /dev/shm``) says what the import itself takes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from augkit.core.workspace import Workspace
from augkit.data.importers import IMPORTERS
from augkit.data.importers._pictures import MaskFile
from augkit.data.ingest.ingest_options import IngestOptions
from augkit.data.ingest.ingestion import ingest
from augkit.data.samples import SampleSet, read

TARGET = 1.3


def decode_photos(source: Path, data: SampleSet) -> None:
    """The plain loop over photos."""
    for sample in data.samples:
        with Image.open(source / sample.source_file) as photo:
            np.asarray(photo.convert("RGB"))


def decode_pairs(source: Path, annotations: Path) -> None:
    """The plain loop over photos and their annotations."""
    from pycocotools import mask as coco

    table = json.loads(annotations.read_text())
    shapes = defaultdict(list)
    for annotation in table["annotations"]:
        shapes[annotation["image_id"]].append(annotation)
    for image in table["images"]:
        with Image.open(source / image.get("path", image["file_name"])) as photo:
            np.asarray(photo.convert("RGB"))
        mask = np.zeros((image["height"], image["width"]), np.uint8)
        for annotation in shapes[image["id"]]:
            rings = annotation["segmentation"]
            rings = json.loads(rings) if isinstance(rings, str) else rings
            cover = coco.decode(coco.merge(coco.frPyObjects(rings, *mask.shape)))
            mask[cover == 1] = annotation["category_id"]


def decode_files(source: Path, data: SampleSet) -> None:
    """The plain loop over photos and mask files."""
    for sample in data.samples:
        assert isinstance(sample.mask, MaskFile)
        with Image.open(source / sample.source_file) as photo, Image.open(sample.mask.path) as mask:
            np.asarray(photo.convert("RGB"))
            np.asarray(mask)


def write_folder(data: SampleSet, folder: Path) -> Path:
    """The samples as photos and masks in files, with the list of parts."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    lines = [f"{part.id},{part.name},{','.join(map(str, part.colour))}" for part in data.schema.parts]
    (folder / "parts.csv").write_text("\n".join(["id,name,red,green,blue", *lines]))
    for sample in data.samples:
        assert callable(sample.photo)
        (folder / "images" / f"{sample.id}.jpg").write_bytes(sample.photo())
        Image.fromarray(read(sample).mask).save(folder / "masks" / f"{sample.id}.png")
    return folder


def import_all(source: Path, importer: str, folder: Path) -> None:
    """The import, into a new workspace in the folder."""
    data = IMPORTERS[importer](source, None)
    workspace = Workspace(Path(tempfile.mkdtemp(dir=folder)) / "ws")
    ingest(data.samples, data.schema, workspace, IngestOptions(), importer=importer, settings="")


def seconds(work: Callable[[], None]) -> tuple[float, float]:
    """Processor and wall time of a call."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.process_time() - processor, time.perf_counter() - wall


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--importer", default="coco")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--folder", type=Path, help="where workspaces are made; the system's folder for temporary files"
    )
    parser.add_argument("--as-folder", action="store_true", help="import the same photos and masks as picture files")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    source, importer = options.source, options.importer
    data = IMPORTERS[importer](source, None)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        if options.as_folder:
            source, importer = write_folder(data, Path(folder) / "data"), "folder"
            data = IMPORTERS[importer](source, None)
        works: dict[str, Callable[[], None]] = {"photos": lambda: decode_photos(source, data)}
        if importer == "coco":
            works["photos and masks"] = lambda: decode_pairs(source, source / "annotations.json")
        if importer == "folder":
            works["photos and masks"] = lambda: decode_files(source, data)
        works["import"] = lambda: import_all(source, importer, Path(folder))
        works["photos"]()  # files into the page cache
        works["import"]()  # modules into memory
        rounds = [{name: seconds(work) for name, work in works.items()} for _ in range(options.rounds)]
    each = 1000 / len(data.samples)
    for name in works:
        processor, wall = (min(taken[name][kind] for taken in rounds) * each for kind in (0, 1))
        print(f"{name:17s} {processor:6.2f} ms a photo ({wall:.2f} ms wall)")
    ratio = 0.0
    for name in list(works)[:-1]:
        ratio, wall = (
            statistics.median(taken["import"][kind] / taken[name][kind] for taken in rounds) for kind in (0, 1)
        )
        print(f"import / {name:17s} {ratio:5.2f} ({wall:.2f} wall)")
    return 0 if ratio <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
