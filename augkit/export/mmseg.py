"""MMSegmentation's custom data set: photos and masks in ``img_dir`` and ``ann_dir``, and the piece of a config that
reads them. Lossless."""

from __future__ import annotations

import pprint
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from augkit.core.atomic_file import write_text
from augkit.core.errors import ConfigError
from augkit.export import EXPORTERS
from augkit.export._picture_files import write_pairs
from augkit.export.export_format import ExportFormat, ExportHeading, ExportItem, ExportPlace, Record, Records

_HEAD = '"""Written by augkit; a config takes it by ``_base_``. Set data_root to where the folder is."""\n'


@EXPORTERS.register("mmseg")
class MmsegFolders(ExportFormat):
    """``img_dir/{split}/{key}.jpg``, ``ann_dir/{split}/{key}.png`` and ``dataset.py``."""

    about: ClassVar[str] = "MMSegmentation"

    def write(self, batch: Iterable[ExportItem], name: str, heading: ExportHeading, place: ExportPlace) -> list[Record]:
        """See ``ExportFormat``."""
        del name, heading
        return write_pairs(place, "img_dir", "ann_dir", batch)

    def finish(self, records: Records, heading: ExportHeading, place: ExportPlace) -> None:
        """See ``ExportFormat``. Raises ConfigError for photos of several kinds: a config names one suffix."""
        suffixes = sorted({Path(record["file"]).suffix for record in records})
        if len(suffixes) > 1:
            raise ConfigError(
                f"photos of several kinds: {', '.join(suffixes)}", "one, since MMSegmentation looks for one suffix",
                "export real and generated pairs apart (--source)",
            )  # fmt: skip
        names, palette = heading.schema.names, heading.schema.palette
        metainfo = {"classes": names, "palette": [tuple(palette[id].tolist()) for id in range(len(names))]}
        values: dict[str, Any] = {"dataset_type": "BaseSegDataset", "data_root": ".", "metainfo": metainfo}
        lines = [f"{name} = {pprint.pformat(value, width=110, sort_dicts=False)}\n" for name, value in values.items()]
        for split in records.counts:
            prefix = {"img_path": f"img_dir/{split}", "seg_map_path": f"ann_dir/{split}"}
            lines.append(
                f"{split}_dataset = dict(type=dataset_type, data_root=data_root, metainfo=metainfo,\n"
                f"    data_prefix={prefix}, img_suffix={suffixes[0]!r}, seg_map_suffix='.png',\n"
                "    reduce_zero_label=False, ignore_index=255)\n"
            )
        write_text(place.path("dataset.py"), _HEAD + "\n" + "".join(lines))
