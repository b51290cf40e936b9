from __future__ import annotations

import io
import os
import pickle
import resource
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from augkit.core.errors import ConfigError, DataError
from augkit.data.importers import IMPORTERS
from augkit.data.importers.deloitte import PARTS, _whole, facts_of, read_deloitte
from augkit.data.orientation import classify
from augkit.data.samples import Sample, SampleSet, read
from tests.data.importers.makers.deloitte import array, save


def _only(found: SampleSet) -> Sample:
    (sample,) = found.samples
    return sample


def _problem(root: Path) -> str:
    with pytest.raises(DataError) as error:
        read(_only(read_deloitte(root)))
    return str(error.value)


def test_it_is_registered() -> None:
    assert IMPORTERS["deloitte"] is read_deloitte


def test_the_parts_have_the_published_colours(tmp_path: Path) -> None:
    save(tmp_path, "photo_0001.npy")
    schema = read_deloitte(tmp_path).schema
    assert schema.names[1:] == (
        "hood", "front_door", "rear_door", "frame", "rear_quarter_panel",
        "trunk_lid", "fender", "bumper", "rest_of_car",
    )  # fmt: skip
    assert [part.colour for part in schema.parts[:8]] == [
        (250, 149, 10), (19, 98, 19), (249, 249, 10), (10, 248, 250),
        (149, 7, 149), (5, 249, 9), (20, 19, 249), (249, 9, 250),
    ]  # fmt: skip


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float32, np.dtype(">f8"), np.float16])
def test_photo_and_mask_are_exact_in_every_type(tmp_path: Path, dtype: np.dtype) -> None:
    values = array(label=90)
    values[0, :10, 3] = np.arange(0, 100, 10)
    save(tmp_path, "photo_0100.npy", values.astype(dtype))
    reading = read(_only(read_deloitte(tmp_path)))
    assert reading.photo.dtype == np.uint8 and (reading.photo == values[..., :3]).all()
    assert (reading.mask == values[..., 3] // 10).all()
    assert reading.mask[0, :10].tolist() == list(range(10))


def test_column_order_arrays_are_read_alike(tmp_path: Path) -> None:
    save(tmp_path, "photo_0100.npy", np.asfortranarray(array()))
    assert (read(_only(read_deloitte(tmp_path))).photo == array()[..., :3]).all()


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("black_5_doors_0001.npy", ("black", "5", None)),
        ("orange_3_doors_2001.npy", ("orange", "3", None)),
        ("photo_0001.npy", ("photo", None, "test")),
        ("photo_0030.npy", ("photo", None, "test")),
        ("photo_0031.npy", ("photo", None, None)),
        ("photo_0000.npy", ("photo", None, None)),
        ("deep/down/Photo_0002.NPY", ("photo", None, "test")),
        ("photo_0001_copy.npy", ("other", None, None)),
        ("black_4_doors_0001.npy", ("other", None, None)),
        ("mein Auto é 車.npy", ("other", None, None)),
    ],
)
def test_names_say_subset_doors_and_split(tmp_path: Path, name: str, facts: tuple[str, str | None, str | None]) -> None:
    assert facts_of(name) == facts
    save(tmp_path, name)
    sample = _only(read_deloitte(tmp_path))
    assert (sample.subset, sample.doors, sample.split) == facts and sample.source_file == name
    assert read(sample).mask.any()


def test_the_test_list_has_thirty_photos() -> None:
    names = [f"photo_{number:04}.npy" for number in range(200)]
    assert [name for name in names if facts_of(name)[2] == "test"] == names[1:31]


