"""The fixtures of the balance tests serve the verbs too."""

from tests.balance.conftest import augkit, balanced, balanced_workspace, settings, trained, trained_workspace

__all__ = ["augkit", "balanced", "balanced_workspace", "settings", "trained", "trained_workspace"]
