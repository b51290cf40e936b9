"""Where pairs are made and how many at once: chosen once, recorded with the plan, kept by who goes on with it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from augkit.balance import device
from augkit.balance.device import LARGEST_BATCH, PIXEL_BYTES, choose_device, fitting
from augkit.balance.plan import Plan, load_plan
from augkit.balance.worker import Worker
from augkit.core.arithmetic import Device
from augkit.core.classes import CarClass
from augkit.core.errors import ConfigError
from augkit.core.storage import open_storage
from augkit.core.workspace import Workspace
from augkit.gate.gate_check import NetworkCheck
from augkit.settings import Settings
from augkit.shards.index import load_manifest
from tests.balance.conftest import digests, job_of, run_job


def asking(settings: Settings, **balance: object) -> Settings:
    return settings.model_copy(update={"balance": settings.balance.model_copy(update=balance)})


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("asked", ["auto", "cpu", "cuda"])
def test_a_new_data_set_is_made_where_it_is_asked_for_or_on_a_gpu(
    asked: Device, there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    monkeypatch.setattr(device, "fitting", lambda size: 7)
    made = choose_device(asked, None, 64, None)
    on_gpu = asked == "cuda" or (asked == "auto" and there)
    assert (made.kind, made.batch) == (("cuda", 7) if on_gpu else ("cpu", 1))
    assert choose_device(asked, 3, 64, None).batch == 3
    assert (made.inputs == {}) is not on_gpu  # as plans were before there was a choice


def test_a_batch_fits_into_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(device, "UNSEEN_BYTES", 10 * PIXEL_BYTES * 256**2)
    assert fitting(256) == 10 and fitting(128) == 40 and fitting(64) == LARGEST_BATCH and fitting(1024) == 1


def test_shards_go_on_as_they_were_begun() -> None:
    earlier = Plan("inputs", (), "bf16", "cuda", 16)
    for asked, batch in (("auto", None), ("cuda", 16)):
        made = choose_device(asked, batch, 64, earlier)  # type: ignore[arg-type]
        assert (made.kind, made.batch) == ("cuda", 16)
    for asked, batch in (("cpu", None), ("auto", 8)):
        with pytest.raises(ConfigError, match=r"made on cuda, 16 at once(.|\n)*auto goes on as they are; --fresh"):
            choose_device(asked, batch, 64, earlier)  # type: ignore[arg-type]


def test_batches_are_recorded_and_their_bytes_do_not_depend_on_what_is_made_in_one_go(
    trained: Workspace, settings: Settings
) -> None:
    batches = asking(settings, batch=3)
    made = run_job(trained, batches)
    assert made.accepted == {"": 16, "front-left-5": 3, "back-right-3": 4}  # never more than was asked for
    storage = open_storage(trained.shards)
    plan = load_plan(storage)
    assert plan is not None and (plan.device, plan.batch) == ("cpu", 3)
    versions = load_manifest(storage).versions
    assert (versions["device"], versions["batch"]) == ("cpu", "3")
    before = digests(trained)
    (trained.shards / "shard-000005.tar").unlink()
    assert run_job(trained, settings).generated_now == 4 and digests(trained) == before  # auto: as it was begun
    with pytest.raises(ConfigError, match="3 at once"):
        run_job(trained, asking(settings, batch=2))


def test_a_batch_gives_what_single_candidates_give_but_for_rounding(trained: Workspace, settings: Settings) -> None:
    worker, car_class, seeds = Worker(job_of(trained, settings).shard_job()), CarClass.parse("front-left-5"), [7, 8, 9]
    together = worker.draw(car_class, seeds)
    for seed, (mask, _) in zip(seeds, together, strict=True):
        ((alone, _),) = worker.draw(car_class, [seed])
        assert (alone != mask).mean() < 0.01
    masks = [mask for mask, _ in together]
    painted = worker.paint(car_class, seeds, masks)
    for place, seed in enumerate(seeds):
        alone = worker.paint(car_class, [seed], masks[place : place + 1])
        assert alone.exemplars == [painted.exemplars[place]]
        assert np.abs(alone.photos[0].astype(int) - painted.photos[place]).mean() < 1


def test_models_and_judges_go_where_the_job_says(trained: Workspace, settings: Settings) -> None:
    """``meta`` stands for a device that is not this one."""
    worker, car_class = Worker(job_of(trained, settings).shard_job()), CarClass.parse("front-left-5")
    for sampler, network in (
        (worker._mask_sampler(car_class)[0], "generator"),
        (worker._photo_sampler(car_class)[0], "painter"),
    ):
        sampler.on(torch.device("meta"))
        assert {p.device.type for p in getattr(sampler, network).parameters()} == {"meta"}
    moved: list[torch.device] = []

    class Networked:
        def on(self, device: torch.device) -> None:
            moved.append(device)

    assert isinstance(Networked(), NetworkCheck)
    worker.gate.checks["networked"] = Networked()  # type: ignore[assignment]
    assert worker.gate.on(torch.device("meta")) is worker.gate and moved == [torch.device("meta")]
