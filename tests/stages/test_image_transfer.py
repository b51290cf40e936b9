"""Stage II from another run, and its backgrounds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from augkit.core.errors import CheckpointError, ConfigError, DataError, SchemaError
from augkit.core.parts import PartSchema
from augkit.core.seeds import derive
from augkit.core.workspace import Workspace
from augkit.data.catalogue import TrainingRows, read_catalogue
from augkit.data.pair_files import read_mask
from augkit.data.silhouette import GREEN
from augkit.gan.conditioning.conditioning import Conditioning, WarpedExemplars
from augkit.gan.photo_background import CompositeBackground
from augkit.settings import Settings
from augkit.stages.image import build_networks, load_photo_sampler
from augkit.train.checkpoint import load_state

from .runs import run, tiny

NAME = "translator"


@pytest.fixture(scope="module")
def cut(rendered_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Rendered cars, their parts as their silhouettes."""
    copy = Workspace(shutil.copytree(rendered_workspace.root, tmp_path_factory.mktemp("cut") / "workspace"))
    copy.silhouettes.mkdir()
    for row in read_catalogue(copy.catalogue):
        car = (read_mask(copy.mask(row.id)) > 0).astype(np.uint8) * 255
        Image.fromarray(car).save(copy.silhouettes / f"{row.id}.png")
    return copy


@pytest.fixture(scope="module")
def pasted(cut: Workspace) -> Path:
    """A run of two steps with pasted backgrounds."""
    return run(NAME, cut, tiny(NAME, 2, "image.background=composite"))


@pytest.fixture(scope="module")
def schema(cut: Workspace) -> PartSchema:
    return PartSchema.load(cut.schema)


def started(folder: Path, *more: str) -> Settings:
    return tiny(NAME, 2, f"image.init_from={folder}", *more)


def weights(folder: Path, player: str) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = load_state(folder / "checkpoint.safetensors")[0]["game"][player]["module"]
    return found


def test_the_same_parts_start_from_the_same_weights(pasted: Path, schema: PartSchema) -> None:
    painter, discriminator = build_networks(started(pasted).image, schema)
    for network, player in ((painter, "G"), (discriminator, "D")):
        before = weights(pasted, player)
        assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_parts_in_another_order_are_read_as_before(pasted: Path, schema: PartSchema) -> None:
    order = np.random.default_rng(0).permutation(schema.channels - 1)
    other = PartSchema.from_names([schema.names[1 + place] for place in order])
    known, _ = build_networks(started(pasted).image, schema)
    moved, _ = build_networks(started(pasted).image, other)
    masks = torch.randint(1, schema.channels, (2, 16, 16))
    source = WarpedExemplars.whole(torch.rand(2, 3, 16, 16))
    table = torch.tensor([0, *(int(np.flatnonzero(order == n)[0]) + 1 for n in range(len(order)))])
    with torch.no_grad():
        was, now = (
            network.eval()(Conditioning(ids, source, lambda name, *shape: torch.zeros(2, *shape)))
            for network, ids in ((known, masks), (moved, table[masks]))
        )
    torch.testing.assert_close(now, was, atol=1e-5, rtol=1e-5)


def test_silhouettes_start_schemas_without_a_common_name(pasted: Path) -> None:
    car = PartSchema.from_names(["car"])
    with pytest.raises(SchemaError, match="maps no part"):
        build_networks(started(pasted).image, car)
    asked = started(pasted, "image.part_map=silhouette", "image.freeze_d=1").image
    painter, discriminator = build_networks(asked, car)
    own = next(value for name, value in painter.state_dict().items() if name.endswith("stem.0.weight"))
    before = next(value for name, value in weights(pasted, "G").items() if name.endswith("stem.0.weight"))
    parts = before.shape[1] - own.shape[1] + 1
    torch.testing.assert_close(own[:, 1], before[:, 1 : parts + 1].mean(1))
    torch.testing.assert_close(own[:, 2:], before[:, parts + 1 :])
    for scale in discriminator.scales:  # type: ignore[union-attr]
        first, *others = scale.stages
        assert not any(p.requires_grad for p in first.parameters()) and not first.training
        assert all(p.requires_grad for stage in others for p in stage.parameters())
        weight = first[0].weight.detach().flatten(1)
        assert torch.linalg.matrix_norm(weight, 2).item() == pytest.approx(1, abs=0.05)


