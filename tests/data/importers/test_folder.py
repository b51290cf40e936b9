from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from augkit.core.errors import ConfigError, DataError
from augkit.core.parts import PartSchema
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow
from augkit.data.importers import IMPORTERS
from augkit.data.importers.folder import read_folder
from augkit.data.ingest.ingest_options import IngestOptions
from augkit.data.ingest.ingestion import ingest
from augkit.data.ingest.journal import stamp
from augkit.data.samples import Sample, SampleSet, read
from tests.data.importers.makers.folder import make
from tests.data.importers.makers.pictures import COLOURS, PARTS, mask, photo, save

LIST = "\n".join(["id,name", *(f"{id},{name}" for id, name in enumerate(PARTS, 1))])


def _set(root: Path, *files: str) -> Path:
    """A data set of these files: masks where their names say so, else photos; one number a stem."""
    for file in files:
        stem = file.rpartition(".")[0].removesuffix("_mask").removesuffix(".mask").rpartition("/")[2]
        is_mask = file != "images/a_mask.jpg" and ("mask" in file.lower() or "labels" in file)
        save(root / file, (mask if is_mask else photo)(sum(stem.encode())))
    (root / "parts.csv").write_text(LIST)
    return root


def _problems(found: SampleSet) -> dict[str, str]:
    """What goes wrong with each sample, known beforehand or when it is read."""
    problems = {}
    for sample in found.samples:
        try:
            read(sample)
        except (DataError, OSError) as error:
            problems[sample.source_file] = str(error)
    return problems


def _by_file(found: SampleSet) -> dict[str, Sample]:
    return {sample.source_file: sample for sample in found.samples}


def test_it_is_registered() -> None:
    assert IMPORTERS["folder"] is read_folder


@pytest.mark.parametrize(
    "files",
    [
        ("images/a.jpg", "images/b.png", "masks/a.png", "masks/b.png"),
        ("photos/a.jpg", "photos/b.jpg", "labels/a.png", "labels/b.tif"),
        ("Images/x/a.jpg", "Images/b.jpg", "Masks/x/a.png", "Masks/b.png"),
        ("images/a.jpg", "images/b.jpg", "masks/a_mask.png", "masks/b.mask.png"),
        ("a.jpg", "a.mask.png", "b.jpg", "b_mask.png"),
        ("x/a.png", "x/a_mask.png", "b.jpg", "b.mask.png"),
        ("images/train/a.jpg", "images/train/a_mask.png", "images/b.jpg", "images/b.mask.png"),
        ("a.jpg", "b.jpg", "masks/a.png", "masks/b.png"),
        ("train/images/a.jpg", "train/masks/a.png", "b/images/b.jpg", "b/masks/b.png"),
        ("images/a_mask.jpg", "images/b.jpg", "masks/a_mask.png", "masks/b.png"),
    ],
)
def test_layouts(tmp_path: Path, files: tuple[str, ...]) -> None:
    found = read_folder(_set(tmp_path, *files))
    assert found.schema.names[1:] == PARTS and len(found.samples) == 2
    for sample in found.samples:
        reading = read(sample)
        number = sum(Path(sample.source_file).stem.removesuffix("_mask").encode())
        assert (reading.mask == mask(number)).all()
        if sample.source_file.endswith(".png"):
            assert (reading.photo == photo(number)).all()


def test_pairs_are_told_by_stem_and_never_by_order(tmp_path: Path) -> None:
    """With as many masks as photos, each one place further, pairing by order would give two wrong pairs."""
    files = [*(f"images/{name}.jpg" for name in "abc"), *(f"masks/{name}.png" for name in "bcd")]
    assert _problems(read_folder(_set(tmp_path, *files))) == {
        "images/a.jpg": "no mask has the photo's stem, a",
        "masks/d.png": "no photo has the mask's stem, d",
    }


def test_splits_and_subsets_are_folders(tmp_path: Path) -> None:
    places = ["train/a", "val/b", "test/x/c", "black/y/d", "valid/e", "f"]
    files = [f"{kind}/{place}.png" for kind in ("images", "masks") for place in places]
    found = {s.id: (s.split, s.subset) for s in read_folder(_set(tmp_path, *files)).samples}
    assert found == {
        "a": ("train", ""), "b": ("val", ""), "c": ("test", "x"), "d": (None, "black/y"), "e": ("val", ""),
        "f": (None, ""),
    }  # fmt: skip


def test_the_fixed_splits_are_the_catalogues(tmp_path: Path) -> None:
    places = ["train/a", "val/b", "test/c"]
    data = read_folder(_set(tmp_path / "src", *(f"{k}/{place}.png" for k in ("images", "masks") for place in places)))
    rows = ingest(
        data.samples, data.schema, Workspace(tmp_path / "ws"), IngestOptions(size=32), importer="folder", settings=""
    )
    assert {row.id: row.split for row in rows} == {"a": "train", "b": "val", "c": "test"}