def test_one_stem_in_two_folders_makes_two_samples(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        save(tmp_path, f"{folder}/black_5_doors_0001.npy")
    samples = list(read_deloitte(tmp_path).samples)
    assert len({sample.id for sample in samples}) == 2
    assert [sample.source_file for sample in samples] == [f"{f}/black_5_doors_0001.npy" for f in "ab"]


class _Trap:
    """Unpickled, it leaves a file behind."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("form", ["npy", "bare pickle", "npz"])
def test_pickled_objects_are_never_loaded(tmp_path: Path, form: str) -> None:
    sprung = tmp_path / "sprung"
    trap = np.array([_Trap(str(sprung))], object)
    stream = io.BytesIO()
    if form == "npz":
        np.savez(stream, trap)
    elif form == "npy":
        np.save(stream, trap, allow_pickle=True)
    else:
        stream.write(pickle.dumps(trap[0]))
    path = tmp_path / "data" / "photo_0001.npy"
    path.parent.mkdir()
    path.write_bytes(stream.getvalue())
    assert "pickled objects are never loaded" in _problem(path.parent)
    assert not sprung.exists()
    with path.open("rb") as file:
        if form == "bare pickle":
            pickle.load(file)
        else:
            loaded = np.load(file, allow_pickle=True)
            loaded["arr_0"] if form == "npz" else None
    assert sprung.exists(), "the trap works, so that what is above says something"


def _with(label: float) -> np.ndarray:
    values = array().astype(np.float64)
    values[0, :3, 3] = label
    return values


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        (np.zeros((8, 8), np.uint8), r"shape \(8, 8\)"),
        (np.zeros((8, 8, 3), np.uint8), r"shape \(8, 8, 3\)"),
        (np.zeros((4, 8, 8), np.uint8), r"shape \(4, 8, 8\)"),
        (np.zeros((0, 8, 4), np.uint8), r"shape \(0, 8, 4\)"),
        (np.zeros((8, 8, 4), np.complex64), "type complex64"),
        (np.zeros((8, 8, 4), bool), "type bool"),
        (np.full((8, 8, 4), "a"), "type <U1"),
        (_with(15), r"outside the table: 15 \(3 pixels\)"),
        (_with(100), r"outside the table: 100 \(3 pixels\)"),
        (_with(255), r"outside the table: 255 \(3 pixels\)"),
        (_with(9.5), "3 label values that are no whole number in 0..255, e.g. 9.5"),
        (_with(-10), "3 label values"),
        (_with(float("nan")), "3 label values"),
        (_with(float("inf")), "3 label values"),
        (np.full((8, 8, 4), 300, np.int16), "192 colour values"),
        (np.full((8, 8, 4), 0.5, np.float32), "192 colour values"),
    ],
)
def test_what_is_no_labelled_photo_is_a_problem(tmp_path: Path, values: np.ndarray, fault: str) -> None:
    save(tmp_path, "photo_0001.npy", values)
    with pytest.raises(DataError, match=fault):
        read(_only(read_deloitte(tmp_path)))


@pytest.mark.parametrize("keep", [0, 3, 60, -1])
def test_truncated_files_are_a_problem(tmp_path: Path, keep: int) -> None:
    path = save(tmp_path, "photo_0001.npy")
    path.write_bytes(path.read_bytes()[:keep])
    assert "no .npy array" in _problem(tmp_path)


def test_a_huge_array_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "photo_0001.npy"
    np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(20_000, 20_000, 4)).flush()  # a sparse file
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "20000x20000 pixels" in _problem(tmp_path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes, of 1,600,000


def test_links_that_leave_the_folder_are_not_followed(tmp_path: Path) -> None:
    outside = save(tmp_path, "outside/secret.npy")
    root = tmp_path / "data"
    root.mkdir()
    (root / "photo_0001.npy").symlink_to(outside)
    assert "outside the data set's folder" in _problem(root)
    (root / "photo_0001.npy").unlink()
    (root / "photo_0002.npy").symlink_to(root / "gone.npy")
    assert _problem(root) == "the array cannot be read: No such file or directory"
    (root / "more").symlink_to(outside.parent)
    with pytest.raises(DataError, match="outside the data set's folder"):
        read_deloitte(root)


def test_the_folder_has_to_make_sense(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no \.npy files"):
        read_deloitte(tmp_path)
    with pytest.raises(ConfigError, match="nothing is there"):
        read_deloitte(tmp_path / "none")
    with pytest.raises(ConfigError, match="but a file"):
        read_deloitte(save(tmp_path, "photo_0001.npy"))
    with pytest.raises(ConfigError, match="--annotations"):
        read_deloitte(tmp_path, tmp_path)


def test_listing_opens_noarray(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"photo_000{number}.npy").write_bytes(b"")
    samples = read_deloitte(tmp_path).samples
    assert len(samples) == len(list(samples)) == 3


@given(arrays(st.sampled_from([np.float32, np.float64, np.int16, np.uint16]), (3, 2)))
def test_numbers_become_bytes_only_where_nothing_changes(values: np.ndarray) -> None:
    try:
        assert (_whole(values, "label").astype(values.dtype) == values).all()
    except DataError:
        exact = [float(value).is_integer() and 0 <= value <= 255 for value in values.ravel() if np.isfinite(value)]
        assert not (all(exact) and len(exact) == values.size)


def test_its_masks_have_a_class(tmp_path: Path) -> None:
    """Its doors have no side: the order of the parts along the car tells from where it is seen."""
    labels = np.zeros((20, 60), np.uint8)
    for place, name in enumerate(("hood", "front_door", "rear_door", "trunk_lid")):
        labels[5:15, 4 + 13 * place : 17 + 13 * place] = 10 * (1 + [part for part, _ in PARTS].index(name))
    save(tmp_path, "photo_0001.npy", np.dstack([np.zeros((20, 60, 3), np.uint8), labels]))
    data = read_deloitte(tmp_path)
    view = classify(read(_only(data)).mask, data.schema)
    assert (view.orientation in "AB", view.doors) == (True, "5")
    mirrored = classify(data.schema.flip(read(_only(data)).mask), data.schema)
    assert mirrored.orientation in "CD"
