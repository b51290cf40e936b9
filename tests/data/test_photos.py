from __future__ import annotations

from pathlib import Path

import pytest

from augkit.core.errors import DataError
from augkit.data.importers._photos import PhotoFolder, photo_names
from augkit.data.importers._source import contained


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("set/b/2.JPG", "set/a 1.png", "set/b/\u8eca.webp", "set/notes.txt", "other/secret.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    return tmp_path / "set"


def test_photos_are_listed_by_suffix_in_order(root: Path) -> None:
    assert photo_names(root) == ["a 1.png", "b/2.JPG", "b/\u8eca.webp"]
    assert photo_names(root / "none") == []


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
    assert len(photo_names(alias)) == 3


def test_a_linked_folder_elsewhere_is_refused(root: Path) -> None:
    (root / "more").symlink_to(root.parent / "other", target_is_directory=True)
    with pytest.raises(DataError, match=r"more is a link to .*other, outside"):
        photo_names(root)
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
    for name in ("link.jpg", "elsewhere/link.jpg", "more/secret.jpg"):
        with pytest.raises(DataError, match="outside the data set's folder"):
            PhotoFolder(root).find([name])


def _folder(tmp_path: Path, *names: str) -> PhotoFolder:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    return PhotoFolder(tmp_path)


def test_a_photo_meant_by_its_path_is_nobody_elses_by_its_name(tmp_path: Path) -> None:
    folder = _folder(tmp_path, "train/1.jpg")
    folder.ask(["test/1.jpg"])
    folder.ask(["train/1.jpg"])
    assert folder.find(["train/1.jpg"]) == tmp_path / "train/1.jpg"
    with pytest.raises(DataError, match=r"no photo at test/1.jpg; train/1.jpg has the name, but is meant by train"):
        folder.find(["test/1.jpg"])


def test_a_photo_that_several_names_may_mean_is_none_of_theirs(tmp_path: Path) -> None:
    folder = _folder(tmp_path, "1.jpg")
    names = ["C:/train/1.jpg"], ["C:/test/1.jpg"]
    for name in names:
        folder.ask(name)
    for name in names:
        with pytest.raises(DataError, match="is meant by"):
            folder.find(name)


def test_a_photo_that_is_not_there_says_what_is(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no photo at b.jpg, nor elsewhere below the folder; there is x/B.png"):
        _folder(tmp_path, "x/B.png").find(["b.jpg"])
    with pytest.raises(DataError, match="there is no file at all"):
        PhotoFolder(tmp_path / "none").find(["b.jpg"])


@pytest.mark.parametrize("name", ["\0.jpg", "x" * 5000, "data:image/png;base64," + "A/" * 3000])
def test_names_that_no_file_can_have_are_only_not_found(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="no photo"):
        _folder(tmp_path, "1.jpg").find([name])