def test_splits_are_known_beside_masks_of_one_folder(tmp_path: Path) -> None:
    for root, place in ((tmp_path / "one", "train/a"), (tmp_path / "other", "images/train/a")):
        (sample,) = read_folder(_set(root, f"{place}.jpg", f"{place}_mask.png")).samples
        assert (sample.split, sample.subset) == ("train", "")


def test_one_stem_in_two_splits_is_two_samples(tmp_path: Path) -> None:
    files = ("images/train/a.jpg", "images/val/a.jpg", "masks/train/a.png", "masks/val/a.png")
    found = read_folder(_set(tmp_path, *files))
    assert len({sample.id for sample in found.samples}) == 2 and _problems(found) == {}


def test_stems_used_twice_are_problems(tmp_path: Path) -> None:
    files = ("images/a.jpg", "images/a.png", "masks/a.png", "images/b.jpg", "masks/b.png", "masks/b.tif")
    assert _problems(read_folder(_set(tmp_path, *files))) == {
        "images/a.jpg": "2 photos have the stem a: images/a.jpg, images/a.png",
        "images/a.png": "2 photos have the stem a: images/a.jpg, images/a.png",
        "images/b.jpg": "2 masks have the stem b: masks/b.png, masks/b.tif",
    }


def test_names_with_spaces_dots_and_accents(tmp_path: Path) -> None:
    composed, apart = (unicodedata.normalize(form, "été 車 1.2") for form in ("NFC", "NFD"))
    found = read_folder(_set(tmp_path, f"images/{apart}.jpg", f"masks/{composed}.png", "images/a b.jpg"))
    assert composed != apart
    assert _problems(found) == {"images/a b.jpg": "no mask has the photo's stem, a b"}


def test_what_is_hidden_or_lies_elsewhere_is_left_out(tmp_path: Path) -> None:
    files = (
        "images/a.jpg",
        "masks/a.png",
        "preview.png",
        "images/._a.jpg",
        ".thumbs/images/b.jpg",
        "__MACOSX/masks/c.png",
    )
    assert [sample.source_file for sample in read_folder(_set(tmp_path, *files)).samples] == ["images/a.jpg"]


def test_every_fault_of_a_file_is_the_problem_of_its_sample(tmp_path: Path) -> None:
    names = ("fine", "resized", "cut photo", "cut mask", "text", "strange", "linked", "grey")
    root = _set(tmp_path / "set", *(f"{kind}/{name}.png" for kind in ("images", "masks") for name in names))
    for name in names:  # "cut mask" is a photo, too
        save(root / f"images/{name}.png", photo(0))
    save(root / "masks/resized.png", mask(0, 40, 50))
    for file in ("images/cut photo.png", "masks/cut mask.png"):
        (root / file).write_bytes((root / file).read_bytes()[:60])
    (root / "masks/text.png").write_text("not a picture")
    save(root / "masks/strange.png", np.full((40, 56), 99, np.uint8))
    (root / "masks/linked.png").rename(tmp_path / "outside.png")
    (root / "masks/linked.png").symlink_to(tmp_path / "outside.png")
    save(root / "images/grey.png", photo(0)[..., 0].astype(np.uint16))
    problems = _problems(read_folder(root))
    assert "the mask cannot be read" in problems.pop("images/cut mask.png")
    assert "the photo cannot be read" in problems.pop("images/cut photo.png")
    assert "outside the data set's folder" in problems.pop("images/linked.png")
    assert "8 bits a channel" in problems.pop("images/grey.png")
    assert problems == {
        "images/resized.png": "the photo is 56x40 pixels, but its annotation is for 50x40",
        "images/text.png": "the mask cannot be read: no picture of a known format",
        "images/strange.png": "the mask has values that parts.csv does not list: 99 (2240 px)",
    }


def test_a_folder_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    root = _set(tmp_path / "set", "images/a.jpg", "masks/a.png")
    (root / "images").rename(tmp_path / "outside")
    (root / "images").symlink_to(tmp_path / "outside")
    with pytest.raises(DataError, match="outside the data set's folder"):
        read_folder(root)


def test_coloured_masks_say_how_many_pixels_are_off(tmp_path: Path) -> None:
    root = make(tmp_path / "set", 2)
    colours = np.array([(0, 0, 0), *COLOURS], np.uint8)
    for number, off in ((0, 0), (1, 1)):
        save(root / f"masks/{number}.png", np.where(mask(number)[..., None] > 0, colours[mask(number)] - off, 0))
    rows = [f"{id},{name},{r},{g},{b}" for id, (name, (r, g, b)) in enumerate(zip(PARTS, COLOURS, strict=True), 1)]
    (root / "parts.csv").write_text("\n".join(["id,name,red,green,blue", *rows]))
    data = read_folder(root)
    assert [(read(sample).mask == mask(n)).all() for n, sample in enumerate(data.samples)] == [True, True]
    made: list[CatalogueRow] = ingest(
        data.samples, data.schema, Workspace(tmp_path / "ws"), IngestOptions(size=32), importer="folder", settings=""
    )
    assert made[0].off_palette == 0 and made[1].off_palette == pytest.approx(float((mask(1) > 0).mean()))


