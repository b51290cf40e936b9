"""Weights of detectors: read from the forms they come in without running what is in them."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from augkit.core.errors import CheckpointError
from augkit.core.regular_file import WEIGHTS, open_regular, size_of_regular

if TYPE_CHECKING:
    from torch import Tensor, nn

# What arrays are made of in a pickle, by NumPy before and since 2.0.
_HARMLESS = {
    ("collections", "OrderedDict"),
    ("_codecs", "encode"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    *((f"numpy.{core}.multiarray", name) for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
    *((f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
}


class _Arrays(pickle.Unpickler):
    """Reads pickled arrays and containers; refuses everything that would call something else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _HARMLESS:
            raise pickle.UnpicklingError(f"it would call {module}.{name}, which weights do not need")
        return super().find_class(module, name)


def fetched(fetch: Callable[[], str | Path], url: str) -> Path:
    """The file that a library's own download gives. Raises CheckpointError that names the file to bring."""
    try:
        return Path(fetch())
    except (OSError, RuntimeError) as error:  # no network; a file that does not match its hash
        name = url.rsplit("/", 1)[-1]
        raise CheckpointError(
            f"{name} cannot be downloaded: {error}",
            f"a network that reaches {url}",
            f"bring {name} from there and name it: --weights {name}; or --method grabcut, which needs no weights",
        ) from error


def load_weights(network: nn.Module, path: Path) -> None:
    """Puts a file's weights into a network. Raises CheckpointError where the file is none, or of another network.

    Forms: ``.safetensors``; a state dict of torch (alone, or under ``model``); ``.pkl`` of arrays, which detectron2's
    model zoo has. Entries that the network has no place for are passed over; every one that it has must be there.
    """
    state = _read(path)
    wanted = network.state_dict()
    missing = [name for name in wanted if name not in state]
    other = [name for name in wanted if name in state and state[name].shape != wanted[name].shape]
    if missing or other:
        what = "has no" if missing else "has another shape of"
        raise CheckpointError(
            f"{path}: of {len(wanted)} weights it {what} {len(missing or other)}, e.g. {(missing or other)[0]}",
            f"weights of {type(network).__name__}",
            "name the file of this method's network",
        )
    network.load_state_dict({name: state[name] for name in wanted})


def _read(path: Path) -> dict[str, Tensor]:
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        size_of_regular(path, WEIGHTS)
        if path.suffix == ".safetensors":
            return load_file(path)
        if path.suffix == ".pkl":
            with open_regular(path, WEIGHTS) as stream:
                content = _Arrays(stream, encoding="latin1").load()
        else:
            content = torch.load(path, map_location="cpu", weights_only=True)
        state = content.get("model", content)
        return {name: torch.as_tensor(np.asarray(v) if path.suffix == ".pkl" else v) for name, v in state.items()}
    # A pickle of something else can fail in any of these ways.
    except (OSError, EOFError, pickle.UnpicklingError, SafetensorError, AttributeError, LookupError) as error:
        raise _unreadable(path, error) from error
    except (TypeError, ValueError, RuntimeError, ImportError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> CheckpointError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return CheckpointError(
        f"{path} cannot be read as weights: {reason}",
        "weights as .safetensors, .pth or .pkl of arrays",
        "bring the file again",
    )
