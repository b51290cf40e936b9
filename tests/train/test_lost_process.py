"""What is said where another process of a training is gone, and where it is not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.distributed import DistBackendError

from augkit.core.errors import CheckpointError, TrainingError
from augkit.train.lost_process import lost_process_told
from augkit.train.run import _require_one_start


@pytest.mark.parametrize("error", [RuntimeError("[gloo/transport] Connection reset by peer"), DistBackendError("gone")])
def test_a_process_that_is_gone_is_told_with_the_way_on(error: RuntimeError) -> None:
    told = r"another of the 2 processes(.|\n)*from the last checkpoint"
    with pytest.raises(TrainingError, match=told), lost_process_told(2):
        raise error
    with pytest.raises(type(error)), lost_process_told(1):
        raise error


def test_other_errors_are_left_alone() -> None:
    with pytest.raises(RuntimeError, match="shapes"), lost_process_told(2):
        raise RuntimeError("shapes differ")


def test_processes_that_found_different_checkpoints_are_refused(tmp_path: Path) -> None:
    backend: Any = SimpleNamespace(num_processes=2, device="cpu")
    backend.gather = lambda own: torch.cat([own, torch.tensor([4])])
    _require_one_start(tmp_path, 4, backend)
    with pytest.raises(CheckpointError, match="would begin with steps 1, 4"):
        _require_one_start(tmp_path, 1, backend)
