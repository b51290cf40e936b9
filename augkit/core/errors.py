"""The exceptions a user can meet, each with the exit code of the command that raised it.

    AugkitError
    ├── ConfigError         2  the command line or the configuration asks for what cannot be
    │   └── RegistryError   2  no entry of that name, or two of one name
    ├── DataError           3  what is on disk is not what it should be
    │   ├── SchemaError     3  part ids or names that the workspace's part schema does not have
    │   ├── ShardError      3  shards, index and manifest disagree, or bytes have changed
    │   │   └── StoreError  3  a store at a URL that does not answer
    │   └── CheckpointError 3  a model or checkpoint that cannot be read, or belongs to other settings
    ├── TrainingError       3  a run that cannot go on (a non-finite loss)
    ├── BusyError           3  another process is writing what this one would write
    └── PartialError        4  the run ended, but part of what was asked for is missing

Every message says what was found, what was expected, and what to do.
"""

from __future__ import annotations


class RenamedWarning(FutureWarning):
    """Something is called by a name that the next version does not know."""


class AugkitError(Exception):
    """Base of every error that augkit raises on purpose.

    ``found`` says what was met, ``expected`` what should have been there, ``remedy`` what the user can do.
    """

    exit_code = 3

    def __init__(self, found: str, expected: str = "", remedy: str = "") -> None:
        self.found, self.expected, self.remedy = found, expected, remedy
        lines = [found]
        if expected:
            lines.append(f"expected: {expected}")
        if remedy:
            lines.append(f"remedy: {remedy}")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type[AugkitError], tuple[str, str, str]]:
        return type(self), (self.found, self.expected, self.remedy)


class ConfigError(AugkitError):
    """The command line or the configuration asks for what cannot be."""

    exit_code = 2


class RegistryError(ConfigError):
    """A registry has no entry of that name, or would have two."""


class DataError(AugkitError):
    """What is on disk is not what it should be."""


class SchemaError(DataError):
    """Part ids or names that the part schema does not have."""


class ShardError(DataError):
    """Shards, index and manifest disagree, or bytes have changed."""


class StoreError(ShardError):
    """A store at a URL does not answer, from this machine at least."""


class CheckpointError(DataError):
    """A model or checkpoint that cannot be read, or belongs to other settings."""


class TrainingError(AugkitError):
    """A run that cannot go on."""


class BusyError(AugkitError):
    """Another process is writing what this one would write."""


class PartialError(AugkitError):
    """The run ended, but part of what was asked for is missing."""

    exit_code = 4
