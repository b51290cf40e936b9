from __future__ import annotations

import json
import shutil
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from augkit.train.machine import processor_bf16_is_fast
from tests.cli.test_app import Command


def facts(augkit: Command, place: Path) -> dict[str, Any]:
    code, out, _ = augkit("doctor", "--json", "-w", place)
    assert code == 0
    found: dict[str, Any] = json.loads(out)
    return found


def test_the_machine_is_described(augkit: Command, tmp_path: Path) -> None:
    found = facts(augkit, tmp_path / "not" / "there")
    assert list(found) == ["processor", "GPU", "memory", "/dev/shm", "packages", "Ray", "weights", "disk"]
    assert f"generating in {'bf16' if processor_bf16_is_fast() else 'fp32'}" in found["processor"]["found"]
    assert f"torch {metadata.version('torch')}" in found["packages"]["found"] and not found["packages"]["advice"]
    assert "lite0" in found["weights"]["found"] and str(tmp_path) in found["disk"]["found"]
    assert not (tmp_path / "not").exists()


def test_what_is_scarce_or_missing_is_advised_on(
    augkit: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = metadata.version

    def version(name: str) -> str:
        if name == "ray":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", version)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=1, free=1 << 20))
    found = facts(augkit, tmp_path)
    assert found["packages"]["advice"] == "pip install ray"
    assert "--shm-size" in found["/dev/shm"]["advice"] and found["disk"]["advice"]


TOKENS = [("token", "", "there is none"), ("", "x", "nobody is asked"), ("token", "x", ""), ("", "", "")]


@pytest.mark.parametrize("case", TOKENS, ids=str)
def test_a_cluster_and_its_token(
    augkit: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: tuple[str, str, str]
) -> None:
    mode, token, advice = case
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "none"))
    monkeypatch.setenv("RAY_AUTH_MODE", mode)
    monkeypatch.setenv("RAY_AUTH_TOKEN", token)
    ray = facts(augkit, tmp_path)["Ray"]
    assert "head:6379" in ray["found"] and (advice in ray["advice"] if advice else not ray["advice"])
