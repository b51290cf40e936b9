"""Formats that other tools train on: one file a format, which registers itself with its settings.

A format is handed pairs as plain ``ExportItem``s, whoever read them, and knows nothing of shards and workspaces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from augkit.core.registry import Registry

if TYPE_CHECKING:
    from augkit.export.export_format import ExportFormat

# Defined here, where no format is imported: the registry imports them on the first look-up.
EXPORTERS: Registry[type[ExportFormat]] = Registry("export format", "augkit.export")
