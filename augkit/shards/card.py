"""The dataset card: ``README.md`` beside the shards, in the form that the Hugging Face Hub and ``datasets`` read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from augkit.core.parts import PartSchema
from augkit.core.plain_yaml import dump_plain, load_plain
from augkit.core.storage import Storage
from augkit.shards.commit import tar_file
from augkit.shards.shard_names import NAMES
from augkit.shards.tallies import Tally, tally
from augkit.shards.writer import SCORE, SPLITS

if TYPE_CHECKING:
    from augkit.shards.index import Manifest

CARD_FILE = "README.md"
CARD_COLUMNS = ["class", "source", "split", "shard", "accepted", "mask_model", "image_model", "reasons"]
UNKNOWN_LICENSE = "unknown"
_JUDGED = ("generated", "pseudo")

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"), (10**7, "1M<n<10M"))
_LOADING = """\
```python
from augkit import ShardDataset
train = ShardDataset("shards", where=[("split", "==", "train")])  # image, mask, key, class

import datasets  # columns jpg, mask.png, json
train = datasets.load_dataset("shards")["train"]

import glob, webdataset
from augkit.shards.reader import decode_mask_png
tars = sorted(glob.glob("shards/shard-*.tar"))  # val-*.tar and test-*.tar are held out
train = webdataset.WebDataset(tars, shardshuffle=False).decode(decode_mask_png, "pil")
```

