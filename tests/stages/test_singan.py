"""Pyramids from one photo: training, going on, painting, choosing the start, shards."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from augkit.core.classes import ALL_CLASSES
from augkit.core.errors import CheckpointError, ConfigError, DataError, SchemaError
from augkit.core.parts import IGNORE, PartSchema
from augkit.core.storage import LocalStorage
from augkit.core.workspace import Workspace
from augkit.data.catalogue import read_catalogue, write_catalogue
from augkit.data.pair import Pair
from augkit.data.pair_files import read_photo
from augkit.data.present_split import sha256_of
from augkit.models.singan import Pyramid, ScaleGenerator, enlarge
from augkit.settings import Settings, load_settings
from augkit.shards.reader import ShardDataset
from augkit.shards.verify import verify
from augkit.sources.teacher.car_reader import CarReader
from augkit.sources.teacher.thresholds import PartThresholds
from augkit.stages.photo_readings import PhotoReader, ReadingRule
from augkit.stages.singan import painting as paintings
from augkit.stages.singan.painted_pairs import PaintRequest, write_pairs
from augkit.stages.singan.painting import (
    Painting,
    StartScaleTrial,
    best,
    learnt_colours,
    mask_at,
    paint,
    read_painting,
    try_starts,
)
from augkit.stages.singan.pyramid import TrainedPyramid, fidelity, load_painter, train_pyramid
from augkit.stages.singan.scale import _rate, photo_of, pixels
from augkit.stages.singan.training_photo import read_subject
from augkit.stages.teacher_model import load_teacher
from augkit.stages.training_mix import training_mix
from augkit.train.checkpoint import load_state

from .runs import KilledError

PAINT = (
    "paint.size=24", "paint.coarsest=14", "paint.factor=0.76", "paint.channels=8", "paint.steps=4",
    "paint.save_every=2", "paint.sample_every=4", "paint.d_steps=1", "paint.g_steps=2",
)  # fmt: skip
SCHEMA = PartSchema.from_names(["hood", "left_door", "right_door"])


def tiny(*more: str) -> Settings:
    return load_settings("smoke", [*PAINT, *more])


def ids(workspace: Workspace, split: str = "train") -> list[str]:
    """Pairs of one class."""
    rows = [row for row in read_catalogue(workspace.catalogue) if row.split == split]
    return [row.id for row in rows if row.car_class == rows[0].car_class]


def train(workspace: Workspace, settings: Settings, word: str | None = None, **more: Any) -> TrainedPyramid:
    subject = read_subject(workspace, word or ids(workspace)[0], None)
    train_pyramid(workspace, subject, settings, **more)
    return load_painter(workspace, subject.name)


@pytest.fixture(scope="module")
def painted_workspace(sharded_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """With a pyramid of four steps a scale. Shared: take ``painted`` to write."""
    copy = Workspace(shutil.copytree(sharded_workspace.root, tmp_path_factory.mktemp("painted") / "workspace"))
    train(copy, tiny())
    return copy


@pytest.fixture
def painted(painted_workspace: Workspace, tmp_path: Path) -> Workspace:
    return Workspace(shutil.copytree(painted_workspace.root, tmp_path / "painted"))


@pytest.fixture
def trained(painted_workspace: Workspace) -> TrainedPyramid:
    return load_painter(painted_workspace, None)


# training


def test_the_fixed_noise_gives_the_photo_back(workspace: Workspace) -> None:
    trained = train(workspace, tiny("paint.steps=40", "paint.optim.lr=2e-3", "paint.drop_at=0.7"))
    assert fidelity(trained) > 20
    mean = np.full_like(trained.shown(), trained.shown().mean((0, 1)).round())
    assert fidelity(trained) > 6 + 10 * np.log10(4 / float((pixels(mean) - pixels(trained.shown())).square().mean()))
    error = (trained.rebuild().astype(float) - trained.shown()) / 255
    assert fidelity(trained) == pytest.approx(-10 * np.log10((error**2).mean()), abs=0.01)


def test_a_killed_pyramid_goes_on_bit_exactly(workspace: Workspace, tmp_path: Path) -> None:
    whole = train(workspace, tiny())
    kept = whole.folder.rename(tmp_path / "whole")
    names = [f"scale-{number:02d}" for number in range(3)]
    assert [path.name for path in sorted(kept.glob("scale-*"))] == names

    def killed(name: str, step: int, steps: int) -> None:
        if "scale 1" in name and step == 3:  # the third step is lost: the checkpoint is of the second
            raise KilledError

    with pytest.raises(KilledError):
        train(workspace, tiny(), progress=killed)
    with pytest.raises(CheckpointError, match="train it first"):
        load_painter(workspace, whole.name)
    told: list[tuple[str, int]] = []
    again = train(workspace, tiny(), progress=lambda name, step, steps: told.append((name.split(" (")[0], step)))
    assert told == [
        (f"paint {whole.name} scale {n}", step) for n, first in ((1, 3), (2, 1)) for step in range(first, 5)
    ]
    for name in names:
        for file in ("model.safetensors", "checkpoint.safetensors", "samples/step-000004.png"):
            assert (again.folder / name / file).read_bytes() == (kept / name / file).read_bytes()
    assert (again.folder / "config.json").read_bytes() == (kept / "config.json").read_bytes()


def test_other_settings_and_another_photo_are_refused_until_fresh(painted: Workspace) -> None:
    before = load_painter(painted, None)
    for change, named in (("paint.steps=6", "steps: 4 then, 6 now"), ("paint.noise=0.2", "noise: 0.1 then, 0.2 now")):
        with pytest.raises(CheckpointError, match=rf"other settings \((.|\n)*{named}(.|\n)*--fresh"):
            train(painted, tiny(change))
    photo = painted.photo(before.name)
    Image.fromarray(255 - read_photo(photo)).save(photo)
    with pytest.raises(CheckpointError, match=r"photo: "):
        train(painted, tiny())
    assert train(painted, tiny(), fresh=True).digest != before.digest


def test_a_scale_that_was_trained_again_on_its_own_is_refused(painted: Workspace) -> None:
    folder = load_painter(painted, None).folder
    (folder / "scale-00" / "model.safetensors").write_bytes((folder / "scale-01" / "model.safetensors").read_bytes())
    with pytest.raises(CheckpointError, match=r"scale-00 was trained again(.|\n)*--fresh"):
        load_painter(painted, None)


def test_a_scale_starts_from_the_one_beneath_and_adds_a_tenth_of_its_error(painted_workspace: Workspace) -> None:
    trained = load_painter(painted_workspace, None)
    coarse = trained.pyramid.rebuild(1).detach()
    before = (pixels(_at(trained, 1)) - enlarge(coarse, trained.pyramid.sizes[1])).square().mean().sqrt()
    amplitudes = [float(generator.amplitude) for generator in trained.pyramid.generators]  # type: ignore[arg-type]
    assert amplitudes[0] == 1 and amplitudes[1] == pytest.approx(0.1 * float(before), rel=1e-4)
    states = [load_state(trained.folder / f"scale-0{n}" / "checkpoint.safetensors")[0]["game"] for n in (0, 1)]
    moved = states[1]["D"]["module"]["layers.0.weight"] - states[0]["D"]["module"]["layers.0.weight"]
    assert 0 < float(moved.abs().max()) < 4 * 5e-4 * 1.5  # four steps of Adam away, not drawn anew


def _at(trained: TrainedPyramid, scale: int) -> np.ndarray:
    from augkit.stages.singan.scale import resized

    return resized(trained.subject.photo, trained.pyramid.sizes[scale])


def test_the_rates_fall_to_a_tenth_at_the_share_of_the_steps() -> None:
    rate = _rate(load_settings("gpu").paint, 3)
    assert [rate(turn) for turn in (0, 3 * 1600 - 1, 3 * 1600, 6000)] == [1, 1, 0.1, 0.1]
    kept = _rate(tiny("paint.drop_at=1").paint, 2)
    assert kept(10**6) == 0.1 and kept(8) == 1


def test_sinkhorn_trains_too(workspace: Workspace) -> None:
    settings = tiny("paint.adversarial=sinkhorn", "paint.sinkhorn={embedding: 4, patches: 9, positions: true}")
    trained = train(workspace, settings)
    assert trained.rebuild().shape == (24, 24, 3)
    lines = (trained.folder / "scale-00" / "metrics.jsonl").read_text().splitlines()
    losses = json.loads(lines[0])
    assert losses["D/adversarial"] < 0 < losses["G/adversarial"] and "D/gradient_penalty" not in losses


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("paint.sinkhorn={patches: 9}", "sinkhorn is set, but adversarial is wgan"),
        ("paint.coarsest=30", "coarsest 30 is more than size 24"),
        ("paint.coarsest=11", "greater than or equal to 12"),
    ],
)
def test_settings_that_do_nothing_or_cannot_be(change: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        tiny(change)


# subjects


def test_a_photo_without_a_mask_can_be_sampled_and_not_painted(workspace: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "my car.jpg"
    Image.fromarray(read_photo(workspace.photo(ids(workspace)[0]))[:40]).save(file)
    trained = train(workspace, tiny(), str(file))
    assert trained.name == "my-car" and trained.subject.pair is None
    assert trained.side == (15, 24) and trained.sample(0).shape == (15, 24, 3)
    with pytest.raises(DataError, match=r"without a mask(.|\n)*--mask"):
        read_painting(workspace, trained, PartSchema.load(workspace.schema), ids(workspace)[1], no_teacher)


def test_a_photo_with_a_drawn_mask(workspace: Workspace, tmp_path: Path) -> None:
    one = ids(workspace)[0]
    photo, mask = tmp_path / "car.png", tmp_path / "mask.png"
    Image.fromarray(read_photo(workspace.photo(one))).save(photo)
    shutil.copy(workspace.mask(one), mask)
    of_file, of_pair = read_subject(workspace, str(photo), mask), read_subject(workspace, one, None)
    assert of_file.digest == of_pair.digest and of_file.name == "car"
    with Image.open(mask) as picture:
        narrow = picture.resize((32, 64), Image.Resampling.NEAREST)
    narrow.save(mask)
    with pytest.raises(DataError, match=r"32 x 64 px(.|\n)*64 x 64 px"):
        read_subject(workspace, str(photo), mask)
    with pytest.raises(ConfigError, match="a pair has its own"):
        read_subject(workspace, one, mask)


def test_photos_that_cannot_be_read_or_are_too_small(workspace: Workspace, tmp_path: Path) -> None:
    broken, small = tmp_path / "broken.jpg", tmp_path / "small.png"
    broken.write_bytes(workspace.photo(ids(workspace)[0]).read_bytes()[:200])
    Image.fromarray(np.zeros((10, 20, 3), np.uint8)).save(small)
    with pytest.raises(DataError, match=rf"{broken}(.|\n)*whole JPEG or PNG(.|\n)*save it again"):
        read_subject(workspace, str(broken), None)
    with pytest.raises(DataError, match=r"20 x 10 px(.|\n)*14 px(.|\n)*paint.coarsest"):
        train(workspace, tiny(), str(small))
    with pytest.raises(DataError, match=r"no such file, and no pair of that id"):
        read_subject(workspace, "nowhere", None)


# sampling and painting


def test_a_picture_is_a_function_of_its_seed(trained: TrainedPyramid) -> None:
    assert np.array_equal(trained.sample(3), trained.sample(3)) and not np.array_equal(
        trained.sample(3), trained.sample(4)
    )
    coarse, fine = trained.sample(3), trained.sample(3, 2)
    off = [np.abs(made.astype(int) - trained.rebuild()).mean() for made in (coarse, fine)]
    assert off[1] < off[0]
    with pytest.raises(ConfigError, match=r"--from-scale 3(.|\n)*0 \(the coarsest\) to 2"):
        trained.sample(0, 3)


def test_colours_are_the_photos_and_those_of_the_other_side_where_one_is_hidden() -> None:
    photo = np.array([[[10, 20, 30], [250, 0, 0], [200, 0, 0], [0, 0, 90]]], np.uint8)
    colours = learnt_colours(Pair(photo, np.array([[0, 2, 2, IGNORE]], np.uint8), ALL_CLASSES[0]), SCHEMA)
    found = ((colours + 1) * 127.5).round().int().tolist()
    assert found == [[10, 20, 30], [225, 0, 0], [225, 0, 0], [225, 0, 0]]
    both = learnt_colours(Pair(photo, np.array([[1, 2, 3, 0]], np.uint8), ALL_CLASSES[0]), SCHEMA)
    assert ((both + 1) * 127.5).round().int().tolist() == [[0, 0, 90], [10, 20, 30], [250, 0, 0], [200, 0, 0]]
    one = learnt_colours(Pair(photo, np.array([[1, 3, 3, 0]], np.uint8), ALL_CLASSES[0]), SCHEMA)
    assert ((one[2] + 1) * 127.5).round().int().tolist() == [225, 0, 0]  # not the car's mean


def test_masks_shrink_by_the_id_that_covers_most() -> None:
    mask = np.zeros((4, 8), np.uint8)
    mask[:2, 2:4], mask[2:, 6:] = 1, 2
    assert mask_at(mask, (2, 4)).tolist() == [[0, 1, 0, 0], [0, 0, 0, 2]]
    assert np.array_equal(mask_at(mask, (4, 8)), mask)


def test_a_mask_is_painted_in_part_colours_and_its_pose_is_looked_at(
    trained: TrainedPyramid, painted_workspace: Workspace
) -> None:
    schema, own = PartSchema.load(painted_workspace.schema), trained.name
    painting = read_painting(painted_workspace, trained, schema, own, no_teacher)
    assert painting.differences == [] and painting.pair.mask.shape == trained.side == painting.pair.photo.shape[:2]
    away = np.abs(painting.pair.photo.astype(int) - trained.shown()).mean()
    assert away < 40
    other = next(r for r in read_catalogue(painted_workspace.catalogue) if r.orientation == "C" and r.split == "train")
    assert read_painting(painted_workspace, trained, schema, other.id, no_teacher).differences


class _Middle(nn.Module):
    """Reads the first part in the middle of every photo."""

    divisor = 2

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.sure = nn.Parameter(8.0 * torch.eye(channels))

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        quarter = photos.shape[3] // 4
        part = (torch.arange(photos.shape[3]) // quarter % 3 > 0).long()
        return self.sure[part].T[None, :, None].expand(len(photos), -1, photos.shape[2], -1)


def test_a_photo_is_read_first(trained: TrainedPyramid, painted_workspace: Workspace, tmp_path: Path) -> None:
    schema, file = PartSchema.load(painted_workspace.schema), tmp_path / "car.jpg"
    Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(file)
    network = _Middle(schema.channels)
    rule = ReadingRule(PartThresholds((0.0,) * schema.channels), 0.0, 0.0, 0.0)
    teacher = PhotoReader(CarReader([network], 16, schema, [1.0]), rule, 32, 0.0)
    painting = read_painting(painted_workspace, trained, schema, str(file), lambda: teacher)
    assert painting.name == "car" and painting.pair.mask.shape == trained.side
    assert set(np.unique(painting.pair.mask)) <= {0, 1} and (painting.pair.mask == 1).any()
    with pytest.raises(CheckpointError, match="no trained teacher"):
        read_painting(painted_workspace, trained, schema, str(file), no_teacher)


def test_paintings_that_cannot_be(trained: TrainedPyramid, painted_workspace: Workspace, tmp_path: Path) -> None:
    schema, file = PartSchema.load(painted_workspace.schema), tmp_path / "drawn.png"
    Image.fromarray(np.ones((32, 64), np.uint8)).save(file)
    with pytest.raises(DataError, match=r"64 x 32 px(.|\n)*64 x 64 px(.|\n)*nearest neighbour"):
        read_painting(painted_workspace, trained, schema, str(file), no_teacher)
    Image.fromarray(np.full((64, 64), 200, np.uint8)).save(file)
    with pytest.raises((DataError, SchemaError), match=rf"{file}(.|\n)*200(.|\n)*ids"):
        read_painting(painted_workspace, trained, schema, str(file), no_teacher)
    painting = read_painting(painted_workspace, trained, schema, trained.name, no_teacher)
    for start in (0, 3):
        with pytest.raises(ConfigError, match=rf"--start {start}(.|\n)*1 \(most is changed\) to 2"):
            paint(trained, painting, start, 0)


class _Means:
    """An extractor whose map is the picture itself."""

    name, map_layer = "means", "the pixels"

    def maps(self, photos: torch.Tensor) -> torch.Tensor:
        return photos.float()


def _plain(picture: np.ndarray) -> Painting:
    return Painting("plain", "plain", Pair(picture, np.zeros(picture.shape[:2], np.uint8), ALL_CLASSES[0]), [], "")


def test_the_painting_is_shrunk_to_the_scale_below_and_goes_on_from_the_start(trained: TrainedPyramid) -> None:
    picture = np.zeros((24, 24, 3), np.uint8)
    picture[:, 12:] = 255
    seen: list[torch.Tensor] = []
    generators: Any = trained.pyramid.generators
    handles = [g.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0])) for g in generators]
    paint(trained, _plain(picture), 2, 7)
    for handle in handles:
        handle.remove()
    assert [tuple(x.shape[2:]) for x in seen] == [(24, 24)]
    columns = seen[0][0, 0].mean(0)
    assert float(columns[0]) == -1 and float(columns[-1]) == 1 and bool(((columns > -0.9) & (columns < 0.9)).any())


def test_the_start_with_the_lowest_m_is_chosen(trained: TrainedPyramid, monkeypatch: pytest.MonkeyPatch) -> None:
    noisy = np.random.default_rng(0).integers(0, 255, (24, 24, 3)).astype(np.uint8)
    made = {1: trained.shown(), 2: noisy}
    monkeypatch.setattr(paintings, "paint", lambda trained, painting, start, seed: made[start])
    trials = try_starts(trained, _plain(noisy), [1, 2], 0, _Means())  # type: ignore[arg-type]
    assert [trials[0].to_photo, trials[1].to_painting] == pytest.approx([0, 0], abs=1e-6)
    assert trials[0].to_painting == pytest.approx(trials[1].to_photo) and trials[0].to_painting > 1
    assert trials[0].combined == pytest.approx(2 * trials[0].to_painting)
    ordered = [
        StartScaleTrial(1, noisy, 3.0, 1.0),
        StartScaleTrial(2, noisy, 2.0, 2.5),
        StartScaleTrial(3, noisy, 0.0, 2.6),
    ]
    assert best(ordered).start == 2 and [t.combined for t in ordered] == pytest.approx([6, 5, 5.2])


# shards


def no_teacher() -> PhotoReader:
    return load_teacher(Workspace(Path("none")), load_settings("smoke"))


def _order(workspace: Workspace, trained: TrainedPyramid, word: str, **changes: Any) -> PaintRequest:
    painting = read_painting(workspace, trained, PartSchema.load(workspace.schema), word, no_teacher)
    return replace(PaintRequest(trained, painting, 2, 2, 0), **changes)


def test_painted_pairs_are_shards_that_verify_and_train(painted: Workspace) -> None:
    trained, schema = load_painter(painted, None), PartSchema.load(painted.schema)
    first, second = (_order(painted, trained, word) for word in ids(painted)[:2])
    assert write_pairs(painted, first, schema) == (painted.painted, "shard-000000")
    bytes_before = (painted.painted / "shard-000000.tar").read_bytes()
    assert write_pairs(painted, second, schema)[1] == "shard-000001"
    assert write_pairs(painted, first, schema)[1] == "shard-000000"  # it is there
    assert verify(LocalStorage(painted.painted)) == []
    assert (painted.painted / "shard-000000.tar").read_bytes() == bytes_before
    data = ShardDataset(painted.painted)
    assert len(data) == 4 and set(data.index["source"].to_pylist()) == {"painted"}
    assert data.index["score_paint_start"].to_pylist() == [2.0] * 4
    mixed = training_mix(painted, "real+painted")
    real = sum(row.split == "train" for row in read_catalogue(painted.catalogue))
    assert len(mixed) == real + 4


def test_held_out_pairs_do_not_come_back_as_training_pairs(painted: Workspace) -> None:
    trained, schema = load_painter(painted, None), PartSchema.load(painted.schema)
    with pytest.raises(DataError, match=r"the mask is of the split val(.|\n)*--shards"):
        write_pairs(painted, _order(painted, trained, ids(painted, "val")[0]), schema)
    drawn = _order(painted, trained, str(painted.mask(ids(painted, "val")[0])))
    with pytest.raises(DataError, match=r"the mask is of the split val"):
        write_pairs(painted, drawn, schema)
    assert not painted.painted.exists()


def _deal(workspace: Workspace, photo: str, **changes: Any) -> None:
    """The catalogue as another import would leave it."""
    rows = read_catalogue(workspace.catalogue)
    write_catalogue(workspace.catalogue, [replace(row, **changes) if row.id == photo else row for row in rows])


@pytest.mark.parametrize("changes", [{"split": "test"}, {"split": "test", "id": "renamed"}])
def test_a_photo_that_is_held_out_since_its_training_paints_no_training_pairs(
    painted: Workspace, changes: dict[str, Any]
) -> None:
    schema, order = PartSchema.load(painted.schema), _order(painted, load_painter(painted, None), ids(painted)[1])
    _deal(painted, order.trained.name, **changes)
    with pytest.raises(DataError, match=r"the photo is of the split test(.|\n)*--shards"):
        write_pairs(painted, replace(order, trained=load_painter(painted, None)), schema)
    _deal(painted, str(changes.get("id", order.trained.name)), split="train")
    write_pairs(painted, order, schema)


def test_a_file_that_is_the_source_of_a_held_out_pair_paints_no_training_pairs(
    workspace: Workspace, tmp_path: Path
) -> None:
    one, held = ids(workspace)[1], ids(workspace, "val")[0]
    workspace.catalogue.rename(workspace.root / "shared")  # a link: what is written must not reach the shared one
    shutil.copy(workspace.root / "shared", workspace.catalogue)
    file = Path(shutil.copy(workspace.photo(one), tmp_path / "copy.jpg"))
    train_pyramid(workspace, read_subject(workspace, str(file), workspace.mask(one)), tiny())
    order = _order(workspace, load_painter(workspace, "copy"), one)
    write_pairs(workspace, order, PartSchema.load(workspace.schema))
    _deal(workspace, held, sha256=sha256_of(file))
    file.unlink()  # it is known without being there
    with pytest.raises(DataError, match=r"copy\.jpg: the photo is of the split val"):
        write_pairs(workspace, order, PartSchema.load(workspace.schema))


def test_shards_hold_square_pairs(painted: Workspace) -> None:
    trained = load_painter(painted, None)
    wide = Pyramid([ScaleGenerator(4)], [(14, 20)], torch.zeros(1, 3, 14, 20))
    order = replace(_order(painted, trained, ids(painted)[0]), trained=replace(trained, pyramid=wide))
    with pytest.raises(DataError, match=r"20 x 14 px(.|\n)*square"):
        write_pairs(painted, order, PartSchema.load(painted.schema))


def test_bytes_and_numbers_are_the_same_picture() -> None:
    photo = np.arange(48, dtype=np.uint8).reshape(4, 4, 3) * 5
    assert np.array_equal(photo_of(pixels(photo)), photo)
