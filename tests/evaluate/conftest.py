"""Fixtures of other folders that serve here too."""

from tests.balance.conftest import augkit, balanced, balanced_workspace, settings, trained, trained_workspace
from tests.gate.conftest import fitted, gate, gate_settings, references
from tests.stages.conftest import every_step, sharded_workspace, workspace

__all__ = [
    "augkit", "balanced", "balanced_workspace", "every_step", "fitted", "gate", "gate_settings", "references",
    "settings", "sharded_workspace", "trained", "trained_workspace", "workspace",
]  # fmt: skip
