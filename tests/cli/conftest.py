"""The fixtures of other folders that serve the verbs too."""

from tests.balance.conftest import augkit, balanced, balanced_workspace, settings, trained, trained_workspace
from tests.data.conftest import coco

__all__ = ["augkit", "balanced", "balanced_workspace", "coco", "settings", "trained", "trained_workspace"]
