"""What augkit's pairs are worth in labels, and what it costs to find out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augkit.api.bars import shown
from augkit.api.opened import Changes, Config, Place, open_workspace, settings_of
from augkit.api.plain_data import keep
from augkit.api.shown import Shown
from augkit.core.errors import ConfigError
from augkit.core.remote_workspace import remote_workspaces
from augkit.core.workspace import SHARDS

if TYPE_CHECKING:
    from rich.console import RenderableType

    from augkit.core.progress import Progress
    from augkit.core.workspace import Workspace
    from augkit.evaluate.utility.label_study import LabelQuestion, LabelStudy
    from augkit.evaluate.utility.study_cost import StudyCost
    from augkit.settings import Settings

__all__ = ["LabelEquivalents", "UtilityCost", "label_equivalents", "utility_cost"]


@dataclass(frozen=True)
class LabelEquivalents(Shown):
    """All arms at several numbers of labels, and a chart of it."""

    study: LabelStudy
    chart: Path

    def to_dict(self) -> dict[str, Any]:
        """See ``Shown``."""
        return self.study.to_dict() | {"chart": str(self.chart)}

    def table(self) -> RenderableType:
        """See ``Shown``."""
        from augkit.report.tables.label_table import label_tables

        return label_tables(self.study)

    @property
    def pictures(self) -> Sequence[Path]:
        """The chart."""
        return (self.chart,)


@dataclass(frozen=True)
class UtilityCost(Shown):
    """What a comparison would cost."""

    cost: StudyCost

    def to_dict(self) -> dict[str, Any]:
        """See ``Shown``."""
        return self.cost.to_dict()

    def table(self) -> RenderableType:
        """See ``Shown``."""
        return self.cost.sentence


@remote_workspaces()
def label_equivalents(
    workspace: Place, labels: Sequence[str], *, arms: Sequence[str] | None = None,
    ratios: Sequence[float] | None = None, seeds: int = 8, steps: int | None = None, tune: bool = False, jobs: int = 1,
    config: Config = None, changes: Changes = (), progress: Progress | None = None,
) -> LabelEquivalents:  # fmt: skip
    """Compares the arms at numbers of labels, e.g. ``["16", "64", "all"]``; kept in reports/utility-labels.json.

    For each seed and number a workspace is made in ``utility/labels`` in which the other training photos have no masks;
    there everything is trained, and `augkit balance` makes the pairs (section ``balance`` of the settings). The rest as
    in ``evaluate.utility``.
    """
    from augkit.evaluate.utility.label_study import compare_labels
    from augkit.report.label_chart import label_chart

    place = open_workspace(workspace)
    require_folder(place, "--labels")
    settings = settings_of(place, config, changes)
    question = _question(place, settings, labels, arms, ratios, seeds=seeds, steps=steps, tune=tune)
    with shown(progress) as told:
        study = compare_labels(place, settings, question, _make_pairs, jobs=jobs, progress=told)
    found = LabelEquivalents(study, label_chart(study, place.reports / "utility-labels.png"))
    keep(place, "utility-labels", found.to_dict())
    return found


@remote_workspaces()
def utility_cost(
    workspace: Place, *, labels: Sequence[str] | None = None, arms: Sequence[str] | None = None,
    ratios: Sequence[float] | None = None, seeds: int = 3, steps: int | None = None, tune: bool = False,
    config: Config = None, changes: Changes = (), progress: Progress | None = None,
) -> UtilityCost:  # fmt: skip
    """What ``evaluate.utility``, or with ``labels`` ``label_equivalents``, would cost, by short, discarded runs."""
    from augkit.evaluate.utility.arms import arms_of
    from augkit.evaluate.utility.study import default_kinds
    from augkit.evaluate.utility.study_cost import StudyCost, pace_of, trainings_of
    from augkit.evaluate.utility.trial import TrialMaker

    place = open_workspace(workspace)
    settings = settings_of(place, config, changes)
    if labels is not None:
        require_folder(place, "--labels")
        question = _question(place, settings, labels, arms, ratios, seeds=seeds, steps=steps, tune=tune)
        with shown(progress) as told:
            return UtilityCost(_label_cost(place, settings, question, told))
    own = steps or settings.segmenter.steps
    chosen = arms_of(default_kinds(place) if arms is None else arms, ratios)
    trainings, length = trainings_of(chosen, seeds, settings, steps=own, tuned=tune)
    return UtilityCost(StudyCost(trainings, length, pace_of(TrialMaker(place, settings, own), chosen)))


def require_folder(place: Workspace, asked: str) -> None:
    """Raises ConfigError for a workspace at a URL: what other processes, or workspaces within it, write stays here."""
    if isinstance(place.location(SHARDS), str):
        raise ConfigError(f"{asked} with a workspace at a URL", "one in a folder", "work on a copy of it in a folder")


def _question(
    place: Workspace, settings: Settings, labels: Sequence[str], arms: Sequence[str] | None,
    ratios: Sequence[float] | None, *, seeds: int, steps: int | None, tune: bool,
) -> LabelQuestion:  # fmt: skip
    from augkit.data.catalogue import TrainingRows, read_catalogue
    from augkit.evaluate.utility.arms import arms_of
    from augkit.evaluate.utility.label_study import DEFAULT, LabelQuestion
    from augkit.evaluate.utility.label_subsets import numbers_of

    chosen = arms_of(DEFAULT if arms is None else arms, ratios)
    numbers = numbers_of(labels, len(TrainingRows.of(read_catalogue(place.require_catalogue()))))
    return LabelQuestion(tuple(chosen), tuple(numbers), seeds, steps or settings.segmenter.steps, tune)


def _make_pairs(place: Workspace, settings: Settings, progress: Progress) -> None:
    from augkit.api.balancing import balance

    balance(place, only=_known_classes(place), executor="local", config=settings, progress=progress)


def _known_classes(place: Workspace) -> list[str]:
    """The classes that labels show, mirror images among them; none where these are all that there are, held-out ones,
    too. The main job refuses to make pairs of a class that it has never seen."""
    from augkit.data.catalogue import TrainingRows, read_catalogue, usable

    rows = usable(read_catalogue(place.catalogue))
    seen = {row.car_class for row in TrainingRows.of(rows).rows}
    seen |= {car_class.mirror for car_class in seen}
    return [] if {row.car_class for row in rows} <= seen else sorted(car_class.name for car_class in seen)


def _label_cost(place: Workspace, settings: Settings, question: LabelQuestion, progress: Progress) -> StudyCost:
    """By the workspace with the most labels of seed 0."""
    from augkit.api.balancing import plan
    from augkit.evaluate.utility.label_study import open_room
    from augkit.evaluate.utility.label_subsets import LabelSubset
    from augkit.evaluate.utility.study_cost import StudyCost, pace_of, trainings_of

    room = open_room(place, settings, LabelSubset(0, question.numbers[-1]), question.steps)
    trainings, steps = trainings_of(question.arms, question.seeds, settings, steps=question.steps, tuned=question.tuned)
    several = len(question.numbers)
    jobs, seconds = 0, 0.0
    if question.makes_pairs:
        jobs = (question.seeds + question.tuned) * several
        forecast = plan(
            room.workspace, only=_known_classes(room.workspace), executor="local", config=settings, progress=progress
        ).forecast
        seconds = 0.0 if forecast is None else forecast.seconds
    return StudyCost(trainings * several, steps * several, pace_of(room, question.arms), jobs, seconds)
