"""The best state instead of the last, and an end to runs that have collapsed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from augkit.core.errors import CheckpointError, DataError
from augkit.core.parts import PartSchema
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow, TrainingRows, read_catalogue
from augkit.data.dataset import PairDataset
from augkit.data.pair import Pair
from augkit.gan.samplers import LatentBank, MaskSampler
from augkit.metrics.spread import spread
from augkit.settings import Settings
from augkit.stages import checkpoint_judge
from augkit.stages.holdout import hold_out
from augkit.stages.mask import mask_task
from augkit.train.checkpoint import load_state
from augkit.train.model_folder import is_finished
from augkit.train.run import TrainingTask
from augkit.train.run_options import SelectionOptions
from augkit.train.selection import BestState, CheckpointJudge, CheckpointScore
from augkit.train.selector import LastState
from augkit.train.stopping import Deadline, StopSignal
from tests.stages.runs import run, tiny


class OneProcess:
    """A backend of one process."""

    num_processes = 1
    device = torch.device("cpu")


@dataclass
class Trained:
    """A player with a loss."""

    name: str = "D"
    losses: dict[str, torch.Tensor] = field(default_factory=lambda: {"adversarial": torch.tensor(1.0)})


@dataclass
class Played:
    """A game of one such player."""

    players: tuple[Trained, ...] = (Trained(),)


class Counted(nn.Module):
    """A module whose weight tells how often it was made."""

    def __init__(self, number: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(float(number)))


def _selector(
    folder: Path, judgements: list[CheckpointScore], losses: float = 1.0, **options: Any
) -> tuple[BestState, StopSignal, Any]:
    stop = StopSignal(OneProcess())  # type: ignore[arg-type]
    asked = SelectionOptions(**({"every": 1, "patience": 2} | options))
    at = iter(judgements)
    made: list[nn.Module] = []

    def make() -> nn.Module:
        made.append(Counted(float(selector.seen)))
        return made[-1]

    selector = BestState(asked, lambda module: next(at), make, folder, stop)  # type: ignore[arg-type]
    selector.seen = 0  # type: ignore[attr-defined]
    game = Played((Trained(losses={"adversarial": torch.tensor(losses)}),))

    def go(steps: int) -> None:
        for _ in range(steps):
            selector.seen += 1
            selector.after_step(selector.seen, game)  # type: ignore[arg-type]

    return selector, stop, go


def test_the_best_state_is_chosen_not_the_last(tmp_path: Path) -> None:
    selector, stop, go = _selector(tmp_path, [CheckpointScore(d, 1.0) for d in (5.0, 2.0, 3.0)])
    go(3)
    module = Counted(99)
    assert selector.choose(module) == {"chosen_step": 2, "distance": 2.0}
    assert float(module.weight.detach()) == 2.0 and not stop.reason
    lines = [json.loads(line) for line in (tmp_path / "judgements.jsonl").read_text().splitlines()]
    assert [line["distance"] for line in lines] == [5.0, 2.0, 3.0]


def test_judging_happens_every_so_many_steps(tmp_path: Path) -> None:
    selector, _, go = _selector(tmp_path, [CheckpointScore(1.0, 1.0)], every=3)
    go(5)
    assert selector.step == 3


def test_before_the_first_judgement_the_last_state_is_all_there_is(tmp_path: Path) -> None:
    selector, _, _ = _selector(tmp_path, [])
    module = Counted(7)
    assert selector.choose(module) == {} and float(module.weight.detach()) == 7.0
    assert LastState().choose(module) == {}


def test_samples_that_are_all_alike_end_the_run(tmp_path: Path) -> None:
    _, stop, go = _selector(tmp_path, [CheckpointScore(1.0, d) for d in (0.1, 0.9, 0.1, 0.2)])
    go(3)
    assert not stop.reason  # only judgements in a row count
    go(1)
    assert stop.reason.startswith("step 4: the samples have collapsed") and "20%" in stop.reason
    assert "diffaugment" in stop.reason


def test_a_d_that_knows_everything_ends_the_run(tmp_path: Path) -> None:
    _, stop, go = _selector(tmp_path, [CheckpointScore(1.0, 1.0)] * 2, losses=0.001)
    go(2)
    assert stop.reason.startswith("step 2: D tells all real from all made") and "lecam" in stop.reason


def test_a_loss_that_does_not_end_at_0_does_not_end_the_run(tmp_path: Path) -> None:
    selector, stop, go = _selector(tmp_path, [CheckpointScore(1.0, 1.0)] * 2, losses=0.001)
    selector.watched = False
    go(2)
    assert not stop.reason


def _task(workspace: Workspace, settings: Settings) -> TrainingTask:
    rows = TrainingRows.of(read_catalogue(workspace.catalogue))
    schema = PartSchema.load(workspace.schema)
    return mask_task("all", workspace, rows, schema, settings.mask, torch.device("cpu"))


@pytest.mark.parametrize(("loss", "watched"), [("hinge", True), ("wgan", False)])
def test_d_is_watched_where_its_loss_says_that_it_has_won(
    loss: str, watched: bool, rendered_workspace: Workspace, tmp_path: Path
) -> None:
    asked = [f"mask.adversarial={loss}", "mask.options={latent: 4, norm: spectral}"]
    asked.append("mask.selection={every: 1, share: 0.3}")
    task = _task(rendered_workspace, tiny("dcgan-upsampling", 2, *asked))
    selector = task.select(nn.Identity, tmp_path, StopSignal(OneProcess()))  # type: ignore[arg-type]
    assert isinstance(selector, BestState) and selector.watched is watched


def test_a_killed_run_forgets_a_best_state_of_later_steps(tmp_path: Path) -> None:
    """The checkpoint is of step 1, the state on disk of step 2: what is judged next is the best again."""
    selector, _, go = _selector(tmp_path, [CheckpointScore(d, 1.0) for d in (5.0, 2.0)])
    go(1)
    saved = selector.state_dict()
    go(1)
    other, _, go_on = _selector(tmp_path, [CheckpointScore(7.0, 1.0)])
    other.load_state_dict(saved)
    assert other.choose(Counted(9)) == {}
    other.seen = 1  # type: ignore[attr-defined]
    go_on(1)
    assert other.choose(Counted(9)) == {"chosen_step": 2, "distance": 7.0}


def test_a_judgement_that_was_cut_off_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "judgements.jsonl").write_text('{"step": 1, "distance": 2.0}\n{"step": 2, "dis')
    selector, _, go = _selector(tmp_path, [CheckpointScore(5.0, 1.0)])
    selector.seen = 2  # type: ignore[attr-defined]
    go(1)
    lines = [json.loads(line) for line in (tmp_path / "judgements.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 3]


def test_a_run_goes_on_with_what_it_had_judged(tmp_path: Path) -> None:
    selector, _, go = _selector(tmp_path, [CheckpointScore(2.0, 0.1)])
    go(1)
    other, stop, go_on = _selector(tmp_path, [CheckpointScore(3.0, 0.1)])
    other.load_state_dict(selector.state_dict())
    other.seen = 1  # type: ignore[attr-defined]
    go_on(1)
    assert other.step == 1 and other.best == 2.0 and "collapsed" in stop.reason


def test_a_best_state_of_another_run_is_refused(tmp_path: Path) -> None:
    selector, _, go = _selector(tmp_path, [CheckpointScore(2.0, 1.0)])
    go(1)
    selector.step = 5
    with pytest.raises(CheckpointError, match="of step 1"):
        selector.choose(Counted(0))


def test_spread_is_the_mean_distance() -> None:
    assert spread(np.array([[0.0, 0], [3, 4], [0, 0]], np.float32)) == pytest.approx(10 / 3)


@pytest.mark.parametrize("figure", ["frechet", "kernel"])
def test_a_judge_likes_what_is_near(figure: str) -> None:
    rng = np.random.default_rng(0)
    real, near, far = (rng.normal(shift, 1, (40, 4)).astype(np.float32) for shift in (0, 0.1, 2))
    module = nn.Identity()
    judged = [CheckpointJudge(real, lambda _, m=made: m, figure)(module) for made in (near, far)]  # type: ignore[misc]
    assert judged[0].distance < judged[1].distance
    assert judged[0].diversity == pytest.approx(spread(near) / spread(real))


def test_the_time_of_a_budget_ends_a_run() -> None:
    stop = StopSignal(OneProcess())  # type: ignore[arg-type]
    taken = []
    deadline = Deadline(0.0, stop)
    for step, _ in stop.until((step, None) for step in range(1, 9)):  # type: ignore[arg-type,misc]
        taken.append(step)
        deadline.after_step(step, None)  # type: ignore[arg-type]
    assert taken == [1] and stop.reached == 1 and "budget" in stop.reason


def test_any_process_ends_the_run_of_all() -> None:
    class TwoProcesses(OneProcess):
        num_processes = 2

        def reduce(self, tensor: torch.Tensor, reduction: str) -> torch.Tensor:
            return tensor + 1  # the other one has requested

    stop = StopSignal(TwoProcesses())  # type: ignore[arg-type]
    assert [step for step, _ in stop.until((s, None) for s in range(1, 9))] == [1]  # type: ignore[arg-type,misc]


def test_who_judges_does_not_train(rendered_workspace: Workspace) -> None:
    rows = TrainingRows.of(read_catalogue(rendered_workspace.catalogue))
    train, judging = hold_out(rows, 0.25, 1)
    names = [{row.id for row in part.rows} for part in (train, judging)]
    assert not names[0] & names[1] and names[0] | names[1] == {row.id for row in rows.rows}
    assert hold_out(rows, 0.25, 1) == (train, judging) and hold_out(rows, 0.25, 2) != (train, judging)
    assert {row.split for row in judging.rows} <= {"train"}


def test_photos_of_one_group_are_on_one_side(rendered_workspace: Workspace) -> None:
    """Near duplicates of what trains must not judge."""
    rows = TrainingRows.of(read_catalogue(rendered_workspace.catalogue)).rows
    pairs = [replace(row, group=f"{row.car_class.name}{n // 2}") for n, row in enumerate(sorted(rows, key=_class))]
    tripled = tuple(replace(row, id=f"{row.id}-{n}") for row in pairs for n in range(3))
    for seed in range(5):
        train, judging = hold_out(TrainingRows(tripled), 0.4, seed)
        assert not {row.group for row in train.rows} & {row.group for row in judging.rows}


def test_neither_the_batches_nor_the_bank_hold_what_judges(
    rendered_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[Pair] = []

    def seen(pairs: PairDataset, *_: object) -> None:
        judged.extend(pairs.plain(index) for index in range(len(pairs)))

    monkeypatch.setattr(checkpoint_judge, "judge_of", seen)
    task = _task(rendered_workspace, tiny("mask-vae", 2, "mask.selection={every: 1, share: 0.3}"))
    trained = {task.pairs.plain(index).mask.tobytes() for index in range(len(task.pairs))}
    assert len(judged) >= checkpoint_judge.FEWEST and not trained & {item.mask.tobytes() for item in judged}
    sampler = task.finish(task.learner)
    assert isinstance(sampler, MaskSampler) and isinstance(sampler.prior, LatentBank)
    assert len(sampler.prior.latents) == 2 * len(task.pairs)  # each and its mirror image


def test_every_pair_is_followed_by_its_mirror_image(rendered_workspace: Workspace) -> None:
    pairs = _task(rendered_workspace, tiny("mask-vae", 2)).pairs
    assert isinstance(pairs, PairDataset)
    mirrors = checkpoint_judge.with_mirrors(pairs)[len(pairs) :]
    for place, item in enumerate(map(pairs.plain, range(len(pairs)))):
        other = mirrors[place]
        assert other.car_class == item.car_class.mirror
        np.testing.assert_array_equal(other.photo, item.photo[:, ::-1])
        np.testing.assert_array_equal(other.mask, pairs.schema.flip(item.mask))


def _class(row: CatalogueRow) -> str:
    return row.car_class.name


def test_a_run_keeps_its_best_state_and_says_so(workspace: Workspace) -> None:
    folder = run("mask-vae", workspace, tiny("mask-vae", 4, "mask.selection={every: 2, share: 0.3}"))
    about = json.loads((folder / "config.json").read_text())
    assert about["chosen_step"] in (2, 4) and about["distance"] > 0 and is_finished(folder)
    best = load_state(folder / "best.safetensors")[0]
    model = load_state(folder / "model.safetensors")[0]
    assert all(torch.equal(best[name], model[name]) for name in best)


def test_a_collapsed_run_ends_early_and_can_still_be_used(workspace: Workspace) -> None:
    asked = "mask.selection={every: 1, share: 0.3, patience: 1, diversity: 1.0}"
    folder = run("mask-vae", workspace, tiny("mask-vae", 6, asked))
    about = json.loads((folder / "config.json").read_text())
    assert about["steps"] < 6 and "collapsed" in about["stopped"] and is_finished(folder)
    assert (folder / "samples" / f"step-{about['steps']:06d}.png").is_file()  # to see what became of it


def test_too_few_pairs_to_judge_by_are_refused(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint_judge, "FEWEST", 9)
    with pytest.raises(DataError, match=r"of \d+ training pairs can be kept out"):
        run("mask-vae", workspace, tiny("mask-vae", 2, "mask.selection={every: 1, share: 0.01}"))
