"""Which pairs a source names, and where they are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from augkit.core.errors import ShardError
from augkit.core.parts import PartSchema
from augkit.core.storage import LocalStorage
from augkit.core.workspace import Workspace
from augkit.data.catalogue import read_catalogue
from augkit.settings import SOURCES, Source, load_settings
from augkit.shards.codec import encode_mask, encode_photo
from augkit.shards.index import finish
from augkit.shards.writer import PairRecord
from augkit.stages.segmenter import ShardPairs, evaluate_segmenter
from augkit.stages.training_mix import is_made, sampling_of, training_mix
from tests.sharding import SplitWriters

from .runs import run, tiny


def write(workspace: Workspace, made: str, count: int, beside: str = "") -> None:
    """Shards of so many made pairs, ``beside`` them as many of another source, and the real pairs of the rows.

    Every photo of the n-th is n.
    """
    folder = {"classical": workspace.classical, "painted": workspace.painted}.get(made, workspace.shards)
    storage, schema = LocalStorage(folder), PartSchema.load(workspace.schema)
    writer = SplitWriters(storage)
    rows = read_catalogue(workspace.catalogue)
    keys = [(row.id, row.split, "real") for row in rows] + [
        (f"{name}-{n}", "train", name) for name in filter(None, (made, beside)) for n in range(count)
    ]
    for number, (key, split, source) in enumerate(keys):
        record = PairRecord(key, split, source, "A", "5", 0, "", "", 32, 32, [1024, *[0] * (schema.channels - 1)])
        photo = np.full((32, 32, 3), number, np.uint8)
        writer.add(record, *encode_photo(photo), encode_mask(np.full((32, 32), number % 2, np.uint8)))
    finish(storage, writer.commit("row"), schema, "plan", {})


@pytest.fixture
def mixed(copied_workspace: Workspace) -> Workspace:
    write(copied_workspace, "generated", 5, beside="pseudo")
    write(copied_workspace, "classical", 3)
    write(copied_workspace, "painted", 2)
    return copied_workspace


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_names_its_pairs_and_no_other(mixed: Workspace, source: Source) -> None:
    pairs = training_mix(mixed, source)
    training = [row.id for row in read_catalogue(mixed.catalogue) if row.split == "train"]
    expected = {"real": training, "generated": [f"generated-{n}" for n in range(5)]}
    expected["classical"] = [f"classical-{n}" for n in range(3)]
    expected["pseudo"] = [f"pseudo-{n}" for n in range(5)]
    expected["painted"] = [f"painted-{n}" for n in range(2)]
    keys = pairs.index["key"].to_pylist()
    assert sorted(keys) == sorted(key for name in SOURCES[source] for key in expected[name])
    assert len(pairs) == len(keys) == len(pairs.classes)


def test_a_row_brings_its_own_bytes(mixed: Workspace) -> None:
    pairs = training_mix(mixed, "real+generated+classical")
    data = ShardPairs(pairs, 32, "none")
    order = [row.id for row in read_catalogue(mixed.catalogue)]
    order = {key: n for n, key in enumerate(order)}  # type: ignore[assignment]
    for place, key in enumerate(data.keys):
        number = order[key] if key in order else 40 + int(key.rpartition("-")[2])
        assert abs(int(data.plain(place).photo.mean()) - number) <= 1


def test_made_pairs_make_up_their_share(mixed: Workspace) -> None:
    pairs = training_mix(mixed, "real+generated+classical")
    own = load_settings(
        "smoke", ["segmenter.generated_share=0.25", "segmenter.batch=16", "segmenter.generated_until=1"]
    ).segmenter
    sampling, made = sampling_of(pairs, own.model_copy(update={"steps": 10})), is_made(pairs)
    for seed in (0, 1):
        rows = [sampling.row(seed, place) for place in range(160)]
        assert made[rows].reshape(10, 16).sum(1).tolist() == [4] * 10  # of every batch of 16
        assert set(rows) == set(range(len(pairs)))


def test_made_pairs_come_until_their_share_of_the_run_is_over(mixed: Workspace) -> None:
    pairs = training_mix(mixed, "real+generated+classical")
    own = load_settings("smoke", ["segmenter.generated_share=0.5", "segmenter.batch=8"]).segmenter
    sampling = sampling_of(pairs, own.model_copy(update={"steps": 10, "generated_until": 0.7}))
    rows = [sampling.row(0, place) for place in range(80)]
    assert is_made(pairs)[rows].reshape(10, 8).sum(1).tolist() == [4] * 7 + [0] * 3


def test_real_pairs_are_found_beside_the_classical_ones(copied_workspace: Workspace) -> None:
    write(copied_workspace, "classical", 3)
    write(copied_workspace, "painted", 2)
    settings = tiny("fpn", 2, "segmenter.source=real+classical")
    run("fpn", copied_workspace, settings)
    assert "mean" in evaluate_segmenter(copied_workspace, settings)
    assert len(training_mix(copied_workspace, "real", "val")) > 0
    with pytest.raises(ShardError, match=r"shards: no manifest\.json"):
        training_mix(copied_workspace, "all")


def test_a_share_needs_two_kinds_of_pairs() -> None:
    from augkit.core.errors import ConfigError
    from augkit.stages.segmenter import train_segmenter

    settings = load_settings("smoke", ["segmenter.source=classical", "segmenter.generated_share=0.5"])
    with pytest.raises(ConfigError, match="generated_share with source classical"):
        train_segmenter(Workspace(Path()), settings, resume=False)
