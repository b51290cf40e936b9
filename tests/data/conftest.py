from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.coco_folder import CocoFolder


@pytest.fixture
def coco(tmp_path: Path) -> CocoFolder:
    return CocoFolder(tmp_path / "src")
