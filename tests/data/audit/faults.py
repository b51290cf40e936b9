"""Rendered cars with faults planted into them: what an audit has to find, and what it must leave alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from augkit.core.classes import CarClass
from augkit.core.workspace import Workspace
from augkit.data.catalogue import Split
from augkit.data.samples import PartMask, Sample
from augkit.settings import load_settings
from augkit.sources.render import render_schema
from augkit.sources.render.rendered_samples import rendered_sample
from tests.importing import import_samples

SIZE = 128
SCHEMA = render_schema()
COUNTS = {
    "front-left-5": 18, "front-right-5": 18, "back-left-5": 18, "back-right-5": 18,
    "front-left-3": 14, "front-right-3": 14, "back-left-3": 10, "back-right-3": 10,
}  # fmt: skip
EACH = 4
"""Planted pairs of each kind of fault."""

Samples = list[Sample]


def cars() -> Samples:
    """120 cars, eight classes; the classes take turns, so that any run of them is mixed."""
    made = [
        rendered_sample(CarClass.parse(name), number, SIZE, seed=5)
        for number in range(max(COUNTS.values()))
        for name, count in COUNTS.items()
        if number < count
    ]
    assert len(made) == 120
    return made


def arrays(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    assert isinstance(sample.photo, np.ndarray) and isinstance(sample.mask, np.ndarray)
    return sample.photo, sample.mask


def write(samples: Samples, root: Path) -> Workspace:
    workspace, settings = Workspace(root), load_settings("smoke", [f"data.size={SIZE}"])
    import_samples(samples, SCHEMA, workspace, settings, settings.seed)
    return workspace


@dataclass(frozen=True)
class Fault:
    """A kind of fault in single pairs: the check that has to find it, and the ids that it has to name.

    ``also`` are other checks that rightly name these pairs.
    """

    kind: str
    check: str
    ids: frozenset[str]
    also: frozenset[str] = frozenset()


# Faults of the source: each takes some samples and gives what replaces them.


def shifted(sample: Sample, number: int) -> Samples:
    """8 to 13 px of a 256 px frame, in all directions."""
    photo, mask = arrays(sample)
    angle, length = 2 * np.pi * (number + 0.4) / EACH, (8 + 5 * number / (EACH - 1)) / 256 * SIZE
    x, y = round(length * np.cos(angle)), round(length * np.sin(angle))
    moved = cv2.warpAffine(
        mask, np.array([[1, 0, x], [0, 1, y]], np.float32), mask.shape[::-1], flags=cv2.INTER_NEAREST
    )
    return [replace(sample, photo=photo, mask=np.asarray(moved, np.uint8))]


def mirrored(sample: Sample, number: int) -> Samples:
    return [replace(sample, mask=SCHEMA.flip(arrays(sample)[1]))]


def copied(sample: Sample, number: int) -> Samples:
    return [sample, replace(sample, id=f"{sample.id}-copy", source_file=f"copy/{sample.source_file}")]


def saved_again(sample: Sample, number: int) -> Samples:
    """Smaller by a tenth and back, brighter, and JPEG of quality 60."""
    photo, mask = arrays(sample)
    side = photo.shape[0]
    smaller = cv2.resize(photo, (round(0.9 * side),) * 2, interpolation=cv2.INTER_AREA)
    bright = np.clip(cv2.resize(smaller, (side, side)).astype(int) + 14, 0, 255).astype(np.uint8)
    done, data = cv2.imencode(".jpg", bright[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 60])
    assert done
    return [sample, replace(sample, id=f"{sample.id}-again", source_file="again.jpg", photo=data.tobytes(), mask=mask)]


def on_both_sides(sample: Sample, number: int) -> Samples:
    splits: tuple[Split, Split] = ("train", "val")
    return [replace(each, split=split) for each, split in zip(copied(sample, number), splits, strict=True)]


def one_wheel(sample: Sample, number: int) -> Samples:
    _, mask = arrays(sample)
    wheel = max((part.id for part in SCHEMA.parts if "wheel" in part.name), key=lambda id: int((mask == id).sum()))
    return [replace(sample, mask=np.where(mask == wheel, mask, 0).astype(np.uint8))]


def specks(sample: Sample, number: int) -> Samples:
    """Two specks in the corners of an otherwise empty mask: the car is not labelled."""
    mask = np.zeros_like(arrays(sample)[1])
    mask[4:9, 4:9] = mask[-9:-4, -9:-4] = 1
    return [replace(sample, mask=mask)]


def cut_off(sample: Sample, number: int) -> Samples:
    """A photo that ends within the car, after 60 or 70 % of its width or height."""
    photo, mask = arrays(sample)
    rows, columns = np.flatnonzero((mask > 0).any(1)), np.flatnonzero((mask > 0).any(0))
    share = 0.6 if number % 2 else 0.7
    if number < 2:
        end = int(columns[0] + share * (columns[-1] - columns[0]))
        photo, mask = photo[:, :end], mask[:, :end]
    else:
        end = int(rows[0] + share * (rows[-1] - rows[0]))
        photo, mask = photo[:end], mask[:end]
    return [replace(sample, photo=np.ascontiguousarray(photo), mask=np.ascontiguousarray(mask))]


def exchanged_labels(sample: Sample, number: int) -> Samples:
    return [replace(sample, mask=SCHEMA.flip_table[arrays(sample)[1]])]


def one_label_exchanged(sample: Sample, number: int) -> Samples:
    """The largest door with the other side's name."""
    _, mask = arrays(sample)
    door = max((part.id for part in SCHEMA.parts if "door" in part.name), key=lambda id: int((mask == id).sum()))
    return [replace(sample, mask=np.where(mask == door, SCHEMA.flip_table[door], mask).astype(np.uint8))]


