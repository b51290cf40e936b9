"""What stage II computes in: chosen once, recorded with the plan, kept by who goes on with it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from augkit.balance import precision
from augkit.balance.plan import Plan
from augkit.balance.precision import choose
from augkit.balance.worker import Worker
from augkit.core.arithmetic import Arithmetic, Precision
from augkit.core.classes import CarClass
from augkit.core.errors import ConfigError
from augkit.core.storage import open_storage
from augkit.core.workspace import Workspace
from augkit.settings import Settings
from augkit.shards.index import load_manifest
from tests.balance.conftest import digests, job_of, run_job


@pytest.fixture
def native(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor that multiplies bf16."""
    monkeypatch.setattr(precision, "processor_bf16_is_fast", lambda: True)


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor that does not."""
    monkeypatch.setattr(precision, "processor_bf16_is_fast", lambda: False)


def asking(settings: Settings, asked: Precision) -> Settings:
    return settings.model_copy(update={"balance": settings.balance.model_copy(update={"precision": asked})})


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """They leave the choice to the processor, which a test then has to name."""
    return asking(settings, "auto")


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("asked", ["auto", "fp32", "bf16"])
def test_a_new_data_set_is_made_as_asked_or_as_is_faster(
    asked: Precision, fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "processor_bf16_is_fast", lambda: fast)
    expected = {"auto": "bf16" if fast else "fp32"}.get(asked, asked)
    here = "this processor multiplies bf16 natively" if fast else "this processor has no native bf16"
    made = choose(asked, None)
    assert made.precision == expected
    assert str(made).startswith(f"generating in {expected}: ") and str(made).endswith(here)
    assert ("asks for it" in str(made)) is (asked != "auto")


@pytest.mark.parametrize(("said", "planned"), [("bf16", "bf16"), ("fp32", "fp32"), ("", "fp32")])
@pytest.mark.usefixtures("native")
def test_shards_go_on_as_they_were_begun(said: Arithmetic, planned: Arithmetic) -> None:
    earlier = Plan("inputs", (), said)
    for asked in ("auto", planned):
        assert choose(asked, earlier).precision == planned
    other: Arithmetic = "fp32" if planned == "bf16" else "bf16"
    with pytest.raises(ConfigError, match=rf"precision {other}(.|\n)*made in {planned}(.|\n)*auto goes on(.|\n)*fresh"):
        choose(other, earlier)


@pytest.mark.usefixtures("without")
def test_a_data_set_begun_in_bf16_goes_on_elsewhere(trained: Workspace, settings: Settings) -> None:
    one = {"only": ["back-right-3"]}
    begun = run_job(trained, asking(settings, "bf16"), target=8, **one)
    assert begun.accepted["back-right-3"] == 2
    before = digests(trained)
    tree, manifest = json.loads((trained.shards / "plan.json").read_bytes()), open_storage(trained.shards)
    assert tree["precision"] == load_manifest(manifest).versions["precision"] == "bf16"
    assert run_job(trained, settings, target=8, **one).generated_now == 0
    assert digests(trained) == before
    assert job_of(trained, settings, target=9, **one).shard_job().precision == "bf16"
    with pytest.raises(ConfigError, match="fp32, but the shards here are made in bf16"):
        run_job(trained, asking(settings, "fp32"), target=8, **one)
    fresh = job_of(trained, settings, target=8, fresh=True, **one)
    row = job_of(trained, settings, target=8, **one).plan.rows[-1]
    assert fresh.plan.precision == "fp32" and fresh.digests()(row) != job_of(trained, settings).digests()(row)


@pytest.mark.usefixtures("native")
def test_shards_of_versions_that_did_not_say_are_fp32(balanced: Workspace, settings: Settings) -> None:
    path = balanced.shards / "plan.json"
    tree = json.loads(path.read_bytes())
    assert tree.pop("precision") == "fp32" and tree.pop("checksum")
    tree["format"] = 2
    path.write_bytes(json.dumps(tree, indent=1).encode() + b"\n")
    assert run_job(balanced, settings).generated_now == 0
    assert "precision" not in load_manifest(open_storage(balanced.shards)).versions  # it was not looked at then


def test_workers_paint_in_the_jobs_precision(trained: Workspace, settings: Settings) -> None:
    car_class, photos = CarClass.parse("front-left-5"), []
    for asked in ("fp32", "bf16"):
        worker = Worker(job_of(trained, asking(settings, asked)).shard_job())  # type: ignore[arg-type]
        ((mask, _),) = worker.draw(car_class, [7])
        photos.append(worker.paint(car_class, [7], [mask]).photos[0].astype(int))
        dtypes = {p.dtype for p in worker._photo_sampler(car_class)[0].painter.generator.parameters()}  # type: ignore[union-attr]
        assert dtypes == {{"fp32": torch.float32, "bf16": torch.bfloat16}[asked]}
    apart = np.abs(photos[0] - photos[1])
    assert apart.max() > 0 and apart.mean() < 2  # levels of 255
