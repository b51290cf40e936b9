"""The teacher: who sees what, round after round, and what becomes of unlabelled photos."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from augkit.core.errors import CheckpointError, DataError
from augkit.core.parts import PartSchema
from augkit.core.workspace import Workspace
from augkit.data.catalogue import Catalogue, read_catalogue, write_catalogue
from augkit.data.importers.photos import read_photos
from augkit.data.ingest.photo_ingestion import ingest_photos
from augkit.data.pair_files import read_mask
from augkit.data.readings import ReadingFolder
from augkit.evaluate.hidden_labels import confusion, evaluate_teacher
from augkit.models.registries import SEGMENTERS
from augkit.settings import Settings, load_settings
from augkit.sources.teacher.car_reader import CarReader
from augkit.stages import teacher as module
from augkit.stages import teacher_model
from augkit.stages.pseudo_pairs import StudentPairs
from augkit.stages.teacher import Teacher, TeacherRound
from augkit.stages.teacher_model import load_teacher, read_teacher

OPTIONS = ["data.size=64", "teacher.least_sure=0", "teacher.segmenter.steps=1", "teacher.segmenter.augment=none"]


class Tiny(nn.Module):
    """A segmenter of one layer."""

    divisor = 2

    def __init__(self, channels: int, pretrained: bool = True) -> None:
        super().__init__()
        del pretrained
        self.encoder = nn.Conv2d(3, 4, 1)
        self.head = nn.Conv2d(4, channels, 1)

    def forward(self, photos: Tensor) -> Tensor:
        logits: Tensor = self.head(self.encoder(photos))
        return logits


@pytest.fixture(autouse=True)
def one_layer(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    list(SEGMENTERS)  # imports them
    monkeypatch.setitem(SEGMENTERS._entries, settings.teacher.segmenter.model, Tiny)


@pytest.fixture
def settings() -> Settings:
    return load_settings("smoke", OPTIONS)


@pytest.fixture
def with_photos(copied_workspace: Workspace, tmp_path: Path) -> Workspace:
    """Half the training pairs have lost their masks; the square is that of the pair."""
    rows = read_catalogue(copied_workspace.catalogue)
    training = [row for row in rows if row.split == "train"]
    hidden = {row.id for row in training[::2]}
    copied_workspace.unlabelled.mkdir()
    kept = [row for row in rows if row.id not in hidden]
    for id in hidden:
        shutil.copy(copied_workspace.photo(id), copied_workspace.unlabelled_photo(id))
    unlabelled = [replace(row, labelled=False, histogram=[]) for row in rows if row.id in hidden]
    write_catalogue(copied_workspace.catalogue, [*kept, *unlabelled])
    return copied_workspace


def test_it_is_trained_in_rounds_and_reads_the_photos(
    with_photos: Workspace, rendered_workspace: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    taught: list[tuple[set[str], set[str]]] = []
    made = StudentPairs.__init__

    def note(self: StudentPairs, *arguments: object) -> None:
        made(self, *arguments)  # type: ignore[arg-type]
        taught.append(({row.id for row in self.labelled.rows}, {row.id for row in self.read}))

    monkeypatch.setattr(StudentPairs, "__init__", note)
    agreements = iter([0.2, 0.3])
    judged = Teacher._round

    def rising(self: Teacher, number: int) -> tuple[TeacherRound, module.ReadingRule]:
        result, rule = judged(self, number)
        return replace(result, agreement=next(agreements)), replace(rule, least_car=0.0, least_confidence=0.0)

    monkeypatch.setattr(Teacher, "_round", rising)
    teacher = Teacher(with_photos, settings)
    rounds = teacher.train()
    assert [result.number for result in rounds] == [0, 1]
    labelled = {row.id for row in teacher.rows}
    assert taught[0][0] | taught[1][0] == labelled and not taught[0][0] & taught[1][0], "each fold is unseen once"
    assert [seen for seen, _ in taught[:2]] == [seen for seen, _ in taught[2:]], "and stays so in the next round"
    assert not taught[0][1] and taught[2][1], "students learn from what was read, too"
    assert teacher.is_trained() and not teacher.is_ready()
    teacher.read()
    assert teacher.is_ready() and read_teacher(teacher.folder)["round"] == 1
    folder = ReadingFolder(with_photos.readings)
    rows = folder.rows()
    assert {row.id for row in rows} == {row.id for row in teacher.photos}
    for row in folder.pairs():
        assert read_mask(folder.mask(row.id)).shape == (64, 64)
        assert folder.photo(row.id).read_bytes() == with_photos.unlabelled_photo(row.id).read_bytes(), "the real codec"
    figures = evaluate_teacher(with_photos, rendered_workspace)
    assert figures.photos == len(rows) and figures.pairs == len(folder.pairs())
    assert 0 <= figures.whole.kept <= 1 and len(figures.parts) == teacher.schema.channels


def test_it_starts_from_rendered_cars_where_they_have_the_parts(
    with_photos: Workspace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings = load_settings("smoke", [*OPTIONS, "teacher.segmenter.rendered_steps=5"])
    assert Teacher(with_photos, settings).segmenter.rendered_steps == 5
    monkeypatch.setattr(module, "not_drawn", lambda schema: ["tow_bar"])
    with caplog.at_level("INFO", logger=module.__name__):
        assert Teacher(with_photos, settings).segmenter.rendered_steps == 0
    assert "lack the parts tow_bar" in caplog.text


def test_a_round_that_agrees_less_is_left_out(
    with_photos: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = module.ReadingRule(module.PartThresholds((0.0,) * 30), 0.0, 0.0, 0.0)
    results = iter([TeacherRound(0, 0.4), TeacherRound(1, 0.3)])

    def judged(self: Teacher, number: int) -> tuple[TeacherRound, module.ReadingRule]:
        self._place(number, 0).mkdir(parents=True)
        return next(results), rule

    monkeypatch.setattr(Teacher, "_round", judged)
    monkeypatch.setattr(Teacher, "_teach", lambda self, number, rule: None)
    teacher = Teacher(with_photos, settings)
    assert len(teacher.train()) == 2 and read_teacher(teacher.folder)["round"] == 0
    assert not teacher._place(1, 0).exists()
    assert Teacher(with_photos, settings).train() == [TeacherRound(0, 0.4), TeacherRound(1, 0.3)], "it is not repeated"


def test_other_pairs_or_settings_ask_for_another_teacher(with_photos: Workspace, settings: Settings) -> None:
    before = Teacher(with_photos, settings)
    assert Teacher(with_photos, load_settings("smoke", [*OPTIONS, "teacher.right=0.8"])).key != before.key
    catalogue = Catalogue(with_photos.catalogue)
    fewer = [row for row in catalogue if row.id != before.rows[0].id]
    write_catalogue(with_photos.catalogue, [*fewer, *catalogue.unlabelled()])
    assert Teacher(with_photos, settings).key != before.key


def test_a_photo_that_shows_a_held_out_car_is_refused_when_it_is_cut(
    rendered_workspace: Workspace, copied_workspace: Workspace, settings: Settings
) -> None:
    rows = read_catalogue(rendered_workspace.catalogue)
    held = next(row for row in rows if row.split == "val")
    found = module.PhotoReadings(copied_workspace, PartSchema.load(copied_workspace.schema), rows).held_out
    photo = module.CanonicalPairs(copied_workspace, [held], PartSchema.load(copied_workspace.schema), 64).plain(0).photo
    assert found.twin(photo) == found.twin(np.ascontiguousarray(photo[:, ::-1])) == held.id
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    assert found.twin(noise) == ""


def test_a_missing_teacher_and_one_of_other_parts_are_told(copied_workspace: Workspace, settings: Settings) -> None:
    with pytest.raises(CheckpointError, match="no trained teacher"):
        load_teacher(copied_workspace, settings)
    folder = copied_workspace.model("teacher", "all")
    folder.mkdir(parents=True)
    module.write_json(folder / module.TEACHER_FILE, ["thresholds"])
    with pytest.raises(CheckpointError, match="no trained teacher"):
        load_teacher(copied_workspace, settings)
    other = PartSchema.from_names(["roof"]).to_dict()
    module.write_json(folder / module.TEACHER_FILE, {"schema": other, "thresholds": [], "round": 0, "folds": 2})
    with pytest.raises(CheckpointError, match="a teacher of the parts roof"):
        load_teacher(copied_workspace, settings)


def test_too_few_labels_are_told(copied_workspace: Workspace, settings: Settings) -> None:
    write_catalogue(copied_workspace.catalogue, read_catalogue(copied_workspace.catalogue)[:5])
    with pytest.raises(DataError, match=r"different labelled training photos(.|\n)*at least 8"):
        Teacher(copied_workspace, settings).train()


def test_photos_are_imported_and_read_from_the_command_line(
    copied_workspace: Workspace, settings: Settings, tmp_path: Path
) -> None:
    """A folder without a car: everything is refused, with the reason."""
    from PIL import Image

    from augkit.api import segment

    (tmp_path / "street").mkdir()
    for number in range(2):
        Image.new("RGB", (80, 60), (9, 9, 90 + number)).save(tmp_path / "street" / f"{number}.png")
    data = read_photos(tmp_path / "street")
    ingest_photos(data.samples, copied_workspace, settings.data.options(0), importer="photos")
    networks = [_Nothing(PartSchema.load(copied_workspace.schema).channels)]
    schema = PartSchema.load(copied_workspace.schema)
    rule = module.ReadingRule(module.PartThresholds((0.0,) * schema.channels), 0.1, 0.1, 0.5)
    reader = module.PhotoReader(CarReader(networks, 32, schema, [1.0]), rule, 64, 0.06)
    teacher = Teacher(copied_workspace, settings)
    teacher.readings.write(teacher.photos, [(reader, copied_workspace.readings)], "key", lambda *_: None)
    rows = ReadingFolder(copied_workspace.readings).rows()
    assert len(rows) == 2 and all("no car is found" in row.refused for row in rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(teacher_model, "load_teacher", lambda *_: reader)
        with pytest.raises(DataError, match="none of 2 photos can be read"):
            segment(copied_workspace, tmp_path / "street", config=settings)
    assert not (copied_workspace.reports / "segmented").exists()


class _Nothing(nn.Module):
    """Reads background everywhere."""

    divisor = 32

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.eye(channels)[0])

    def forward(self, photos: Tensor) -> Tensor:
        return self.bias[None, :, None, None].expand(len(photos), -1, *photos.shape[2:])


def test_confusion_by_hand() -> None:
    truth = np.array([[0, 1, 1, 255]], np.uint8)
    read = np.array([[0, 1, 255, 1]], np.uint8)
    assert confusion(read, truth, 2).tolist() == [[1, 0, 0], [0, 1, 1]]
