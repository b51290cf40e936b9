"""Parquet files with photos and masks inside, as Hugging Face ``datasets`` and the Hub have them. Lossless."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import islice
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from augkit.core.atomic_file import replacing, write_json, write_text
from augkit.export import EXPORTERS
from augkit.export.export_format import ExportFormat, ExportHeading, ExportItem, ExportPlace, Record, Records

_PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_WORDS = ("key", "class", "source")
_ROW_GROUP = 32
"""Pairs: what is in memory at once, and what a reader of one pair has to read."""
_SPLITS = {"train": "train", "val": "validation", "test": "test"}
"""Splits by the names that ``datasets`` has for them."""

_BODY = """\
# {title}

Photos of cars (`{image}`) and masks of their parts (`{label}`: grey pictures of ids). 0 is background, 255 is to be
ignored; `id2label.json` names the others.

```python
import datasets

pairs = datasets.load_dataset(".")  # or the name on the Hub, after pairs.push_to_hub(NAME)
```
"""


@EXPORTERS.register("hf")
class HubParquet(ExportFormat):
    """``data/{split}-{number}.parquet``, ``id2label.json`` and the card ``README.md``. ``image`` and ``label`` name the
    two columns of pictures."""

    about: ClassVar[str] = "Hugging Face datasets, transformers (SegFormer), the Hub"
    at_once: ClassVar[int] = 512

    image: str = "image"
    label: str = "label"

    def write(self, batch: Iterable[ExportItem], name: str, heading: ExportHeading, place: ExportPlace) -> list[Record]:
        """See ``ExportFormat``."""
        del heading
        schema, items = self._schema(), iter(batch)
        records: list[Record] = []
        with replacing(place.path(f"data/{name}.parquet")) as temporary, pq.ParquetWriter(temporary, schema) as file:
            while some := list(islice(items, _ROW_GROUP)):
                file.write_table(pa.Table.from_pylist([self._row(item) for item in some], schema=schema))
                records += [item.facts for item in some]
        return records

    def finish(self, records: Records, heading: ExportHeading, place: ExportPlace) -> None:
        """See ``ExportFormat``."""
        write_json(place.path("id2label.json"), {str(id): name for id, name in enumerate(heading.schema.names)})
        body = _BODY.format(title=heading.title, image=self.image, label=self.label)
        write_text(place.path("README.md"), f"---\n{self._front(records, heading)}---\n\n{body}")

    def _row(self, item: ExportItem) -> dict[str, Any]:
        photo = {"bytes": item.photo, "path": f"{item.key}.{item.extension}"}
        mask = {"bytes": item.mask_png, "path": f"{item.key}.png"}
        facts = item.facts
        return {self.image: photo, self.label: mask, **{word: facts[word] for word in _WORDS}}

    def _schema(self) -> pa.Schema:
        """Says by the metadata that ``datasets`` reads which columns are pictures."""
        features = {name: {"_type": "Image"} for name in (self.image, self.label)}
        features |= {word: {"dtype": "string", "_type": "Value"} for word in _WORDS}
        fields = [(self.image, _PICTURE), (self.label, _PICTURE), *((word, pa.string()) for word in _WORDS)]
        return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})

    def _front(self, records: Records, heading: ExportHeading) -> str:
        files = [{"split": _SPLITS[split], "path": f"data/{split}-*.parquet"} for split in records.counts]
        about: dict[str, Any] = {
            "license": heading.license,
            "task_categories": ["image-segmentation"],
            "tags": ["augkit", "car-parts", "semantic-segmentation"],
            "configs": [{"config_name": "default", "data_files": files}],
        }
        return yaml.safe_dump(about, sort_keys=False)
