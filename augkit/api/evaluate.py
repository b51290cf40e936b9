"""How good the result is, and whether it helps: a function a question, as ``augkit evaluate`` has a verb for each."""

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

if TYPE_CHECKING:
    from rich.console import RenderableType

    from augkit.core.progress import Progress
    from augkit.evaluate.gate import FaultResult
    from augkit.evaluate.hidden_labels import TeacherFigures
    from augkit.evaluate.masks import MaskEvaluation
    from augkit.evaluate.photos import PhotoEvaluation
    from augkit.evaluate.utility.study import Study

__all__ = [
    "MaskQuality",
    "PhotoQuality",
    "PlantedFaults",
    "TeacherQuality",
    "UtilityComparison",
    "gate",
    "masks",
    "photos",
    "teacher",
    "utility",
]


@dataclass(frozen=True)
class MaskQuality(Shown):
    """What stage I makes, beside held-out real masks."""

    found: MaskEvaluation

    def to_dict(self) -> dict[str, Any]:
        """See ``Shown``."""
        return self.found.to_dict()

    def table(self) -> RenderableType:
        """See ``Shown``."""
        from augkit.report.tables.mask_table import mask_table

        return mask_table(self.found)


@dataclass(frozen=True)
class PhotoQuality(Shown):
    """What stage II makes, beside held-out photos."""

    found: PhotoEvaluation

    def to_dict(self) -> dict[str, Any]:
        """See ``Shown``."""
        return self.found.to_dict()

    def table(self) -> RenderableType:
        """See ``Shown``."""
        from augkit.report.tables.photo_table import photo_table

        return photo_table(self.found)


@dataclass(frozen=True)
class PlantedFaults(Shown):
    """What the gate catches of planted faults, beside the real pairs that it rejects."""

    lines: Sequence[FaultResult]

    def to_dict(self) -> dict[str, Any]:
        """See ``Shown``."""
        return {"faults": [vars(line) | {"by": line.reasons} for line in self.lines]}

    def table(self) -> RenderableType:
        """See ``Shown``."""
        from augkit.report.tables.gate_table import fault_table

        return fault_table(self.lines)


@dataclass(frozen=True)
class TeacherQuality(Shown):
    """What the teacher kept of unlabelled photos, against hidden labels."""

    found: TeacherFigures

    def to_dict(self) -> dict[str, Any]:
        """See ``Shown``."""
        return self.found.to_dict()

    def table(self) -> RenderableType:
        """See ``Shown``."""
        from augkit.report.tables.teacher_table import teacher_table

        return teacher_table(self.found)


@dataclass(frozen=True)
class UtilityComparison(Shown):
    """The same segmenter with and without generated pairs, a chart of the arms, and one of the parts where there is a
    verdict."""

    study: Study
    chart: Path
    parts: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """See ``Shown``."""
        return self.study.to_dict() | {
            "chart": str(self.chart), "part_chart": None if self.parts is None else str(self.parts),
        }  # fmt: skip

    def table(self) -> RenderableType:
        """See ``Shown``."""
        from augkit.report.tables.utility_table import utility_tables

        return utility_tables(self.study)

    @property
    def pictures(self) -> Sequence[Path]:
        """The charts."""
        return (self.chart,) if self.parts is None else (self.parts, self.chart)


@remote_workspaces()
def masks(
    workspace: Place, *, extractor: str = "lite0", weights: Path | None = None, config: Config = None,
    changes: Changes = (), progress: Progress | None = None, made_by: str = "stage-I",
) -> MaskQuality:  # fmt: skip
    """Compares what stage I makes with held-out masks, beside the floor of real ones; kept in reports/masks.json.

    ``made_by``: ``rendered`` and ``rendered-at-random`` compare masks of rendered cars instead, fitted to the training
    masks or not; kept under these names.
    """
    from augkit.evaluate.masks import evaluate_masks

    place = open_workspace(workspace)
    with shown(progress) as told:
        settings = settings_of(place, config, changes)
        found = MaskQuality(evaluate_masks(place, settings, extractor, told, weights, made_by=made_by))
    keep(place, "masks" if made_by == "stage-I" else f"masks-{made_by}", found.to_dict())
    return found


