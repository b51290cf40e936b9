"""The main job from end to end, as a user runs it: photos with COCO masks in, a trained segmenter out."""

import json
import subprocess
import sys
from html import unescape
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pycocotools import mask as rle

from augkit.core.classes import ALL_CLASSES, CarClass
from augkit.sources.render import random_parameters, render_car, render_schema

ROOT = Path(__file__).resolve().parents[1]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert result.returncode == 0, result.stderr[-3000:]
    return result


def augkit(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run("-m", "augkit", *arguments)


def write_coco(folder: Path, cars: int) -> None:
    """Rendered cars as photos and run-length encoded masks."""
    schema, rng = render_schema(), np.random.default_rng(0)
    images, annotations = [], []
    folder.mkdir()
    for number in range(cars):
        wanted = [c for c in ALL_CLASSES if c.doors != "unknown"][number % 8]
        car = render_car(random_parameters(rng, wanted.orientation, "3" if wanted.doors == "3" else "5"), 96)
        mask = car.mask
        Image.fromarray(car.photo).save(folder / f"car{number}.png")
        images.append({"id": number, "file_name": f"car{number}.png", "width": 96, "height": 96})
        for part in np.unique(mask[mask > 0]).tolist():
            code = rle.encode(np.asfortranarray(mask == part))
            shape = {"size": code["size"], "counts": code["counts"].decode()}
            annotations.append(
                {"id": len(annotations), "image_id": number, "category_id": part, "segmentation": shape, "iscrowd": 1}
            )
    categories = [{"id": part.id, "name": part.name} for part in schema.parts]
    tree = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "annotations.json").write_text(json.dumps(tree))


@pytest.mark.slow
def test_the_main_job_from_photos_to_a_segmenter(tmp_path: Path) -> None:
    source, workspace = tmp_path / "photos", tmp_path / "ws"
    write_coco(source, 48)
    augkit("import", "coco", str(source), "--workspace", str(workspace), "--config", "smoke")
    augkit("balance", "--workspace", str(workspace), "--target-per-class", "10", "--executor", "ray")
    augkit("verify", "--workspace", str(workspace))
    index = pq.read_table(workspace / "shards" / "index.parquet").to_pylist()
    for name in {row["class"] for row in index}:
        rows = [row for row in index if row["class"] == CarClass.parse(name).name and row["accepted"]]
        assert sum(row["split"] == "train" for row in rows) >= 10
    example = run("examples/train_segmentation.py", str(workspace / "shards"), "--source", "all", "--steps", "4")
    assert "mean IoU" in example.stdout
    augkit("train", "segmenter", "--workspace", str(workspace), "--source", "real")
    augkit("render", "--shards", "--count", "32", "--workspace", str(workspace))
    rendered = ["--rendered", str(workspace / "rendered"), "--steps", "5", "--batch", "8"]
    assert "mean IoU" in run("examples/train_segmentation.py", str(workspace / "shards"), *rendered).stdout


@pytest.mark.slow
def test_the_demo(tmp_path: Path) -> None:
    place = tmp_path / "demo"
    words = ["demo", "--workspace", str(place), "--labels", "16", "--config", "smoke", "--json"]
    words += ["--set", "segmenter.rendered_steps=4"]
    told = json.loads(augkit(*words).stdout)
    assert told["set"] == {"labelled": 16, "unlabelled": 84, "held_out": 72}
    arms, verdict = told["utility"]["arms"], told["utility"]["verdict"]["sentence"]
    assert [arm["arm"] for arm in arms] == ["real+classical", "real+classical+rendered+pseudo@50"]
    assert all(len(arm["figures"]["overall"]["seeds"]) == 3 for arm in arms)
    assert told["utility"]["held_out"]["split"] == "test" and told["utility"]["held_out"]["photos"]["overall"] == 72
    assert verdict in unescape(Path(told["report"]).read_text()) and "interval" in verdict
    for picture in (told["contact_sheet"], told["chart"], told["utility"]["part_chart"]):
        with Image.open(picture) as shown:
            assert shown.size[0] > 300
    trained = {path: path.stat().st_mtime_ns for path in place.rglob("model.safetensors")}
    again = augkit(*[word for word in words if word != "--json"]).stdout
    assert {path: path.stat().st_mtime_ns for path in place.rglob("model.safetensors")} == trained
    assert "".join(again.split()).endswith("".join(verdict.split()))  # the last words, however lines are broken
