"""State on disk."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from augkit.core.errors import CheckpointError
from augkit.train.checkpoint import digest, load_state, save_state

DTYPES = [torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool, torch.float64]
tensors = st.builds(
    lambda shape, dtype, seed: (torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * 3).to(dtype),
    st.lists(st.integers(0, 3), max_size=3),
    st.sampled_from(DTYPES),
    st.integers(0, 99),
)
keys = st.integers(-3, 30) | st.text("ab/1'.ü", min_size=0, max_size=4)
plain = st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False) | st.text(max_size=4)
states = st.recursive(
    tensors | plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=10,
)


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b)
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(_equal(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(_equal, a, b))
    return type(a) is type(b) and bool(a == b)


@given(state=st.dictionaries(keys, states, max_size=4))
def test_nested_state_is_read_as_it_was_written(state: dict[Any, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.safetensors"
        save_state(state, path, {"a": [1, None, "ü\n\x7f"]})
        loaded, notes = load_state(path)
        first = path.read_bytes()
        for _ in range(3):  # the order of safetensors' own metadata is random
            save_state(state, path, {"a": [1, None, "ü\n\x7f"]})
            assert path.read_bytes() == first
    assert _equal(loaded, state) and notes == {"a": [1, None, "ü\n\x7f"]}


def test_keys_that_read_alike_stay_apart() -> None:
    state = {"a/b": torch.ones(1), "a": {"b": torch.zeros(1), 1: torch.full((1,), 2.0), "1": torch.full((1,), 3.0)}}
    with tempfile.TemporaryDirectory() as folder:
        save_state(state, Path(folder) / "s", {})
        assert _equal(load_state(Path(folder) / "s")[0], state)


def test_views_shared_and_channels_last_tensors_keep_their_values(tmp_path: Path) -> None:
    base = torch.arange(48.0).view(2, 3, 2, 4)
    state = {"view": base[:, :, 1], "same": base, "last": base.to(memory_format=torch.channels_last)}
    save_state(state, tmp_path / "s", {})
    assert _equal(load_state(tmp_path / "s")[0], state)


def test_an_optimisers_state_round_trip(tmp_path: Path) -> None:
    layer = torch.nn.Linear(2, 2)
    optimiser = torch.optim.Adam(layer.parameters(), 0.1, fused=True)
    layer(torch.ones(1, 2)).sum().backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    save_state(optimiser.state_dict(), tmp_path / "s", {})
    other = torch.optim.Adam(layer.parameters(), 0.5, fused=True)
    other.load_state_dict(load_state(tmp_path / "s")[0])
    assert other.param_groups[0]["lr"] == 0.1
    for parameter in layer.parameters():
        assert torch.equal(other.state[parameter]["exp_avg"], optimiser.state[parameter]["exp_avg"])


@pytest.mark.parametrize("moment", ["save_file", "fsync", "replace"])
def test_a_failed_save_leaves_the_earlier_file(moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s"
    save_state({"a": torch.zeros(2)}, path, {})

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "disk full")

    target = {"save_file": "augkit.train.checkpoint.save_file", "fsync": "os.fsync", "replace": "pathlib.Path.replace"}[
        moment
    ]
    with monkeypatch.context() as patch:
        patch.setattr(target, fail)
        with pytest.raises(OSError, match="disk full"):
            save_state({"a": torch.ones(2)}, path, {})
    assert torch.equal(load_state(path)[0]["a"], torch.zeros(2))
    assert list(tmp_path.iterdir()) == [path]


def test_missing_and_foreign_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=f"{tmp_path / 'none'}"):
        load_state(tmp_path / "none")
    save_file({"a": torch.zeros(1)}, tmp_path / "foreign")
    with pytest.raises(CheckpointError, match=r"foreign: format None(.|\n)*augkit-state-1"):
        load_state(tmp_path / "foreign")


def test_digest_is_the_files_sha256(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    assert digest(tmp_path / "f") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
