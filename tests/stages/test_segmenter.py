"""The segmenter: what it reads, and its figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from augkit.core.classes import CarClass
from augkit.core.errors import ConfigError, DataError, ShardError
from augkit.core.parts import IGNORE, PartSchema
from augkit.core.workspace import Workspace
from augkit.data.catalogue import read_catalogue, write_catalogue
from augkit.data.draws import Draw
from augkit.data.pair import Pair
from augkit.models.registries import SEGMENTERS
from augkit.settings import MIXING, load_settings
from augkit.shards.reader import ShardDataset
from augkit.stages import segmenter as segmenters
from augkit.stages.segmenter import ShardPairs, evaluate_segmenter, iou_by_part, segmenter_task, train_segmenter

from .runs import run, tiny, write_shards

SCHEMA = PartSchema.from_names(["hood", "door", "wheel"])


class Fixed(nn.Module):
    """A network that always reads the same mask."""

    def __init__(self, mask: np.ndarray) -> None:
        super().__init__()
        read = nn.functional.one_hot(torch.from_numpy(mask).long(), SCHEMA.channels).permute(2, 0, 1)
        self.logits = nn.Parameter(read[None].float())

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        return self.logits


def _item(rows: list[list[int]]) -> Pair:
    mask = np.array(rows, np.uint8)
    return Pair(np.zeros((*mask.shape, 3), np.uint8), mask, CarClass("A", "5"))


def test_iou_by_hand() -> None:
    read = np.array([[1, 1, 0], [2, 2, 1]])
    truth = [[1, 0, 0], [2, 1, IGNORE]]
    scores = iou_by_part(Fixed(read), [_item(truth)], SCHEMA)
    # Without the ignored pixel: hood 1 of {1 true only at (1,1), 1 read only at (0,1), both at (0,0)}.
    assert scores == pytest.approx({"hood": 1 / 3, "door": 1 / 2, "mean": 5 / 12})


def test_iou_counts_pixels_of_all_pairs_together() -> None:
    read = np.array([[1, 1], [1, 1]])
    scores = iou_by_part(Fixed(read), [_item([[1, 1], [1, 1]]), _item([[1, 0], [0, 0]])], SCHEMA)
    assert scores["hood"] == pytest.approx(5 / 8) and set(scores) == {"hood", "mean"}


def test_no_held_out_pair_is_an_error() -> None:
    with pytest.raises(DataError, match=r"no held-out pairs(.|\n)*data\.val_share"):
        iou_by_part(Fixed(np.zeros((2, 2))), [], SCHEMA)


def test_pairs_of_shards_are_augmented_by_the_draws_seed(workspace: Workspace) -> None:
    pairs = ShardPairs(ShardDataset(workspace.shards), 32, "strong")
    flipped, kept = (next(s for s in range(99) if pairs.augment.mirrors(s) == mirrored) for mirrored in (True, False))
    plain, moved = pairs.plain(0), pairs[Draw(0, flipped)]
    assert plain.photo.shape == (32, 32, 3) and plain.mask.shape == (32, 32)
    assert np.array_equal(moved.photo, pairs[Draw(0, flipped)].photo) and not np.array_equal(moved.photo, plain.photo)
    assert moved.car_class == plain.car_class.mirror and pairs[Draw(0, kept)].car_class == plain.car_class


def test_the_other_pair_is_a_real_one_of_the_class_where_there_is_one(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segmenters, "is_made", lambda shards: np.arange(len(shards)) % 3 == 0)
    pairs = ShardPairs(ShardDataset(workspace.shards), 32, "cutmix")
    pairs.augment = lambda pair, seed, silhouette, partner: partner(seed, pair.car_class)  # type: ignore[assignment]
    rows, made = range(len(pairs)), set(range(0, len(pairs), 3))
    akin = [[r for r in rows if r not in made and {pairs.classes[r]} & {c, c.mirror}] for c in pairs.classes]
    index = max(rows, key=lambda row: len(akin[row]))
    drawn = [next(r for r in rows if pairs.plain(r) is pairs[Draw(index, seed)]) for seed in range(30)]
    assert set(drawn) <= set(akin[index]) - {index} and len(set(drawn)) > 1
    pairs._real = [index]
    assert pairs[Draw(index, 0)] is pairs.plain(index)  # alone


def test_it_trains_on_the_training_split_only(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[int] = set()
    keys: list[str] = []
    plain = ShardPairs.plain

    def note(self: ShardPairs, index: int) -> Pair:
        keys[:] = self.shards.index["key"].to_pylist()
        seen.add(index)
        return plain(self, index)

    monkeypatch.setattr(ShardPairs, "plain", note)
    run("fpn", workspace, tiny("fpn", 20))
    held_out = {row.id for row in read_catalogue(workspace.catalogue) if row.split != "train"}
    assert held_out and len(seen) == len(set(keys)) and held_out.isdisjoint(keys)


@pytest.mark.parametrize("name", sorted(SEGMENTERS))
def test_the_encoder_learns_at_a_rate_of_its_own(workspace: Workspace, name: str) -> None:
    settings = tiny(name, 2, "segmenter.encoder_lr=0.0003", "segmenter.optim.lr=0.002").segmenter
    task = segmenter_task(workspace, ShardDataset(workspace.shards), settings, torch.device("cpu"))
    groups = task.game.players[0].optimiser.param_groups
    rates = {id(p): group["initial_lr"] for group in groups for p in group["params"]}
    own = {id(p) for p in task.learner.encoder.parameters()}  # type: ignore[union-attr]
    assert {rate for p, rate in rates.items() if p in own} == {0.0003}
    assert {rate for p, rate in rates.items() if p not in own} == {0.002}
    assert len(rates) == sum(p.requires_grad for p in task.learner.parameters())


def test_evaluation_reads_the_held_out_split(workspace: Workspace) -> None:
    settings = tiny("fpn", 2)
    run("fpn", workspace, settings)
    scores = evaluate_segmenter(workspace, settings)
    assert "mean" in scores and all(0 <= value <= 1 for value in scores.values()) and len(scores) > 5


def test_a_workspace_without_shards_is_refused(rendered_workspace: Workspace) -> None:
    with pytest.raises(ShardError, match=r"manifest\.json"):
        train_segmenter(rendered_workspace, load_settings("smoke"), resume=False)


@pytest.mark.parametrize("name", MIXING)
def test_a_share_of_generated_pairs_says_nothing_about_real_ones(copied_workspace: Workspace, name: str) -> None:
    settings = load_settings("smoke", ["segmenter.source=real", f"segmenter.{name}=0.5"])
    with pytest.raises(ConfigError, match=f"segmenter.{name} with source real"):
        train_segmenter(copied_workspace, settings, resume=False)


def test_backgrounds_are_for_real_pairs_alone(copied_workspace: Workspace) -> None:
    for source in ("all", "classical"):
        settings = load_settings("smoke", [f"segmenter.source={source}", "segmenter.augment=background"])
        with pytest.raises(ConfigError, match=r"no silhouettes(.|\n)*augkit augment"):
            train_segmenter(copied_workspace, settings, resume=False)


def test_what_nothing_can_judge_is_not_trained(copied_workspace: Workspace) -> None:
    rows = [replace(row, split="train") for row in read_catalogue(copied_workspace.catalogue)]
    write_catalogue(copied_workspace.catalogue, rows)
    write_shards(copied_workspace)
    with pytest.raises(DataError, match=r"no real pair of the validation split(.|\n)*data\.val_share"):
        run("fpn", copied_workspace, tiny("fpn", 2))
    assert not copied_workspace.model("segmenter", "real").exists()
