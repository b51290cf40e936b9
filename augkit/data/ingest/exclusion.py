"""``--exclude FILE``: photos that an import leaves out, as an audit or a report lists them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from augkit.core.errors import DataError
from augkit.core.nearest import nearest
from augkit.core.regular_file import LABELS, read_plain
from augkit.data.samples import Sample, Samples

_SHOWN = 5


class KeptSamples(Iterable[Sample]):
    """Samples without those of some ids."""

    def __init__(self, samples: Samples, without: frozenset[str]) -> None:
        self.samples, self.without = samples, without

    def __len__(self) -> int:
        return len(self.samples) - len(self.without)

    def __iter__(self) -> Iterator[Sample]:
        return (sample for sample in self.samples if sample.id not in self.without)


def exclude(samples: Samples, file: Path) -> KeptSamples:
    """The samples without those that the file names, one a line: an id, a source file, or the name of one.

    What follows ``#`` behind a blank is a remark. Raises DataError for names that no sample has.
    """
    ids: dict[str, set[str]] = {}
    for sample in samples:
        for name in (sample.id, sample.source_file, PurePosixPath(sample.source_file).name):
            ids.setdefault(name, set()).add(sample.id)
    named = [line if line in ids else line.partition(" #")[0].strip() for line in _lines(file)]
    strange = [name for name in dict.fromkeys(named) if name not in ids]
    if strange:
        shown = [
            name + (f" (did you mean {meant}?)" if (meant := nearest(name, ids)) else "") for name in strange[:_SHOWN]
        ]
        more = f" and {len(strange) - _SHOWN} more" if len(strange) > _SHOWN else ""
        raise DataError(
            f"{file}: no photo of this data set is named {', '.join(shown)}{more}",
            "an id, a source file or a file name in every line", "correct or remove these lines",
        )  # fmt: skip
    return KeptSamples(samples, frozenset(id for name in named for id in ids[name]))


def _lines(file: Path) -> list[str]:
    """Those that name something."""
    try:
        lines = [line.strip() for line in read_plain(file, LABELS).splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: {error}", "a text file", "check the path given to --exclude") from error
    return [line for line in lines if line and not line.startswith("#")]
