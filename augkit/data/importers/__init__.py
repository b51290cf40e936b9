"""Readers of data sets: one file a source. Each registers a function that turns a folder into samples.

An importer is ``read(source, annotations) -> SampleSet``. It raises ConfigError, DataError or SchemaError where the
data set as a whole cannot be read; what is wrong with one photo becomes that sample's ``problem``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from augkit.core.registry import Registry

if TYPE_CHECKING:
    from augkit.data.samples import SampleSet

Importer: TypeAlias = "Callable[[Path, Path | None], SampleSet]"

# Defined here, where no importer is imported: the registry imports them on the first look-up.
IMPORTERS: Registry[Importer] = Registry("importer", "augkit.data.importers")
