"""What gate and workers are handed, from the settings of a workspace: plain options, and what trains segmenters."""

from __future__ import annotations

from augkit.balance.shard_job import FanOut, PairFormat
from augkit.core.arithmetic import DeviceKind
from augkit.core.parts import PartSchema
from augkit.core.progress import Progress, silent
from augkit.core.workspace import Workspace
from augkit.gate.options import GateOptions, RuleOptions
from augkit.gate.reference import ReferenceSet
from augkit.settings import BalanceSettings, GateSettings, Settings
from augkit.stages.gate_segmenters import GateSegmenters


def open_references(workspace: Workspace, settings: Settings, progress: Progress = silent) -> ReferenceSet:
    """The workspace's real pairs as its gate sees them. Raises what ``ReferenceSet.open`` does."""
    schema = PartSchema.load(workspace.schema)
    segmenters = GateSegmenters(workspace, schema, settings)
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


def fan_out(balance: BalanceSettings, device: DeviceKind = "cpu") -> FanOut:
    """What executors take from the settings."""
    gpus = balance.gpus_per_worker if device == "cuda" else 0.0
    return FanOut(0 if balance.workers == "auto" else balance.workers, balance.threads, balance.retries, gpus)


def pair_format(settings: Settings) -> PairFormat:
    """How pairs are stored."""
    return PairFormat(settings.image.size, settings.balance.quality, settings.balance.lossless)