def test_frozen_blocks_of_d_stay_through_the_training(cut: Workspace, pasted: Path, tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir()
    for path in cut.root.iterdir():
        if path.name != "models":
            (tmp_path / "workspace" / path.name).symlink_to(path)
    shutil.copytree(pasted, tmp_path / "workspace" / "pretrained")  # relative to the workspace
    folder = run(NAME, Workspace(tmp_path / "workspace"), started(Path("pretrained"), "image.freeze_d=1", "seed=3"))
    before, after = weights(pasted, "D"), weights(folder, "D")
    frozen = [name for name in before if ".stages.0." in name]
    assert frozen and all(torch.equal(before[name], after[name]) for name in frozen)
    assert not any(torch.equal(before[n], after[n]) for n in before if n.endswith("stages.1.0.bias"))
    assert json.loads((folder / "config.json").read_text())["settings"]["init_from"] == "pretrained"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("image.options={base: 8, levels: 1, blocks: 1}", r"image\.options"),
        ("image.conditioning=[exemplar]", r"image\.conditioning"),
        ("image.discriminator={base: 4, layers: 2, scales: 2, norm: spectral}", "same model, size"),
    ],
)
def test_a_start_with_other_networks_is_refused(change: str, reason: str, pasted: Path, schema: PartSchema) -> None:
    with pytest.raises(CheckpointError, match=reason):
        build_networks(started(pasted, change).image, schema)


def test_a_start_from_another_stage_is_refused(pasted: Path, schema: PartSchema, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(pasted, tmp_path / "mask"))
    (folder / "config.json").write_text(json.dumps({"stage": "mask"}))
    with pytest.raises(CheckpointError, match="a model of the stage mask"):
        build_networks(started(folder).image, schema)
    with pytest.raises(ConfigError, match=r"freeze_d 99: D has \d+ blocks"):
        build_networks(started(pasted, "image.freeze_d=99").image, schema)


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (["image.freeze_d=1"], "set init_from"),
        (["image.part_map=silhouette"], "init_from is not"),
        (["image.backgrounds=inpainted"], "background is learnt"),
        (["image.backgrounds=somewhere", "image.background=green"], "background is green"),
        (["image.background=green", "image.augment=background"], "replaces backgrounds"),
        (["image.background=blue"], "composite"),
    ],
)
def test_settings_without_effect_are_refused(overrides: list[str], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        tiny(NAME, 2, *overrides)


def test_a_missing_silhouette_stops_the_run_before_it_begins(copied_workspace: Workspace) -> None:
    for background in ("green", "composite"):
        with pytest.raises(DataError, match="augkit silhouettes"):
            run(NAME, copied_workspace, tiny(NAME, 2, f"image.background={background}"))
    assert not copied_workspace.models.exists()


def test_an_empty_folder_of_landscapes_stops_it_too(cut: Workspace, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no pictures in it"):
        run(NAME, cut, tiny(NAME, 2, "image.background=composite", f"image.backgrounds={tmp_path}"))


def test_made_cars_are_pasted_and_repeat(cut: Workspace, pasted: Path) -> None:
    """Over scenes of training photos alone; the same after loading; the mask's pixels are the car's."""
    sampler, about = load_photo_sampler(pasted)
    assert isinstance(sampler.backdrop, CompositeBackground) and about["background"] == "composite"
    rows = TrainingRows.of(read_catalogue(cut.catalogue)).rows
    assert sorted(sampler.backdrop.classes.tolist()) == sorted(row.car_class.number for row in rows)
    masks = np.stack([read_mask(cut.mask(row.id))[::2, ::2] for row in rows[:3]])
    seeds = [derive(0, "test", number) for number in range(3)]
    made = sampler.paint(masks, rows[0].car_class, seeds).photos
    alone = load_photo_sampler(pasted)[0].paint(masks[1:2], rows[0].car_class, seeds[1:2]).photos
    # Sums of another batch size may round differently; that moves a pixel by one level at most.
    assert np.abs(alone[0].astype(int) - made[1]).max() <= 1
    assert not (made == GREEN).all(-1).any()