def test_the_pairs_of_a_workspace_can_be_read_again(tmp_path: Path) -> None:
    data, workspace = read_folder(make(tmp_path / "set", 3)), Workspace(tmp_path / "ws")
    rows = ingest(data.samples, data.schema, workspace, IngestOptions(size=32), importer="folder", settings="")
    again = read_folder(workspace.pairs, workspace.schema)
    assert again.schema == data.schema and [sample.id for sample in again.samples] == [row.id for row in rows]
    for sample in again.samples:
        with Image.open(workspace.mask(sample.id)) as stored:
            assert (read(sample).mask == np.asarray(stored)).all()


def test_the_parts_file_may_be_elsewhere(tmp_path: Path) -> None:
    root = make(tmp_path / "set", 1)
    (root / "parts.csv").rename(tmp_path / "list.csv")
    assert read_folder(root, tmp_path / "list.csv").schema == PartSchema.from_names(PARTS)


def test_there_is_no_default_for_the_names(tmp_path: Path) -> None:
    root = make(tmp_path / "set", 1)
    (root / "parts.csv").unlink()
    with pytest.raises(ConfigError, match=r"which part a value of the masks is(.|\n)*id,name") as error:
        read_folder(root)
    assert "--annotations" in error.value.remedy


@pytest.mark.parametrize("files", [(), ("images/a.jpg",), ("masks/a.png",), ("a.jpg", "b.jpg")])
def test_a_folder_without_photos_or_masks_is_refused_as_a_whole(tmp_path: Path, files: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match=r"photos and \d masks(.|\n)*images/ and masks/") as error:
        read_folder(_set(tmp_path, *files))
    assert "CSV with the header" in error.value.remedy


def test_a_folder_of_yolo_labels_is_sent_to_its_importer(tmp_path: Path) -> None:
    root = _set(tmp_path, "images/a.jpg")
    (root / "labels").mkdir()
    (root / "labels/a.txt").write_text("0 0 0 1 0 1 1")
    with pytest.raises(DataError, match="import it with yolo"):
        read_folder(root)


def test_a_folder_of_coco_annotations_is_sent_to_its_importer(tmp_path: Path) -> None:
    root = _set(tmp_path, "images/a.jpg")
    (root / "annotations.json").write_text("{}")
    with pytest.raises(DataError, match=r"annotations\.json .*import it with coco"):
        read_folder(root)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(ConfigError, match="a file"):
        read_folder(tmp_path / "a.jpg")


@pytest.mark.parametrize(
    ("photos", "masks"),
    [("JPEGImages", "SegmentationClass"), ("VOC2012/JPEGImages", "VOC2012/SegmentationClass"),
     ("images/training", "annotations/training"), ("JPEGImages", "masks"), ("images", "SegmentationClass")],
)  # fmt: skip
def test_folders_as_other_tools_call_them(tmp_path: Path, photos: str, masks: str) -> None:
    save(tmp_path / photos / "a.jpg", photo(0))
    save(tmp_path / masks / "a.png", mask(0))
    for other in ("SegmentationObject", "SegmentationClassVisualization"):
        save(tmp_path / ("VOC2012" if "VOC2012" in masks else "") / other / "a.png", mask(1))
    (tmp_path / "parts.csv").write_text(LIST)
    (sample,) = read_folder(tmp_path).samples
    assert (read(sample).mask == mask(0)).all()


def test_a_mask_that_changes_is_another_to_an_import_that_goes_on(tmp_path: Path) -> None:
    (sample,) = read_folder(_set(tmp_path, "images/a.jpg", "masks/a.png")).samples
    before = stamp(sample)
    save(tmp_path / "masks/a.png", mask(9, 41))
    assert stamp(sample) != before


def test_annotations_is_a_folder_of_masks_only_where_no_other_is(tmp_path: Path) -> None:
    _set(tmp_path, "images/a.jpg", "masks/a.png")
    save(tmp_path / "annotations/a.png", photo(5))
    assert _problems(read_folder(tmp_path)) == {}
    other = _set(tmp_path / "other", "annotations/a.jpg", "annotations/a_mask.png")
    assert _problems(read_folder(other)) == {} and len(read_folder(other).samples) == 1


@pytest.mark.parametrize("name", ["A", "A_mask", "a%5Fb"])
def test_a_mask_may_be_spelt_in_another_way_than_its_photo(tmp_path: Path, name: str) -> None:
    save(tmp_path / ("images/a_b.jpg" if "b" in name else "images/a.jpg"), photo(0))
    save(tmp_path / "masks" / f"{name}.png", mask(0))
    (tmp_path / "parts.csv").write_text(LIST)
    (sample,) = read_folder(tmp_path).samples
    assert (read(sample).mask == mask(0)).all()


def test_a_mask_that_two_photos_might_have_is_nobodys(tmp_path: Path) -> None:
    _set(tmp_path, "images/B.jpg", "images/b.jpg", "images/c.jpg", "masks/c.png")
    save(tmp_path / "masks/%42.png", mask(0))
    assert sorted(_problems(read_folder(tmp_path))) == ["images/B.jpg", "images/b.jpg", "masks/%42.png"]
