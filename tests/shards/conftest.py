from __future__ import annotations

from pathlib import Path

import pytest

from augkit.core.storage import LocalStorage

from .pairs import Pairs, write_dataset


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "shards")


@pytest.fixture
def dataset(storage: LocalStorage) -> tuple[LocalStorage, Pairs]:
    return storage, write_dataset(storage)[1]
