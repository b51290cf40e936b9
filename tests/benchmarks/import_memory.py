"""What an import of many images needs of memory, against one of few.

    OMP_NUM_THREADS=1 python tests/benchmarks/import_memory.py --few 1000 --many 100000

A folder of ``--few`` rendered pairs is written and hard-linked to ``--many``. Each is imported by the ``folder``
importer in a fresh process, with ``--workers``, and the peak resident memory of the importing process (not of its
workers) is printed, with the ratio and the rate. The target for the ratio is 1.25; above it the exit code is 1.

Links have the bytes of their originals, so groups are large and the search for near duplicates is short; its own
memory is measured by ``--distinct``, which appends a number to each copy's file instead of linking it (a JPEG with
another sha256 that shows the same).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from augkit.core.workspace import Workspace
from augkit.data.ingest.ingest_options import IngestOptions

TARGET = 1.25


def render(folder: Path, count: int, size: int) -> None:
    """A data set for the ``folder`` importer: ``images/*.jpg``, ``masks/*.png`` of part ids, ``parts.txt``."""
    import cv2
    import numpy as np

    from augkit.sources.render import render_schema
    from augkit.sources.render.rendered_samples import even_counts, rendered_samples

    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    (folder / "parts.txt").write_text("\n".join(render_schema().names[1:]) + "\n")
    for sample in rendered_samples(even_counts(count), size, 0):
        photo, mask = np.asarray(sample.photo), np.asarray(sample.mask)
        cv2.imwrite(str(folder / "images" / f"{sample.id}.jpg"), photo[:, :, ::-1])
        cv2.imwrite(str(folder / "masks" / f"{sample.id}.png"), mask)


def multiply(source: Path, target: Path, count: int, distinct: bool) -> None:
    """Links the pairs of ``source`` again and again, under other names."""
    (target / "images").mkdir(parents=True)
    (target / "masks").mkdir()
    (target / "parts.txt").write_bytes((source / "parts.txt").read_bytes())
    photos = sorted((source / "images").iterdir())
    for number in range(count):
        photo = photos[number % len(photos)]
        name = f"{photo.stem}-copy-{number // len(photos):04d}"
        if distinct:
            (target / "images" / f"{name}.jpg").write_bytes(photo.read_bytes() + b"%08d\xff\xd9" % number)
        else:
            os.link(photo, target / "images" / f"{name}.jpg")
        os.link(source / "masks" / f"{photo.stem}.png", target / "masks" / f"{name}.png")


def import_one(source: Path, target: Path, size: int, workers: int) -> dict[str, float]:
    """Imports in this process; rows, seconds, peak memory in MB."""
    import cv2

    from augkit.data.importers import IMPORTERS
    from augkit.data.ingest.ingestion import ingest

    cv2.setNumThreads(1)
    begin = time.perf_counter()
    data = IMPORTERS["folder"](source, None)
    options = IngestOptions(size=size)
    rows = ingest(
        data.samples, data.schema, Workspace(target), options, importer="folder", settings="", workers=workers
    )
    usable = sum(not row.problem for row in rows)
    assert usable == len(rows), f"{len(rows) - usable} of {len(rows)} rows have a problem"
    seconds = time.perf_counter() - begin
    return {"rows": len(rows), "seconds": seconds, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def measure(source: Path, target: Path, options: argparse.Namespace) -> dict[str, float]:
    """``import_one`` in a process of its own."""
    command = [sys.executable, __file__, "--import-one", str(source), str(target)]
    command += ["--size", str(options.size), "--workers", str(options.workers)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, float] = json.loads(done.stdout)
    rate = figures["rows"] / figures["seconds"]
    print(f"{figures['rows']:7.0f} images  peak {figures['peak']:6.0f} MB  {rate:6.0f} images/s", flush=True)
    return figures


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--few", type=int, default=1000)
    parser.add_argument("--many", type=int, default=100_000)
    parser.add_argument("--size", type=int, default=64, help="side of the pairs in pixels")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--distinct", action="store_true")
    parser.add_argument("--import-one", nargs=2, type=Path, metavar=("SRC", "WORKSPACE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.import_one:
        print(json.dumps(import_one(*options.import_one, options.size, options.workers)))
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        render(folder / "few", options.few, options.size)
        multiply(folder / "few", folder / "many", options.many, options.distinct)
        few, many = (measure(folder / name, folder / f"{name}-workspace", options) for name in ("few", "many"))
    ratio = many["peak"] / few["peak"]
    print(f"ratio   {ratio:.3f} (target {TARGET})")
    return 0 if ratio <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
