"""The segmenters of the check ``agreement``: none judges what it trained on, and the filter reaches the shards."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from augkit.balance.job import train_missing
from augkit.balance.plain_options import open_references
from augkit.balance.worker import Worker
from augkit.core.classes import CarClass
from augkit.core.parts import IGNORE
from augkit.core.storage import open_storage
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow
from augkit.gate.candidate import Candidate
from augkit.gate.checks.agreement import Agreement
from augkit.gate.fit import ready_gate
from augkit.gate.judge import Gate, real_pair
from augkit.settings import Settings, load_settings
from augkit.shards.codec import decode_mask
from augkit.shards.commit import aside_file
from augkit.shards.index import load_index
from augkit.shards.reader import read_stored
from augkit.shards.verify import verify
from augkit.stages import row_segmenter
from augkit.stages.catalogue_pairs import CataloguePairs
from tests.balance.conftest import CHANGES, job_of

SEGMENTER = (
    "gate.segmenter={source: real, size: 32, steps: 3, batch: 4, sample_every: 3, save_every: 3,"
    " options: {pretrained: false, widths: [8, 8, 8]}}"
)


@pytest.fixture
def tiny() -> Settings:
    return load_settings(
        "smoke", [*CHANGES, "gate.checks=[agreement]", "gate.pixel_factor=1.0", "balance.attempts=6", SEGMENTER]
    )


@pytest.fixture
def trained_on(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """What each segmenter was trained on, in the order of training."""
    seen: list[set[str]] = []

    def watched(workspace: Workspace, rows: Sequence[CatalogueRow], schema: object) -> CataloguePairs:
        seen.append({row.id for row in rows})
        return CataloguePairs(workspace, rows, schema)  # type: ignore[arg-type]

    monkeypatch.setattr(row_segmenter, "CataloguePairs", watched)
    return seen


def asked(gate: Gate, pair: Candidate) -> list[int]:
    """The segmenters that read the pair's photo."""
    check = gate.checks["agreement"]
    assert isinstance(check, Agreement)
    read: list[int] = []
    hooks = [
        network.register_forward_hook(lambda *_, fold=fold: read.append(fold))  # type: ignore[misc]
        for fold, network in enumerate(check.networks)
    ]
    gate.judge_photo(pair)
    for hook in hooks:
        hook.remove()
    return read


def test_no_segmenter_judges_what_it_trained_on_and_doubtful_pixels_are_ignored(
    trained: Workspace, tiny: Settings, trained_on: list[set[str]]
) -> None:
    job = job_of(trained, tiny, target=8)
    train_missing(job)
    references = open_references(trained, tiny)
    gate = ready_gate(references)
    assert len(trained_on) == references.folds.count == 2  # once, and not again where nothing changed
    for place, row in enumerate(references.rows):
        real = real_pair(references, place)
        generated = Candidate(real.pair, exemplar=row.id)
        for pair in (real, generated):
            read = asked(gate, pair)
            if row.id in references.folds.numbers:
                assert len(read) == 1 and row.id not in trained_on[read[0]]
                assert set(references.folds.numbers) - trained_on[read[0]] != {row.id}  # its whole fold is left out
            else:
                assert read == [0, 1]
    _check_shards(trained, tiny, gate)


def _check_shards(workspace: Workspace, settings: Settings, gate: Gate) -> None:
    job = job_of(workspace, settings, target=8)
    job.generate()
    storage, worker = open_storage(workspace.shards), Worker(job.shard_job())
    rows = [r for r in load_index(storage).to_pylist() if r["source"] == "generated" and r["shard"] is not None]
    assert rows and verify(storage) == []
    for row in rows:
        stored, car_class = read_stored(storage, row), CarClass.parse(row["class"])
        exact, kept = decode_mask(stored.full), decode_mask(stored.mask)
        ignored = kept == IGNORE
        assert np.array_equal(exact, worker.draw(car_class, [row["seed"]])[0][0]) and not (exact == IGNORE).any()
        assert np.array_equal(exact[~ignored], kept[~ignored])
        assert row["score_ignored_share"] == ignored.mean() > 0 and 0 <= row["score_agreement"] <= 1
        assert (
            row["histogram"] == np.bincount(kept.reshape(-1), minlength=256)[: gate.references.schema.channels].tolist()
        )
        assert f"{row['key']}.full.png".encode() in storage.read(aside_file(row["shard"]))
