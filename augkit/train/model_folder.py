"""The folder of a trained model.

MODEL FOLDER/
  model.safetensors    weights for use (moving averages), with what sampling needs
  config.json          what the weights are; written last, so its presence means "finished"
  checkpoint.safetensors, metrics.jsonl, samples/, tensorboard/
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field
from torch import Tensor, nn
from typing_extensions import TypedDict

from augkit.core.atomic_file import write_json
from augkit.core.disk_faults import meaning_of
from augkit.core.errors import CheckpointError
from augkit.core.parts import PartSchema
from augkit.core.typed import NotNegative, read_json
from augkit.data.whole_car import own_schema
from augkit.train.checkpoint import load_state, save_state

MODEL, CONFIG, CHECKPOINT = "model.safetensors", "config.json", "checkpoint.safetensors"


class _WrittenDescription(TypedDict, total=False):
    """The keys that are read, whatever else there is."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]

    stage: str
    model: str
    size: Annotated[int, Field(ge=1, le=4096)]
    steps: NotNegative
    chosen_step: NotNegative
    seed: int
    stopped: str
    schema: dict[str, Any]
    options: dict[str, Any]
    settings: dict[str, Any]
    fingerprint: dict[str, Any]
    parameters: dict[str, NotNegative]
    photos: list[str]
    exemplars: list[str]
    anchors: list[str]
    guides: list[str]


class ModelDescription(dict[str, Any]):
    """``config.json``; a key that is missing is a CheckpointError of its folder."""

    def __init__(self, folder: Path, tree: Mapping[str, Any]) -> None:
        super().__init__(tree)
        self.folder = folder

    def __missing__(self, key: str) -> Any:
        raise CheckpointError(
            f"{self.folder}: {CONFIG} has no {key}", "a finished model of this version", "train it again: --fresh"
        )


def save_model(module: nn.Module, folder: Path, description: dict[str, Any], notes: dict[str, Any]) -> None:
    """Weights first, then ``config.json``: whoever sees the second may load the first.

    ``notes`` are in ``config.json`` alone: the hash of the weights' file names the model in every shard.
    """
    save_state(module.state_dict(), folder / MODEL, description)
    write_json(folder / CONFIG, description | notes)


def load_description(folder: Path) -> dict[str, Any]:
    """``config.json`` of a finished model. Raises CheckpointError."""
    try:
        return ModelDescription(folder, read_json(_WrittenDescription, folder / CONFIG))
    except FileNotFoundError as error:
        found = (
            "no model was trained here yet" if not folder.is_dir() else f"its training was not finished: no {CONFIG}"
        )
        raise CheckpointError(
            f"{folder}: {found}", "a finished model", "train it first: augkit train --help"
        ) from error
    except OSError as error:
        raise CheckpointError(f"{folder}: {CONFIG}: {error}", *meaning_of(error)) from error
    except ValueError as error:  # text that is no JSON, or of another form
        raise CheckpointError(
            f"{folder}: {CONFIG}: {error}", "a finished model of this version", "train it again: --fresh"
        ) from error


def load_weights(folder: Path) -> dict[str, Tensor]:
    """``model.safetensors`` of a finished model, on the CPU.

    Raises CheckpointError where it is missing, cut off or foreign, and for numbers that are not finite: what they make
    would look like pictures all the same.
    """
    state, _ = load_state(folder / MODEL)
    spoilt = [name for name, tensor in state.items() if tensor.is_floating_point() and not tensor.isfinite().all()]
    if spoilt:
        raise CheckpointError(
            f"{folder / MODEL}: NaN or infinity in {len(spoilt)} of {len(state)} tensors, {spoilt[0]} first",
            "finite numbers", "train it again with --fresh, or put the file of a good copy back",
        )  # fmt: skip
    return state


def check_parts(folder: Path, about: Mapping[str, Any], schema: PartSchema) -> None:
    """Raises CheckpointError where the model in the folder, by its description, was trained with other parts than the
    schema's; whether it draws bodies is not asked."""
    own = own_schema(PartSchema.from_dict(about["schema"]))
    if own.digest != schema.digest:
        raise CheckpointError(
            f"{folder}: trained on the parts {', '.join(own.names[1:])}",
            f"the workspace's parts: {', '.join(schema.names[1:])}",
            f"train it again: augkit train {folder.parent.name} --model {folder.name} --fresh",
        )


def is_finished(folder: Path) -> bool:
    """Whether a folder holds a model that can be used."""
    return (folder / CONFIG).is_file() and (folder / MODEL).is_file()
