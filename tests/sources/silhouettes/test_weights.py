from __future__ import annotations

import pickle
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from augkit.core.errors import CheckpointError
from augkit.sources.silhouettes._weights import fetched, load_weights


def network(seed: int = 0, width: int = 3) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width))


class Touch:
    """What a pickle can do to whoever loads it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def saved(folder: Path, form: str) -> Path:
    state = network(1).state_dict()
    arrays = {name: value.numpy() for name, value in state.items()}
    path = folder / f"weights.{form.rsplit('-', maxsplit=1)[-1]}"
    if form == "safetensors":
        save_file(state, path)
    elif form == "zoo-pkl":
        path.write_bytes(pickle.dumps({"model": arrays, "__author__": "Detectron2 Model Zoo"}))
    else:
        torch.save({"model": state} if form == "wrapped-pth" else state, path)
    return path


@pytest.mark.parametrize("form", ["safetensors", "pth", "wrapped-pth", "zoo-pkl"])
def test_every_form_is_read(tmp_path: Path, form: str) -> None:
    loaded = network(0)
    load_weights(loaded, saved(tmp_path, form))
    for name, value in network(1).state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], value, rtol=0, atol=0)


def test_a_pickle_of_an_older_numpy_is_read(tmp_path: Path) -> None:
    path = saved(tmp_path, "zoo-pkl")
    data = path.read_bytes()
    assert b"numpy._core" in data
    old = pickle.dumps({name: value.numpy() for name, value in network(1).state_dict().items()}, protocol=2)
    path.write_bytes(old.replace(b"numpy._core", b"numpy.core"))
    loaded = network(0)
    load_weights(loaded, path)
    assert torch.equal(loaded.state_dict()["0.weight"], network(1).state_dict()["0.weight"])


@pytest.mark.parametrize("suffix", ["pkl", "pth"])
def test_nothing_in_a_file_is_run(tmp_path: Path, suffix: str) -> None:
    path, victim = tmp_path / f"weights.{suffix}", tmp_path / "victim"
    content = {"model": {"0.weight": Touch(victim)}}
    if suffix == "pkl":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path)
    with pytest.raises(CheckpointError, match="weights"):
        load_weights(network(), path)
    assert not victim.exists()


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")  # torch, of what it refuses then
@pytest.mark.parametrize("suffix", ["pkl", "pth", "safetensors"])
@pytest.mark.parametrize("content", [b"", b"nothing", b"\x80\x05]\x94.", b"\x80\x05K\x01."])
def test_files_that_are_no_weights(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"weights.{suffix}"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="cannot be read as weights"):
        load_weights(network(), path)


@pytest.mark.parametrize("form", ["safetensors", "pth", "zoo-pkl"])
def test_a_file_cut_short(tmp_path: Path, form: str) -> None:
    path = saved(tmp_path, form)
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(CheckpointError, match="weights"):
        load_weights(network(), path)


def test_a_pickle_of_other_things(tmp_path: Path) -> None:
    path = tmp_path / "weights.pkl"
    path.write_bytes(pickle.dumps({"0.weight": np.array(["a", "b"])}))
    with pytest.raises(CheckpointError, match="weights"):
        load_weights(network(), path)


def test_weights_of_another_network_are_named(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file({"body.weight": torch.zeros(3)}, path)
    with pytest.raises(CheckpointError, match=r"of 7 weights it has no 7, e\.g\. 0\.weight"):
        load_weights(network(), path)
    save_file(network(0, width=4).state_dict(), path)
    with pytest.raises(CheckpointError, match=r"has another shape of 6, e\.g\. 0\.weight"):
        load_weights(network(), path)


@pytest.mark.parametrize("error", [URLError("no route"), RuntimeError("invalid hash value"), TimeoutError("slow")])
def test_what_cannot_be_downloaded_is_named(error: Exception) -> None:
    def fetch() -> str:
        raise error

    with pytest.raises(CheckpointError) as caught:
        fetched(fetch, "https://example.org/models/car-1234.pth")
    text = str(caught.value)
    assert "car-1234.pth cannot be downloaded" in text and str(error) in text
    assert "https://example.org/models/car-1234.pth" in text and "--weights car-1234.pth" in text
