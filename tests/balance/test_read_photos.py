"""Photos that a teacher read: taken before anything is generated, judged by the same gate, known by their source."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from augkit.balance.job import Balance, BalanceRequest
from augkit.balance.job_summary import generation_seconds
from augkit.balance.read_photos import ReadPhotos, pseudo_by_class
from augkit.core.classes import CarClass
from augkit.core.errors import ConfigError
from augkit.core.parts import PartSchema
from augkit.core.storage import LocalStorage
from augkit.core.workspace import Workspace
from augkit.data.catalogue import Catalogue, CatalogueRow, write_catalogue
from augkit.data.pair import Pair
from augkit.data.pair_files import read_mask
from augkit.data.readings import PhotoReading, ReadingFolder
from augkit.gan.exemplars import ExemplarBank
from augkit.gan.generated import Exemplar
from augkit.settings import Settings
from augkit.shards.codec import encode_mask, encode_photo
from augkit.shards.reader import ShardDataset
from augkit.shards.verify import verify
from augkit.sources.render.rendered_samples import rendered_samples

from .conftest import run_job

FRONT = "front-left-5"


@pytest.fixture
def with_readings(trained: Workspace) -> Workspace:
    """Three photos of one class, of which the second is the surest and the third hardly sure."""
    folder, rows, photos = ReadingFolder(trained.readings), [], []
    folder.root.mkdir()
    for number, sample in enumerate(rendered_samples({CarClass.parse(FRONT): 3}, 64, 99)):
        id, mask = f"u-{number}", sample.mask
        folder.photo(id).write_bytes(encode_photo(sample.photo)[0])  # type: ignore[arg-type]
        folder.mask(id).write_bytes(encode_mask(mask))  # type: ignore[arg-type]
        kept = (0.9, 0.95, 0.5)[number]
        rows.append(PhotoReading(id, id, 0, 0, 64, 64, [1, 2], "A", "5", 1.0, 0.9, kept))
        photos.append(CatalogueRow(id, "photos", f"{id}.jpg", width=64, height=64, labelled=False))
    folder.write([*rows, PhotoReading("u-9", "u-9", refused="no car")], "teacher")
    catalogue = Catalogue(trained.catalogue)
    write_catalogue(trained.catalogue, [*catalogue, *photos])
    return trained


def test_they_are_offered_in_order_of_worth(with_readings: Workspace) -> None:
    assert ReadPhotos.of(with_readings).by_class() == {FRONT: ("u-1", "u-0", "u-2")}
    catalogue = Catalogue(with_readings.catalogue)
    gone = [row for row in catalogue.unlabelled() if row.id != "u-1"]
    write_catalogue(with_readings.catalogue, [*catalogue, *gone])
    assert ReadPhotos.of(with_readings).by_class() == {FRONT: ("u-0", "u-2")}, "photos that left are not used"


def test_one_of_a_group_comes_before_any_second_one() -> None:
    rows = [PhotoReading(f"u-{n}", "ab"[n // 2], kept=1 - n / 10, confidence=1.0) for n in range(4)]
    assert ReadPhotos(tuple(rows)).by_class() == {"front-left-unknown": ("u-0", "u-2", "u-1", "u-3")}


def test_they_fill_a_class_before_anything_is_generated(with_readings: Workspace, settings: Settings) -> None:
    outcome = run_job(with_readings, settings, 9)
    assert pseudo_by_class(outcome.reports) == {FRONT: 2} and outcome.accepted[FRONT] == 2
    verify(LocalStorage(with_readings.shards))
    pairs = ShardDataset(with_readings.shards, where=[("source", "==", "pseudo")])
    assert sorted(pairs.index["key"].to_pylist()) == ["u-0", "u-1"]
    assert set(pairs.index["split"].to_pylist()) == {"train"}
    assert {round(score, 2) for score in pairs.index["score_reading_kept"].to_pylist()} == {0.9, 0.95}
    made = ShardDataset(with_readings.shards, where=[("source", "==", "generated")])
    assert FRONT not in set(made.index["class"].to_pylist())
    again = run_job(with_readings, settings, 9)
    assert again.generated_now == 0
    higher = run_job(with_readings, settings, 11)
    assert pseudo_by_class(higher.reports) == {FRONT: 3} and higher.accepted[FRONT] == 4, "and the rest is generated"


def test_an_unusual_real_car_is_kept(with_readings: Workspace, settings: Settings) -> None:
    """A car that is all hood: nothing that may be generated, but if a photo shows it, it is so."""
    folder = ReadingFolder(with_readings.readings)
    mask = read_mask(folder.mask("u-1"))
    hood = np.where(mask == 0, 0, PartSchema.load(with_readings.schema).names.index("hood")).astype(np.uint8)
    folder.mask("u-1").write_bytes(encode_mask(hood))  # type: ignore[arg-type]
    outcome = run_job(with_readings, settings, 9)
    assert pseudo_by_class(outcome.reports) == {FRONT: 2}
    pairs = ShardDataset(with_readings.shards, where=[("key", "==", "u-1")])
    assert pairs.index["score_area_excess"].to_pylist()[0] > 0, "it is scored all the same"


def test_other_sources_are_other_shards(with_readings: Workspace, settings: Settings) -> None:
    run_job(with_readings, settings, 9)
    balance = settings.balance.model_copy(update={"sources": ("generated",)})
    alone = settings.model_copy(update={"balance": balance})
    with pytest.raises(ConfigError, match="made from other pairs or settings"):
        run_job(with_readings, alone, 9)
    outcome = run_job(with_readings, alone, 9, fresh=True)
    assert not pseudo_by_class(outcome.reports) and outcome.accepted[FRONT] == 2


def test_without_generation_no_stage_is_needed(with_readings: Workspace, settings: Settings, tmp_path: Path) -> None:
    import shutil

    shutil.rmtree(with_readings.models)
    balance = settings.balance.model_copy(update={"sources": ("pseudo",)})
    alone = settings.model_copy(update={"balance": balance})
    outcome = run_job(with_readings, alone, 8, only=[FRONT])
    assert outcome.accepted[FRONT] == 1 and not outcome.short
    lacking = Balance(with_readings, alone, BalanceRequest(99))
    assert generation_seconds(lacking) == 0.0, "no candidate is made, however many pairs are lacking"


def test_the_surest_are_exemplars_too(
    with_readings: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ReadPhotos.of(with_readings).sure() == ("u-1", "u-0"), "not the one of which half is sure"
    monkeypatch.setattr(ExemplarBank, "CHOICE", 99)
    chosen: list[str] = []
    draw = ExemplarBank.draw

    def note(self: ExemplarBank, mask: np.ndarray, car_class: CarClass, seed: int) -> Exemplar:
        assert {"u-0", "u-1"} <= set(self.names)
        found = draw(self, mask, car_class, seed)
        chosen.append(found.name)
        return found

    monkeypatch.setattr(ExemplarBank, "draw", note)
    run_job(with_readings, settings, 9)
    assert chosen


def test_a_bank_takes_more_pairs() -> None:
    random = np.random.default_rng(0)
    masks = [np.full((32, 32), part, np.uint8) for part in (1, 2)]
    pairs = [Pair(random.integers(0, 255, (32, 32, 3), np.uint8), mask, CarClass.parse(FRONT)) for mask in masks]
    schema = PartSchema.from_names(["hood", "trunk"])
    bank = ExemplarBank.of(pairs[:1], ["a"], schema).with_more(pairs[1:], ["b"])
    both = ExemplarBank.of(pairs, ["a", "b"], schema)
    assert bank.names == both.names and all(
        bank.state_dict()[name].equal(own) for name, own in both.state_dict().items()
    )
