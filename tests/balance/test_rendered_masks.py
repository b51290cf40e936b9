"""Masks of rendered cars beside stage I: for rare classes, painted after real exemplars."""

from __future__ import annotations

import pytest

from augkit.balance.plan import load_plan, rare, reachable
from augkit.balance.planner import ClassProgress
from augkit.balance.rendered_masks import rendered_masks
from augkit.core.classes import ALL_CLASSES, CarClass
from augkit.core.errors import DataError
from augkit.core.parts import PartSchema
from augkit.core.storage import open_storage
from augkit.core.workspace import Workspace
from augkit.settings import Settings, changed
from augkit.shards.index import load_index
from augkit.shards.verify import verify
from augkit.sources.render import fitted_cars
from tests.balance.conftest import job_of, run_job

RARE = CarClass.parse("front-left-3")


def test_rare_classes_count_their_mirror_images() -> None:
    front, back = CarClass.parse("front-left-5"), CarClass.parse("back-left-3")
    assert rare([front, back, RARE], {front.mirror: 6, front: 4, back: 9}, 10) == {back, RARE}
    assert set(reachable([front], [front], rendered=True)) == {c for c in ALL_CLASSES if c.doors != "unknown"}
    assert reachable([front], [front]) == [front, front.mirror]


def test_a_class_has_candidates_of_one_kind() -> None:
    lacking = ClassProgress(3)
    assert {row.kind for row in lacking.rows("x", 8, 0, "rendered")} == {"rendered"}
    assert not list(lacking.rows("x", 8, 0, None))


def test_a_class_without_photos_gets_rendered_masks(
    trained: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitted_cars, "POOL", 24)
    asked = changed(settings, ["balance.sources=[generated,rendered]", "balance.rendered_below=5"])
    job = job_of(trained, asked, 2, only=(RARE.name, "front-left-5"))
    assert job.rendered == {RARE} and job.real[RARE] == 0
    outcome = run_job(trained, asked, 8, only=(RARE.name, "front-left-5"))
    assert not outcome.failures
    storage = open_storage(trained.shards)
    plan = load_plan(storage)
    assert plan is not None and {(row.kind, row.class_name) for row in plan.rows if row.class_name} == {
        ("rendered", RARE.name), ("generated", "front-left-5"),
    }  # fmt: skip
    rows = [row for row in load_index(storage).to_pylist() if row["class"] == RARE.name]
    assert {(row["source"], row["mask_model"]) for row in rows} == {("generated", rendered_masks().version)}
    assert outcome.accepted[RARE.name] == 8 and verify(storage) == []
    made = [row for row in rows if row["accepted"]]
    assert all(row["exemplar"] for row in made) and len({row["mask_crc32"] for row in made}) == 8
    assert run_job(trained, asked, 8, only=(RARE.name, "front-left-5")).generated_now == 0


def test_without_generated_masks_stage_one_is_not_needed(trained: Workspace, settings: Settings) -> None:
    asked = changed(settings, ["balance.sources=[rendered]", "mask.batch=5"])
    assert job_of(trained, changed(settings, ["balance.sources=[generated]"])).untrained() == []
    for file in (trained.model("mask", "all")).iterdir():
        if file.is_file():
            file.unlink()
    job = job_of(trained, asked, 20)
    assert job.untrained() == [] and job.rendered == set(job.need)


def test_parts_that_no_rendered_car_shows_are_refused() -> None:
    with pytest.raises(DataError, match="no rendered car shows sunroof"):
        rendered_masks().check(PartSchema.from_names(["hood", "sunroof"]))
