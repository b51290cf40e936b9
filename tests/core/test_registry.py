from __future__ import annotations

import sys
from pathlib import Path

import pytest

from augkit.core.errors import RegistryError
from augkit.core.registry import Registry


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An importable package whose modules register themselves."""
    folder = tmp_path / "sounds"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from augkit.core.registry import Registry\nSOUNDS = Registry('sound', 'sounds')\nTIMES = []\n"
    )
    for name in ("moo", "baa"):
        (folder / f"{name}.py").write_text(
            f"from sounds import SOUNDS, TIMES\nTIMES.append({name!r})\nSOUNDS.register({name!r})({len(name)})\n"
        )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "sounds"
    for module in [module for module in sys.modules if module.split(".")[0] == "sounds"]:
        del sys.modules[module]


def test_a_file_dropped_into_the_package_is_found_at_the_first_look_up(package: str) -> None:
    import sounds  # type: ignore[import-not-found]

    assert sounds.TIMES == []
    assert list(sounds.SOUNDS) == ["baa", "moo"]
    assert "moo" in sounds.SOUNDS and "oink" not in sounds.SOUNDS
    assert sounds.SOUNDS["moo"] == 3
    assert sorted(sounds.TIMES) == ["baa", "moo"]


def test_a_second_entry_of_a_name_raises() -> None:
    registry: Registry[int] = Registry("sound", "json")
    registry.register("moo")(1)
    with pytest.raises(RegistryError, match="two entries named 'moo' among the sounds"):
        registry.register("moo")(2)
    assert registry["moo"] == 1


def test_a_miss_lists_the_names_there_are(package: str) -> None:
    import sounds

    with pytest.raises(RegistryError, match=r"no sound named 'oink'\nexpected: one of baa, moo"):
        sounds.SOUNDS["oink"]


def test_the_decorator_returns_what_it_registers() -> None:
    registry: Registry[object] = Registry("sound", "json")
    entry = object()
    assert registry.register("moo")(entry) is entry
