"""One training run of one arm: done once, then read from its folder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augkit.core.atomic_file import replacing
from augkit.core.errors import ShardError
from augkit.core.memory import release_memory
from augkit.core.progress import Progress, renamed, silent
from augkit.core.seeds import derive
from augkit.core.workspace import Workspace
from augkit.evaluate.utility.arms import KINDS, Arm, Choice
from augkit.evaluate.utility.held_out import HeldOut
from augkit.settings import SOURCES, Settings
from augkit.stages.segmenter import fit_segmenter, load_segmenter, read_all, segmenter_fingerprint, training_pairs
from augkit.stages.training_mix import EncodedPairs, is_made
from augkit.train.model_folder import CHECKPOINT, is_finished

SCORES = "scores-{}.npz"
"""By split."""


@dataclass(frozen=True)
class Trial:
    """An arm and a seed, with the settings and the pairs that they amount to."""

    workspace: Workspace
    arm: Arm
    seed: int
    settings: Settings
    pairs: EncodedPairs

    @classmethod
    def of(
        cls, workspace: Workspace, arm: Arm, seed: int, settings: Settings, real: EncodedPairs | None = None
    ) -> Trial:
        """``settings`` are the arm's; an arm of real pairs alone takes ``real`` where they are not read from shards.
        Raises ShardError where pairs that the arm is about are missing."""
        kind = KINDS[arm.kind]
        own = real if kind.source == "real" else None
        pairs = training_pairs(workspace, settings.segmenter) if own is None else own
        made = is_made(pairs)
        if (kind.mixed and not made.any()) or ("real" in SOURCES[kind.source] and made.all()):
            raise ShardError(
                f"the arm {arm.name}: {made.sum()} made and {(~made).sum()} real training pairs",
                f"some of each of {', '.join(SOURCES[kind.source])}",
                "run `augkit balance` with a larger target or other --sources, or choose --arms",
            )  # fmt: skip
        return cls(workspace, arm, seed, settings, pairs)

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.arm.name}, seed {self.seed}"

    @cached_property
    def folder(self) -> Path:
        """Named after all that decides the result: what was trained on other pairs or settings is never taken."""
        about: dict[str, Any] = segmenter_fingerprint(self.settings, self.pairs)
        about["steps"] = self.settings.segmenter.steps
        digest = f"{derive(0, *(f'{key}={about[key]}' for key in sorted(about))):016x}"
        return self.workspace.bring(self.workspace.root / "utility" / self.arm.name / digest)

    def run(self, held: HeldOut, progress: Progress = silent) -> NDArray[np.int64]:
        """(held-out pairs, channels, 3) pixels. Trains, or goes on, where the folder has no finished model."""
        scores = self.folder / SCORES.format(held.split)
        known = _read_scores(scores, held)
        if known is not None:
            return known
        if not is_finished(self.folder):
            told = renamed(progress, self.name)
            fit_segmenter(self.workspace, self.settings, self.pairs, self.folder, resume=True, progress=told)
            release_memory()
        network, _ = load_segmenter(self.folder)
        counts = read_all(network, held.items, held.schema)
        _write_scores(scores, counts, held)
        (self.folder / CHECKPOINT).unlink(missing_ok=True)  # four times the model, and nobody goes on from here
        return counts


@dataclass(frozen=True)
class TrialMaker:
    """Makes the trials of one workspace, of ``steps`` steps each; ``real`` as in ``Trial.of``."""

    workspace: Workspace
    settings: Settings
    steps: int
    real: EncodedPairs | None = None

    def make(self, arm: Arm, seed: int, choice: Choice | None = None) -> Trial:
        """The training of an arm: as the settings say, or with a choice in their place. Raises as ``Trial.of``."""
        return Trial.of(self.workspace, arm, seed, arm.settings(self.settings, seed, self.steps, choice), self.real)


def _read_scores(path: Path, held: HeldOut) -> NDArray[np.int64] | None:
    """None where there are none, or those of other held-out pairs."""
    if not path.is_file():
        return None
    with np.load(path) as file:
        if int(file["held_out"]) != held.digest:
            return None
        counts: NDArray[np.int64] = file["counts"]
    return counts


def _write_scores(path: Path, counts: NDArray[np.int64], held: HeldOut) -> None:
    # numpy adds .npz to a path that does not end in it, but takes a stream as it is.
    with replacing(path) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, counts=counts, held_out=np.int64(held.digest))