def resized_smoothly(sample: Sample, number: int) -> Samples:
    """The mask of a smaller copy, enlarged with interpolation between the ids."""
    mask = arrays(sample)[1]
    side = mask.shape[0]
    smaller = cv2.resize(mask, (round(side * (0.5 + 0.1 * number)),) * 2, interpolation=cv2.INTER_NEAREST)
    smooth = (cv2.INTER_LINEAR, cv2.INTER_CUBIC)[number % 2]
    blended = np.minimum(cv2.resize(smaller, mask.shape, interpolation=smooth), SCHEMA.channels - 1)
    return [replace(sample, mask=np.asarray(blended, np.uint8))]


def off_palette(sample: Sample, number: int) -> Samples:
    return [replace(sample, mask=PartMask(arrays(sample)[1], off_palette=0.02 * (number + 1)))]


def without_mask(sample: Sample, number: int) -> Samples:
    return [replace(sample, mask=None)]


AT_THE_SOURCE: tuple[tuple[str, str, Callable[[Sample, int], Samples]], ...] = (
    ("mask shifted", "alignment", shifted),
    ("mask mirrored, photo not", "alignment", mirrored),
    ("photo copied", "duplicates", copied),
    ("photo saved again", "near-duplicates", saved_again),
    ("photo on both sides of a split", "leaks", on_both_sides),
    ("one wheel labelled", "empty", one_wheel),
    ("specks labelled", "empty", specks),
    ("car cut by the border", "border", cut_off),
    ("left and right exchanged", "sides", exchanged_labels),
    ("one door of the other side", "sides", one_label_exchanged),
    ("colours off the palette", "palette", off_palette),
    ("mask resized smoothly", "seams", resized_smoothly),
    ("sample without a mask", "imported", without_mask),
)

ALSO = {
    "photo on both sides of a split": frozenset({"duplicates"}),
    "one wheel labelled": frozenset({"alignment"}),  # a circle fits many places
    "specks labelled": frozenset({"alignment"}),
    "mask shifted": frozenset({"border"}),
    "mask resized smoothly": frozenset({"sides"}),  # slivers are labels of the other side, too
}


