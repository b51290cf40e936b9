"""The fixtures of the stages' tests serve the engine's too."""

from tests.stages.conftest import every_step, sharded_workspace, workspace

__all__ = ["every_step", "sharded_workspace", "workspace"]