@remote_workspaces()
def photos(
    workspace: Place, *, extractor: str = "lite0", weights: Path | None = None, config: Config = None,
    changes: Changes = (), progress: Progress | None = None,
) -> PhotoQuality:  # fmt: skip
    """Compares stage II's photos, of held-out and of made masks, with held-out ones; kept in reports/photos.json."""
    from augkit.evaluate.photos import evaluate_photos

    place = open_workspace(workspace)
    with shown(progress) as told:
        found = PhotoQuality(evaluate_photos(place, settings_of(place, config, changes), extractor, told, weights))
    keep(place, "photos", found.to_dict())
    return found


@remote_workspaces()
def gate(
    workspace: Place, *, pairs: int = 80, config: Config = None, changes: Changes = (),
    progress: Progress | None = None,
) -> PlantedFaults:  # fmt: skip
    """Plants faults in at most so many real pairs and counts what the gate catches; kept in reports/planted.json."""
    from augkit.balance.plain_options import open_references
    from augkit.evaluate.gate import measure
    from augkit.gate.fit import ready_gate

    place = open_workspace(workspace)
    settings = settings_of(place, config, changes)
    if not settings.gate.checks:
        raise ConfigError("gate.checks is empty", "at least one check to measure", "e.g. --config cpu")
    with shown(progress) as told:
        references = open_references(place, settings, told)
        found = PlantedFaults(measure(references, ready_gate(references), pairs, told))
    keep(place, "planted", found.to_dict())
    return found


@remote_workspaces()
def utility(
    workspace: Place, *, arms: Sequence[str] | None = None, ratios: Sequence[float] | None = None, seeds: int = 3,
    steps: int | None = None, tune: bool = False, jobs: int = 1, config: Config = None, changes: Changes = (),
    progress: Progress | None = None,
) -> UtilityComparison:  # fmt: skip
    """Trains the same segmenter with and without generated pairs and compares both on held-out real photos.

    ``arms`` are e.g. ``["real", "real+classical"]`` (by default what the shards have pairs for), ``ratios`` the shares
    of made pairs in a batch; every arm is trained with so many ``seeds``, for ``steps`` steps (by default
    ``segmenter.steps``). With ``tune`` each arm's preset, learning rates and length are chosen on val first, with the
    same budget (section ``utility``). So many ``jobs`` are trained at a time. Kept in reports/utility.json.
    """
    from augkit.api.label_equivalents import require_folder
    from augkit.evaluate.utility.arms import arms_of
    from augkit.evaluate.utility.study import compare_arms, default_kinds
    from augkit.report.part_chart import part_chart
    from augkit.report.utility_chart import utility_chart

    place = open_workspace(workspace)
    if jobs > 1:
        require_folder(place, f"{jobs} jobs")
    settings = settings_of(place, config, changes)
    chosen = arms_of(default_kinds(place) if arms is None else arms, ratios)
    with shown(progress) as told:
        study = compare_arms(
            place, settings, chosen, seeds, steps or settings.segmenter.steps, tuned=tune, jobs=jobs, progress=told
        )
    charts = place.reports / "utility.png", place.reports / "utility-parts.png"
    found = UtilityComparison(study, utility_chart(study, charts[0]), part_chart(study, charts[1]))
    keep(place, "utility", found.to_dict())
    return found


@remote_workspaces()
def teacher(workspace: Place, labels: Place) -> TeacherQuality:
    """Compares what the teacher read of unlabelled photos with the pairs that another workspace has of them."""
    from augkit.evaluate.hidden_labels import evaluate_teacher

    return TeacherQuality(evaluate_teacher(open_workspace(workspace), open_workspace(labels)))
