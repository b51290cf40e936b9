from __future__ import annotations

from pathlib import Path

import pytest

from augkit.core.errors import DataError
from augkit.core.inside import inside, is_plain, require_inside
from augkit.core.workspace import Workspace

OUTSIDE = ["..", "../x", "a/../../x", "/etc/passwd", "", "a//b", "./a", "a\0b", "a\\b", "C:x", "c:/x", "con",
           "a/NUL.txt", "a\nb", "x" * 300, "\ud800", None, 3]  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE, ids=repr)
def test_a_name_that_leaves_its_folder_is_refused(name: object, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the name"):
        inside(tmp_path, name)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["a", "a.jpg", "aside/shard-000000.tar", "two words é 車.png", "a..b", "x" * 250])
def test_other_names_are_taken_as_they_are(name: str, tmp_path: Path) -> None:
    assert inside(tmp_path, name) == tmp_path / name and require_inside(name) == name


def test_links_are_followed_inside_alone(tmp_path: Path) -> None:
    home, away = tmp_path / "home", tmp_path / "home-away"
    for folder in (home / "real", away):
        folder.mkdir(parents=True)
    (home / "within").symlink_to(home / "real")
    (home / "out").symlink_to(away)
    (home / "real" / "x.png").symlink_to(away / "x.png")
    (tmp_path / "link").symlink_to(home)
    assert inside(home, "within/y") == home / "within" / "y"
    assert inside(tmp_path / "link", "real/y") == tmp_path / "link" / "real" / "y"
    for name in ("out", "out/y", "real/x.png", "within/x.png"):
        with pytest.raises(DataError, match="leads to"):
            inside(home, name)


@pytest.mark.parametrize("id", ["../x", "/x", "a\0"])
def test_what_data_name_in_a_workspace_stays_there(id: str, tmp_path: Path) -> None:
    place = Workspace(tmp_path)
    for path in (place.photo, place.mask, place.silhouette, lambda name: place.model("mask", name)):
        with pytest.raises(DataError, match="the name"):
            path(id)


def test_ids_are_plain_names() -> None:
    assert is_plain("front-left_5") and not any(map(is_plain, ("a.b", "a/b", "", "é", "a\n", "x" * 129, None)))
