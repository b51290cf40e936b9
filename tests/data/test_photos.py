from __future__ import annotations

from pathlib import Path

import pytest

from augkit.core.errors import DataError
from augkit.data.importers._photos import PhotoFolder, contained, list_photos, photo_names


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("set/b/2.JPG", "set/a 1.png", "set/b/\u8eca.webp", "set/notes.txt", "other/secret.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    return tmp_path / "set"


def test_photos_are_listed_by_suffix_in_order(root: Path) -> None:
    assert photo_names(root) == ["a 1.png", "b/2.JPG", "b/\u8eca.webp"]
    assert list_photos(root) == [root / name for name in photo_names(root)]
    assert list_photos(root / "none") == []


def test_a_link_to_a_file_elsewhere_is_listed_and_refused(root: Path) -> None:
    (root / "link.jpg").symlink_to(root.parent / "other" / "secret.jpg")
    assert "link.jpg" in photo_names(root)
    for name in ("link.jpg", "b/../link.jpg"):
        with pytest.raises(DataError, match=r"link\.jpg is a link to .*secret\.jpg, outside the data set's folder"):
            contained(root, root / name)


def test_links_inside_the_folder_are_allowed(root: Path) -> None:
    (root / "link.jpg").symlink_to(root / "b" / "2.JPG")
    (root / "same").symlink_to(root / "b", target_is_directory=True)
    assert contained(root, root / "link.jpg") == root / "link.jpg"
    assert contained(root, root / "same" / "2.JPG") == root / "same" / "2.JPG"
    assert photo_names(root) == ["a 1.png", "b/2.JPG", "b/\u8eca.webp", "link.jpg"]  # nothing twice


def test_the_folder_itself_may_be_a_link(root: Path) -> None:
    (root.parent / "alias").symlink_to(root, target_is_directory=True)
    alias = root.parent / "alias"
    assert contained(alias, alias / "a 1.png") == alias / "a 1.png"
    assert len(list_photos(alias)) == 3


def test_a_linked_folder_elsewhere_is_refused(root: Path) -> None:
    (root / "more").symlink_to(root.parent / "other", target_is_directory=True)
    with pytest.raises(DataError, match=r"more is a link to .*other, outside"):
        list_photos(root)
    with pytest.raises(DataError, match="outside"):
        contained(root, root / "more" / "secret.jpg")


def test_links_in_a_circle_are_refused(root: Path) -> None:
    (root / "x.jpg").symlink_to(root / "y.jpg")
    (root / "y.jpg").symlink_to(root / "x.jpg")
    with pytest.raises(DataError, match="leads nowhere"):
        contained(root, root / "x.jpg")


def test_photos_that_are_asked_for_by_name_are_not_followed_out(root: Path) -> None:
    (root / "link.jpg").symlink_to(root.parent / "other" / "secret.jpg")
    (root / "more").symlink_to(root.parent / "other", target_is_directory=True)
    folder = PhotoFolder(root)
    for name in ("link.jpg", "elsewhere/link.jpg", "more/secret.jpg"):
        with pytest.raises(DataError, match="outside the data set's folder"):
            folder.find([name])
