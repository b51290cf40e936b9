"""Label equivalents as a whole, on rendered cars; what would be trained is told apart by what it was given."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pytest

from augkit.api.evaluate import utility
from augkit.api.label_equivalents import _known_classes, label_equivalents, utility_cost
from augkit.cli._app import run as command
from augkit.core.errors import ConfigError, DataError
from augkit.core.progress import Progress
from augkit.core.workspace import Workspace
from augkit.data.catalogue import read_catalogue, write_catalogue
from augkit.evaluate.utility import label_study as label_studies
from augkit.evaluate.utility.arms import Arm, Choice, arms_of
from augkit.evaluate.utility.evaluation_sets import EvaluationSets
from augkit.evaluate.utility.held_out import HeldOut
from augkit.evaluate.utility.label_study import LabelQuestion, compare_labels
from augkit.evaluate.utility.study_cost import StudyCost, trainings_of
from augkit.evaluate.utility.trial import Trial
from augkit.evaluate.utility.tuning import TUNING_SEED
from augkit.settings import Settings
from tests.evaluate.utility.test_study import NARROW, SETTINGS, write
from tests.evaluate.utility.test_tuning import SMALL, tested
from tests.stages.runs import tiny

__all__ = ["tested"]
ARMS = tuple(arms_of(["real", "all"], [0.5]))


def make_pairs(place: Workspace, settings: Settings, progress: Progress) -> None:
    """As many pairs as half of the labels."""
    del progress
    assert settings.seed == (int(place.root.parent.name))
    write(place, 4)


@pytest.fixture
def graded(monkeypatch: pytest.MonkeyPatch) -> list[Trial]:
    """Trainings that read as many pixels as they had labels: ten in a hundred for 8, twenty for 16, thirty for all;
    with pairs of augkit ten more. All trials, as they are asked."""
    asked: list[Trial] = []

    def run(self: Trial, held: HeldOut, progress: Any = None) -> Any:
        asked.append(self)
        hits = {"8": 10, "16": 20, "all": 30}[self.workspace.root.name] + 10 * (self.arm.kind == "all")
        return np.full((len(held.items), held.schema.channels, 3), [hits, 100, hits])

    monkeypatch.setattr(Trial, "run", run)
    return asked


def test_the_curve_and_what_it_says(copied_workspace: Workspace, graded: list[Trial]) -> None:
    said = set[str]()
    study = compare_labels(
        copied_workspace, SETTINGS, LabelQuestion(ARMS, (8, 16, 0), 2, 3), make_pairs,
        progress=lambda name, *_: said.add(name),
    )  # fmt: skip
    assert {f"{number} labels, training runs" for number in ("8", "16", "all")} <= said
    there = float(sum(row.split == "train" for row in read_catalogue(copied_workspace.catalogue)))
    assert [(point.asked, point.labels) for point in study.points] == [(8, 8.0), (16, 16.0), (0, there)]
    assert study.sentences == [
        "With 8 labels and augkit you are where 16 labels without it are (95 % interval 16 to 16).",
        f"With 16 labels and augkit you are where {there:.0f} labels without it are "
        f"(95 % interval {there:.0f} to {there:.0f}).",
        f"With {there:.0f} labels and augkit you are where more than {there:.0f} labels without it are "
        f"(95 % interval more than {there:.0f} to more than {there:.0f}).",
    ]
    values = [[result.figures["overall"].value for result in point.study.arms] for point in study.points]
    assert values == [pytest.approx([0.1, 0.2]), pytest.approx([0.2, 0.3]), pytest.approx([0.3, 0.4])]
    assert study.to_dict()["worth"]["overall"][2]["worth"] == "more"
    assert study.points[0].study.comparisons[0].deltas["overall"].seeds == pytest.approx((0.1, 0.1))
    places = {(trial.seed, trial.workspace.root.name) for trial in graded}
    assert places == {(seed, name) for seed in (0, 1) for name in ("8", "16", "all")}
    of_real = [trial for trial in graded if trial.arm.kind == "real" and trial.workspace.root.name == "8"]
    keys = [set(trial.pairs.index["key"].to_pylist()) for trial in of_real]
    assert [len(own) for own in keys] == [8, 8] and keys[0] != keys[1]


def test_photos_and_tail_are_those_of_all_labels(copied_workspace: Workspace, graded: list[Trial]) -> None:
    whole = EvaluationSets.of_catalogue(copied_workspace, SETTINGS.segmenter.size)
    study = compare_labels(copied_workspace, SETTINGS, LabelQuestion((Arm("real"),), (8, 0), 1, 3), make_pairs)
    schema = whole.held.schema
    for point in study.points:
        assert point.study.tail_parts == tuple(schema.names[part] for part in whole.tail.parts)
        assert point.study.photos["overall"] == len(whole.held.items)
    write(copied_workspace, 0)
    assert EvaluationSets.of(copied_workspace, SETTINGS.segmenter.size).tail == whole.tail
    assert study.worth == {} and study.sentences == []  # nobody has pairs of augkit


def test_every_number_of_labels_is_tuned_by_a_subset_of_its_own(tested: Workspace, graded: list[Trial]) -> None:
    question = LabelQuestion((Arm("real+classical"),), (8, 16), 2, 3, tuned=True)
    study = compare_labels(tested, tiny("fpn", 3, *SMALL), question, make_pairs)
    tuning = [trial for trial in graded if trial.seed == TUNING_SEED]
    assert {trial.workspace.root.parent.name for trial in tuning} == {str(TUNING_SEED)}
    assert len(tuning) == 2 * 4 and study.points[0].study.tuned == {"real+classical": Choice("flip")}
    assert (tested.root / "utility" / "labels" / str(TUNING_SEED) / "8" / "reports" / "utility-tuning.json").is_file()


def test_side_by_side_all_is_done_ahead(
    tested: Workspace, graded: list[Trial], monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead: list[str] = []

    def in_turn(jobs: int, work: Any, units: Any, name: str, progress: Progress) -> None:
        assert jobs == 2 and pickle.dumps(work)
        ahead.append(name)
        for unit in units:
            work(unit)

    question = LabelQuestion(ARMS, (8, 16), 1, 3, tuned=True)
    with monkeypatch.context() as replaced:
        replaced.setattr(label_studies, "side_by_side", in_turn)
        found = compare_labels(tested, tiny("fpn", 3, *SMALL), question, make_pairs, jobs=2)
    assert ahead == ["subsets of the labels", "tuning runs", "training runs"]
    folders = [trial.folder for trial in graded]
    assert all(folders.count(folder) % 4 == 0 for folder in folders if "1000000" not in str(folder))  # ahead as after
    graded.clear()
    alone = compare_labels(tested, tiny("fpn", 3, *SMALL), question, make_pairs)
    assert found.to_dict() == alone.to_dict() and {trial.folder for trial in graded} <= set(folders)


def test_what_the_main_job_refuses_is_told_with_its_subset(copied_workspace: Workspace) -> None:
    def refused(place: Workspace, settings: Settings, progress: Progress) -> None:
        raise DataError("too few pairs", "more", "label some")

    with pytest.raises(DataError, match=r"8 labels, seed 0: too few pairs(.|\n)*label some"):
        compare_labels(copied_workspace, SETTINGS, LabelQuestion(ARMS, (8,), 1, 3), refused)


def test_the_verb_trains_and_keeps(copied_workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "evaluate", "utility", "-w", str(copied_workspace.root), "--config", "smoke", "--set", NARROW,
        "--set", "segmenter.batch=2", "--seeds", "1", "--steps", "1", "--arms", "real", "--labels", "8,all",
    ]  # fmt: skip
    assert command([*words, "--dry-run", "--json"]) == 0
    cost = json.loads(capsys.readouterr().out)
    assert (cost["trainings"], cost["steps"], cost["jobs"]) == (2, 2, 0) and 0 < cost["pace"] < 60
    assert not list(copied_workspace.root.rglob("scores-*.npz"))
    assert command(words) == 0
    assert "8 labels" in capsys.readouterr().out
    result = json.loads((copied_workspace.reports / "utility-labels.json").read_text())
    assert [point["asked"] for point in result["points"]] == [8, "all"]
    assert (copied_workspace.reports / "utility-labels.png").read_bytes()[:4] == b"\x89PNG"
    assert len(list(copied_workspace.root.rglob("scores-val.npz"))) == 2


def test_costs() -> None:
    settings = tiny("fpn", 3, *SMALL[:2], "utility.lengths=[1, 2]")
    arms = [Arm("real"), Arm("real+classical")]
    assert trainings_of(arms, 3, settings, steps=10, tuned=False) == (6, 60)
    assert trainings_of(arms, 3, settings, steps=10, tuned=True) == (4 + 8 + 6, 10 * (4 * 1.5 + 8 * 1.5 + 6 * 2))
    cost = StudyCost(6, 600, 0.1, 2, 60.0)
    assert cost.minutes == 3 and "6 trainings" in cost.sentence and "2 runs of `augkit balance`" in cost.sentence


def test_the_main_job_is_asked_for_classes_that_labels_show(copied_workspace: Workspace) -> None:
    rows = read_catalogue(copied_workspace.catalogue)
    assert _known_classes(copied_workspace) == []
    back = ("back-left-3", "back-right-3")
    fewer = [row for row in rows if row.split != "train" or row.car_class.name not in back]
    write_catalogue(copied_workspace.catalogue, fewer)
    assert set(_known_classes(copied_workspace)) == {row.car_class.name for row in rows} - set(back)
    one = [row for row in rows if row.split != "train" or row.car_class.name != back[0]]
    write_catalogue(copied_workspace.catalogue, one)
    assert _known_classes(copied_workspace) == []  # its mirror image is there


class AtAUrl(Workspace):
    def location(self, name: str) -> str:
        return f"s3://bucket/{name}"


def test_what_writes_beside_a_mirror_is_refused(copied_workspace: Workspace) -> None:
    place = AtAUrl(copied_workspace.root)
    for asked in (
        lambda: label_equivalents(place, ["8"]),
        lambda: utility_cost(place, labels=["8"]),
        lambda: utility(place, jobs=2),
    ):
        with pytest.raises(ConfigError, match=r"with a workspace at a URL(.|\n)*in a folder"):
            asked()