# Faults of the workspace: made in the files of a pair after the import.


def _edit_mask(path: Path, edit: Callable[[np.ndarray], np.ndarray]) -> None:
    with Image.open(path) as image:
        mask = np.array(image)
    Image.fromarray(edit(mask)).save(path)


def strange_id(workspace: Workspace, id: str) -> None:
    def edit(mask: np.ndarray) -> np.ndarray:
        mask[60:64, 60:64] = SCHEMA.channels + 3
        return mask

    _edit_mask(workspace.mask(id), edit)


def emptied(workspace: Workspace, id: str) -> None:
    _edit_mask(workspace.mask(id), np.zeros_like)


def truncated(workspace: Workspace, id: str) -> None:
    path = workspace.photo(id)
    path.write_bytes(path.read_bytes()[:-400])


def missing(workspace: Workspace, id: str) -> None:
    workspace.mask(id).unlink()


def smaller(workspace: Workspace, id: str) -> None:
    _edit_mask(workspace.mask(id), lambda mask: np.ascontiguousarray(mask[:-8]))


def leaking(workspace: Workspace, id: str) -> None:
    workspace.silhouettes.mkdir(exist_ok=True)
    Image.new("L", (SIZE, SIZE), 255).save(workspace.silhouette(id))


IN_THE_WORKSPACE: tuple[tuple[str, str, Callable[[Workspace, str], None]], ...] = (
    ("id out of the schema", "ids", strange_id),
    ("mask emptied", "empty", emptied),
    ("photo truncated", "files", truncated),
    ("mask missing", "files", missing),
    ("mask of another size", "files", smaller),
    ("silhouette over the whole photo", "silhouettes", leaking),
)


def plant(clean: Samples, root: Path) -> tuple[Workspace, list[Fault]]:
    """The cars with every kind of fault of single pairs in ``EACH`` of them, as a workspace."""
    faults: list[Fault] = []
    pool = iter(clean)
    samples: Samples = []
    for kind, check, spoil in AT_THE_SOURCE:
        spoilt = [each for number in range(EACH) for each in spoil(next(pool), number)]
        samples += spoilt
        faults.append(Fault(kind, check, frozenset(sample.id for sample in spoilt), ALSO.get(kind, frozenset())))
    swapped = [next(pool) for _ in range(EACH)]
    samples += [replace(one, mask=other.mask) for one, other in zip(swapped, swapped[1:] + swapped[:1], strict=True)]
    faults.append(Fault("mask of another photo", "alignment", frozenset(sample.id for sample in swapped)))
    edits = [(kind, check, edit, [next(pool) for _ in range(EACH)]) for kind, check, edit in IN_THE_WORKSPACE]
    samples += [sample for *_, chosen in edits for sample in chosen]
    workspace = write(samples + list(pool), root)
    for kind, check, edit, chosen in edits:
        for sample in chosen:
            edit(workspace, sample.id)
        faults.append(Fault(kind, check, frozenset(sample.id for sample in chosen)))
    return workspace, faults


def confounded(clean: Samples) -> Samples:
    """Three-door cars before orange, five-door cars before black, as CAD sets have them; subsets named after these."""
    painted = []
    for sample in clean:
        photo, mask = arrays(sample)
        name, colour = ("orange", (235, 120, 20)) if sample.id.split("-")[2] == "3" else ("black", (6, 6, 6))
        background = np.where((mask == 0)[..., None], np.array(colour, np.uint8), photo)
        painted.append(replace(sample, photo=background, subset=name))
    return painted


def lopsided(clean: Samples) -> Samples:
    """Two three-door cars seen from behind, the others left out."""
    rare = [sample for sample in clean if sample.id.startswith(("back-left-3", "back-right-3"))]
    return [sample for sample in clean if sample not in rare[2:]]
