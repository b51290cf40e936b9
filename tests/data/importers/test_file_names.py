from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from augkit.data.importers._file_names import FileNames, folded, readings
from augkit.data.importers._source import hidden, walk

WORDS = st.text(st.sampled_from("abcXYZ019äßéĳ車 ()-_+&%.~"), min_size=1, max_size=8).filter(
    lambda word: word.strip(" .") == word and not hidden(word)
)
PATHS = st.lists(WORDS, min_size=1, max_size=4).map(lambda words: "/".join([*words[:-1], f"{words[-1]}.jpg"]))
MACHINES = ("", "/", "C:\\Users\\x\\", "/kaggle/input/", "s3://bucket/", "https://host.example/upload/", "..\\..\\")
SPELLINGS: tuple[Callable[[str], str], ...] = (
    lambda path: path,
    lambda path: path.replace("/", "\\"),
    quote,
    lambda path: quote(path, safe=""),
    lambda path: quote(quote(path)),
    str.upper,
    lambda path: unicodedata.normalize("NFD", path),
    lambda path: f"{quote(path)}?token=abc&x=1",
    lambda path: f"local-files/?d={quote(path)}",
)


@example(["%01.jpg"], "", SPELLINGS[4])
@given(st.lists(PATHS, min_size=1, max_size=6), st.sampled_from(MACHINES), st.sampled_from(SPELLINGS))
def test_a_path_of_another_machine_finds_its_file(
    paths: list[str], machine: str, spelling: Callable[[str], str]
) -> None:
    assume(not any("\0" in unquote(path) for path in paths))  # no system has such a name
    names = sorted({folded(path): path for path in paths}.values())
    for name in names:
        found = FileNames(names).find([machine + spelling(name)])
        assert name in found
        assert all(folded(other).endswith(folded(name)) for other in found)  # nothing tells these apart


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("D:/sets/b/images/1.jpg", ["b/images/1.jpg"]),
        ("images/1.jpg", ["a/images/1.jpg", "b/images/1.jpg"]),
        ("elsewhere/A/Images/1.JPG", ["a/images/1.jpg"]),
        ("1.jpg", ["a/images/1.jpg", "b/images/1.jpg"]),
        ("x/2.JPG", ["a/2.JPG"]),
        ("x/2.jpg", ["b/2.jpg"]),
        ("x/2.Jpg", ["a/2.JPG", "b/2.jpg"]),
        ("3.jpg", []),
        ("", []),
    ],
)
def test_the_longest_tail_wins_and_then_the_spelling(written: str, found: list[str]) -> None:
    names = FileNames(["a/images/1.jpg", "b/images/1.jpg", "a/2.JPG", "b/2.jpg"])
    assert names.find([written]) == found


def test_a_name_that_many_folders_have_is_found_by_its_folder() -> None:
    names = FileNames(f"videos/{folder:03}/frames/0001.jpg" for folder in range(100))
    assert names.find(["/data/071/frames/0001.jpg"]) == ["videos/071/frames/0001.jpg"]
    assert len(names.find(["0001.jpg"])) == 100


def test_of_several_names_for_one_photo_the_longest_tail_counts() -> None:
    names = FileNames(["a/1.jpg", "b/1.jpg"])
    assert names.find(["1.jpg", "/somewhere/b/1.jpg"]) == ["b/1.jpg"]


def test_a_name_with_another_suffix_is_like_it() -> None:
    names = FileNames(["x/Tür.png", "b.jpg"])
    assert names.like("y/tu\u0308r.jpg") == "x/Tür.png"
    assert names.like("c.jpg") == ""


def test_readings_begin_with_what_is_written() -> None:
    assert readings("a?b.jpg") == ["a?b.jpg", "a"]
    assert readings("x/a.jpg#view") == ["x/a.jpg#view", "x/a.jpg"]
    assert readings("C:\\x\\50%25.jpg") == ["C:/x/50%25.jpg", "C:/x/50%.jpg"]
    assert readings(" ") == []


def test_what_systems_leave_behind_is_not_seen(tmp_path: Path) -> None:
    for name in ("a.jpg", "._a.jpg", ".cache/b.jpg", "__MACOSX/c.jpg", "@eaDir/e.jpg", "x/d.jpg", "x/.DS_Store"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert sorted(below + name for below, _, files in walk(tmp_path) for name in files) == ["a.jpg", "x/d.jpg"]