{splits} Tars in `aside/` hold what the gate rejected; no loader above reads them.
"""
_ONE_SPLIT = """\
A tar holds pairs of one split. Only those of `shard-*.tar` are for training: {held} real pairs are held out, in
`val-*.tar` (`validation` to `datasets`) and `test-*.tar`."""
_MIXED = """\
Some tars hold pairs of several splits: `datasets` calls their pairs `mixed`, and none of them is in its `train`. Which
split a pair is of says its JSON: {held} real pairs are held out. `augkit balance --fresh` writes one split a tar."""
_HUB = {"train": "train", "val": "validation", "test": "test", "mixed": "mixed"}
"""Splits by the names that ``datasets`` has for them, and the one of tars that hold several."""


@dataclass
class CardCounts:
    """What a card counts, table after table: accepted pairs by class, source and split, and by shard and split; those
    that the gate judged, rejected ones too, by source, models, fate and reasons; ``scores`` are the names of all."""

    pairs: Tally = field(default_factory=Counter)
    places: Tally = field(default_factory=Counter)
    judged: Tally = field(default_factory=Counter)
    scores: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, tables: Iterable[pa.Table], columns: Iterable[str]) -> CardCounts:
        """Of tables with ``CARD_COLUMNS``; the scores are those among the ``columns`` of their index."""
        counts = cls(scores={name.removeprefix(SCORE) for name in columns if name.startswith(SCORE)})
        for table in tables:
            counts.add(table)
        return counts

    def add(self, table: pa.Table) -> None:
        """Counts the rows of one more table."""
        accepted, judged = table.filter(pc.field("accepted")), table.filter(pc.field("source").isin(_JUDGED))
        self.pairs.update(tally(accepted, "class", "source", "split"))
        self.places.update(tally(accepted, "shard", "split"))
        self.judged.update(tally(judged, "source", "mask_model", "image_model", "accepted", "reasons"))
        self.scores.update(name.removeprefix(SCORE) for name in table.column_names if name.startswith(SCORE))

    def of_source(self, source: str) -> Tally:
        """Models, fate and reasons of the pairs of a source."""
        return Counter({key[1:]: count for key, count in self.judged.items() if key[0] == source})


def write_card(storage: Storage, manifest: Manifest, counts: CardCounts, license: str | None = None) -> None:
    """Writes the card of a data set: the same data set gives the same bytes.

    ``license`` is the Hub's word for it, e.g. ``cc-by-4.0``; None keeps that of the card that is there.
    """
    storage.put(CARD_FILE, card_text(manifest, counts, license or license_of(storage)).encode())


def license_of(storage: Storage) -> str:
    """The licence that the card here names; ``unknown`` where there is no card, or none that can be read."""
    if not storage.exists(CARD_FILE):
        return UNKNOWN_LICENSE
    text = storage.read(CARD_FILE).decode(errors="replace")
    try:
        fields = load_plain(text.split("---\n")[1])
        return str(fields["license"])
    except (IndexError, KeyError, TypeError, ValueError):
        return UNKNOWN_LICENSE


def card_text(manifest: Manifest, counts: CardCounts, license: str = UNKNOWN_LICENSE) -> str:
    """The card, from what is in the index and the manifest."""
    made = sum(count for (_, source, _), count in counts.pairs.items() if source != "real")
    held = sum(n for (_, source, split), n in counts.pairs.items() if source == "real" and split != "train")
    files = _data_files(counts.places)
    splits = (_MIXED if "mixed" in files else _ONE_SPLIT).format(held=held)
    sections = [
        f"# Car parts: {manifest.pairs - made} real and {made} made pairs\n",
        "Photos of cars with a mask of their parts: real ones, and ones made from them to fill gaps. By augkit.\n",
        "## Pairs by class and source\n", _counts(counts.pairs),
        "## Parts\n", "Masks are 8-bit grey PNGs of these ids; 0 is background, 255 is to be ignored.\n",
        _parts(manifest.schema),
        "## How it was made\n", _making(manifest, counts),
        "## Loading\n", _LOADING.format(splits=splits),
    ]  # fmt: skip
    return _head(manifest, license, bool(made), files) + "\n".join(sections)


def _head(manifest: Manifest, license: str, made: bool, files: Mapping[str, str | list[str]]) -> str:
    fields: dict[str, Any] = {
        "license": license,
        "task_categories": ["image-segmentation"],
        "size_categories": [next((word for limit, word in _SIZES if manifest.pairs < limit), "n>10M")],
        "tags": ["augkit", "car-parts", "semantic-segmentation", "webdataset", *(["synthetic"] if made else [])],
        "configs": [
            {"config_name": "default", "data_files": [{"split": _HUB[s], "path": p} for s, p in files.items()]}
        ],
    }
    return f"---\n{dump_plain(fields)}---\n\n"


def _data_files(places: Tally) -> dict[str, str | list[str]]:
    """The tars of each split that there is, as a pattern; as a list where tars hold several splits."""
    found: dict[str, set[str]] = {}
    for shard, split in places:
        found.setdefault(shard, set()).add(split)
    files: dict[str, list[str]] = {}
    for shard, splits in sorted(found.items()):
        files.setdefault(next(iter(splits)) if len(splits) == 1 else "mixed", []).append(tar_file(shard))
    if "mixed" in files:
        return {word: files[word] for word in _HUB if word in files}
    return {split: f"{NAMES[split]}-*.tar" for split in SPLITS if split in files}


def _counts(found: Tally) -> str:
    kinds = {(source, split) for _, source, split in found}
    columns = sorted(kinds, key=lambda kind: (kind[0] != "real", kind[0], SPLITS.index(kind[1])))
    lines = [
        [name, *(str(found[name, *column]) for column in columns)] for name in sorted({name for name, _, _ in found})
    ]
    totals = ["all", *(str(sum(n for key, n in found.items() if key[1:] == column)) for column in columns)]
    return _table(["class", *(f"{source}, {split}" for source, split in columns)], [*lines, totals])


def _parts(schema: PartSchema) -> str:
    return _table(
        ["id", "part", "colour"], [[str(p.id), p.name, "#{:02x}{:02x}{:02x}".format(*p.colour)] for p in schema.parts]
    )


def _making(manifest: Manifest, counts: CardCounts) -> str:
    rows = counts.of_source("generated")
    tools = ", ".join(f"{tool} {version}" for tool, version in sorted(manifest.versions.items()))
    lines = [f"- {tools}; plan `{manifest.plan_digest[:16]}`, index `{manifest.index_sha256[:16]}`"]
    for place, stage in enumerate(("mask", "image")):
        used: Counter[str] = Counter()
        for key, count in rows.items():
            used[key[place]] += count
        lines += [f"- {stage} model `{model[:16]}`: {count} candidates" for model, count in sorted(used.items())]
    if rows:
        reasons: Counter[str] = Counter()
        for (_, _, _, listed), count in rows.items():
            reasons.update(dict.fromkeys({reason.partition(":")[0] for reason in listed}, count))
        why = ", ".join(
            f"{name} {count}" for name, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
        )
        said = f"{_accepted(rows)} of {rows.total()} candidates accepted; rejected for: {why or 'nothing'}"
        lines.append(f"- gate: {said}")
    read = counts.of_source("pseudo")
    if read:
        teachers = ", ".join(f"`{key[:16]}`" for key in sorted({key[0] for key in read}))
        lines.append(
            f"- teacher {teachers}: {_accepted(read)} of {read.total()} unlabelled photos that it read accepted"
        )
    if counts.scores:
        scores = ", ".join(sorted(counts.scores))
        lines.append(f"- scores of every candidate, rejected ones too, in `index.parquet`: {scores}")
    return "\n".join(lines) + "\n"


def _accepted(rows: Tally) -> int:
    return sum(count for (_, _, accepted, _), count in rows.items() if accepted)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
