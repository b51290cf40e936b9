"""A workspace and the settings of a call, as all functions open them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from augkit.core.remote_workspace import workspace_at
from augkit.core.workspace import Workspace

if TYPE_CHECKING:
    from augkit.settings import Settings

Place: TypeAlias = Workspace | str | Path
"""A workspace, or its folder or URL."""
Config: TypeAlias = "Settings | str | Path | None"
"""Settings, a preset's name or a YAML file; None stands for the workspace's own, or the machine's default preset."""
Changes: TypeAlias = Mapping[str, Any] | Sequence[str]
"""Single settings: ``{"mask.steps": 500}``, or ``["mask.steps=500"]`` as the command line has it."""


def open_workspace(place: Place) -> Workspace:
    """The workspace at a folder or URL. Raises ShardError where a URL leads nowhere."""
    return place if isinstance(place, Workspace) else workspace_at(place)


def settings_of(workspace: Workspace, config: Config = None, changes: Changes = ()) -> Settings:
    """The settings of a call. Raises ConfigError with every fault at once."""
    from augkit.settings import Settings, changed, default_preset, load_settings

    lines = [f"{key}={_text(value)}" for key, value in changes.items()] if isinstance(changes, Mapping) else changes
    if isinstance(config, Settings):
        return changed(config, lines) if lines else config
    if config is None:
        config = workspace.settings if workspace.settings.is_file() else default_preset()
    return load_settings(config, lines)


def _text(value: Any) -> str:
    return json.dumps(str(value) if isinstance(value, Path) else value)
