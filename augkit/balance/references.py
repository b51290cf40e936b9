"""What the gate is handed: its options and its segmenters, from the settings of a workspace."""

from __future__ import annotations

from augkit.core.parts import PartSchema
from augkit.core.progress import Progress, silent
from augkit.core.workspace import Workspace
from augkit.gate.options import GateOptions, RuleOptions
from augkit.gate.reference import ReferenceSet
from augkit.settings import GateSettings, Settings
from augkit.stages.row_segmenter import RowSegmenters


def open_references(workspace: Workspace, settings: Settings, progress: Progress = silent) -> ReferenceSet:
    """The workspace's real pairs as its gate sees them. Raises what ``ReferenceSet.open`` does."""
    schema = PartSchema.load(workspace.schema)
    segmenters = RowSegmenters(workspace, schema, settings.gate.segmenter, settings.precision)
    return ReferenceSet.open(workspace, schema, gate_options(settings), segmenters, progress)


def gate_options(settings: Settings) -> GateOptions:
    """What the gate takes from the settings."""
    gate, balance = settings.gate, settings.balance
    return GateOptions(
        checks=gate.checks,
        budget=gate.budget,
        folds=gate.folds,
        pixel_budget=gate.pixel_budget,
        pixel_factor=gate.pixel_factor,
        rule=rule_options(gate),
        seed=settings.seed,
        size=settings.image.size,
        mask_size=settings.mask.size,
        quality=balance.quality,
        lossless=balance.lossless,
    )


def rule_options(gate: GateSettings) -> RuleOptions:
    """What the rule on masks takes from them."""
    return RuleOptions(gate.min_part_pixels, gate.quantile, gate.slack, gate.required_share)
