"""detectron2 opens exports. It runs where it is installed (.ci/detectron2)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from augkit import api
from augkit.core.parts import IGNORE, Mask
from augkit.core.workspace import Workspace

if not os.environ.get("AUGKIT_REQUIRE_DETECTRON2"):
    pytest.importorskip("detectron2", reason="detectron2 is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


def test_semantic_folders_by_stem(sharded: Workspace, drawn: dict[str, Mask], out: Path) -> None:
    from detectron2.data.datasets import load_sem_seg

    api.export(sharded, "semantic", out)
    found = load_sem_seg(str(out / "masks" / "train"), str(out / "images" / "train"))
    assert {Path(entry["file_name"]).stem for entry in found} == {key for key in drawn if not key.startswith("held")}
    for entry in found:
        mask = cv2.imread(entry["sem_seg_file_name"], cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(mask, drawn[Path(entry["file_name"]).stem])


@pytest.mark.parametrize(("segmentation", "kind"), [("rle", "bitmask"), ("polygons", "polygon")])
def test_coco_instances(sharded: Workspace, drawn: dict[str, Mask], out: Path, segmentation: str, kind: str) -> None:
    from detectron2.data.datasets import load_coco_json
    from detectron2.data.detection_utils import annotations_to_instances
    from detectron2.structures import BoxMode, polygons_to_bitmask

    api.export(sharded, "coco", out, options={"segmentation": segmentation})
    found = load_coco_json(str(out / "annotations" / "instances_val.json"), str(out / "images" / "val"), "val")
    assert len(found) == 2
    for entry in found:
        size = entry["height"], entry["width"]
        for annotation in entry["annotations"]:
            annotation["bbox"] = BoxMode.convert(annotation["bbox"], annotation["bbox_mode"], BoxMode.XYXY_ABS)
        instances = annotations_to_instances(entry["annotations"], size, mask_format=kind)
        mask = np.zeros(size, np.uint8)
        for number, part in enumerate(instances.gt_classes.tolist()):
            mask[_region(instances.gt_masks, number, size, polygons_to_bitmask)] = part + 1
        truth = drawn[Path(entry["file_name"]).stem]
        np.testing.assert_array_equal(mask, np.where(truth == IGNORE, 0, truth))


def _region(masks: Any, number: int, size: tuple[int, int], polygons_to_bitmask: Any) -> Any:
    if hasattr(masks, "polygons"):
        return polygons_to_bitmask(masks.polygons[number], *size)
    return masks.tensor[number].numpy()
