"""What every format does: it appears whole, goes on after an interrupt, and gives the same bytes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from augkit import api
from augkit.core.errors import BusyError, ConfigError, ShardError
from augkit.core.lock import lock_file
from augkit.core.parts import Mask
from augkit.core.workspace import Workspace
from augkit.export import EXPORTERS
from augkit.export.export_folder import SUMMARY

each = pytest.mark.parametrize("name", list(EXPORTERS))


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two pairs at once, so that an interrupt falls between batches."""
    for name in EXPORTERS:
        monkeypatch.setattr(EXPORTERS[name], "at_once", 2)


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def interrupted(at: int) -> Callable[..., None]:
    def told(name: str, done: int, total: int) -> None:
        assert name == "exporting" and total == 9
        if done == at:
            raise KeyboardInterrupt

    return told


def test_shards_do_not_change_while_they_are_exported(sharded: Workspace, tmp_path: Path) -> None:
    locked: list[bool] = []
    api.export(
        sharded, "semantic", tmp_path / "out", progress=lambda *_: locked.append(lock_file(sharded.shards).exists())
    )
    assert all(locked) and locked and not lock_file(sharded.shards).exists()
    with another_writer(sharded.shards) as process:
        with pytest.raises(BusyError, match=rf"process {process.pid} on .* is writing it"):
            api.export(sharded, "semantic", tmp_path / "more")
        process.communicate("")


@contextmanager
def another_writer(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has the lock of a folder."""
    program = (
        "import sys, pathlib\nfrom augkit.core.lock import held\nwith held(pathlib.Path(sys.argv[1])):\n"
        "    print(flush=True)\n    sys.stdin.read()"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", program, folder], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process


@each
@pytest.mark.usefixtures("small_batches")
def test_an_interrupted_export_goes_on_to_the_same_files(sharded: Workspace, tmp_path: Path, name: str) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    result = api.export(sharded, name, whole)
    assert result.pairs == {"train": 7, "val": 2} and str(sum(result.pairs.values())) in str(result)
    with pytest.raises(KeyboardInterrupt):
        api.export(sharded, name, cut, progress=interrupted(6))
    assert not cut.exists()
    journal = next(tmp_path.glob(".cut.export/*.jsonl"))
    journal.write_bytes(journal.read_bytes() + b'{"name": "train-00')  # killed while it wrote
    seen: list[int] = []
    api.export(sharded, name, cut, progress=lambda _, done, __: seen.append(done))
    assert 1 < seen[0] <= 7 and seen[-1] == 9
    assert files_of(cut) == files_of(whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut", "whole"]


@each
def test_what_is_there_is_kept_or_replaced_as_a_whole(sharded: Workspace, out: Path, name: str) -> None:
    api.export(sharded, name, out)
    stamp = (out / SUMMARY).stat().st_mtime_ns
    api.export(sharded, name, out, progress=interrupted(1))
    assert (out / SUMMARY).stat().st_mtime_ns == stamp
    with pytest.raises(ConfigError, match="an export of other pairs or options"):
        api.export(sharded, name, out, splits=["val"])
    with pytest.raises(KeyboardInterrupt):
        api.export(sharded, name, out, fresh=True, progress=interrupted(3))
    assert (out / SUMMARY).stat().st_mtime_ns == stamp
    assert api.export(sharded, name, out, splits=["val"], fresh=True).pairs == {"val": 2}
    assert not [path for path in out.rglob("*") if "train" in path.name or "real-0" in path.name]


@each
def test_options_are_typed(sharded: Workspace, out: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=rf"options of {name}: colour: no such setting \(got 1\)"):
        api.export(sharded, name, out, options={"colour": 1})
    assert not out.exists() and EXPORTERS[name].about


def test_an_unknown_option_is_told_the_nearest(sharded: Workspace, out: Path) -> None:
    with pytest.raises(ConfigError, match=r"did you mean segmentation\?"):
        api.export(sharded, "coco", out, options={"segmentaton": "rle"})


def test_rows_are_chosen(sharded: Workspace, drawn: dict[str, Mask], tmp_path: Path) -> None:
    def keys(**chosen: Any) -> list[str]:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        api.export(sharded, "semantic", folder, **chosen)
        return sorted(path.stem for path in (folder / "masks").rglob("*.png"))

    assert keys() == sorted(drawn)
    assert keys(sources=["generated"]) == ["made-0", "made-1", "made-2"]
    assert keys(splits=["val"]) == ["held-0", "held-1"]
    assert keys(where=[("score_detail", ">", 0.15)], sources=["real"]) == ["real-2", "real-3"]


def test_files_of_others_are_left_alone(sharded: Workspace, out: Path) -> None:
    out.mkdir()
    (out / "mine.txt").touch()
    with pytest.raises(ConfigError, match="holds files of others"):
        api.export(sharded, "coco", out)
    assert [path.name for path in out.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("asked", "error", "text"),
    [
        ({"format": "voc"}, ConfigError, "no export format named 'voc'"),
        ({"sources": ["drawn"]}, ConfigError, "--source drawn"),
        ({"splits": ["dev"]}, ConfigError, "--split dev"),
        ({"splits": ["test"]}, ShardError, "keeps no pair"),
        ({"where": [("score_size", ">", 1)]}, ShardError, "score_size"),
    ],
)
def test_wrong_words_are_refused(
    sharded: Workspace, out: Path, asked: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        api.export(sharded, **({"format": "coco"} | asked), folder=out)
    assert not out.exists()


def test_the_command(sharded: Workspace, out: Path, augkit: Callable[..., tuple[int, str, str]]) -> None:
    place = ("--workspace", sharded.root)
    chosen = ("--where", "score_detail<0.15", "--where", "source in [real]", "--split", "train", "--license", "cc0-1.0")
    code, text, _ = augkit("export", "coco", out, *place, *chosen, "--option", "segmentation=polygons", "--json")
    assert code == 0 and json.loads(text) == {"folder": str(out), "format": "coco", "pairs": {"train": 2}}
    listed = json.loads((out / "annotations" / "instances_train.json").read_text())
    assert listed["licenses"][0]["name"] == "cc0-1.0" and len(listed["images"]) == 2
    for wrong, found in (
        (("--where", "score_detail~1"), "--where score_detail~1"),
        (("--where", "class in front"), "--where class in front"),
        (("--option", "segmentation"), "--option segmentation"),
        (("--exif", "stored"), "--exif without --full-size"),
    ):
        code, _, err = augkit("export", "coco", out, *place, *wrong)
        assert code == 2 and found in err
    assert "coco (pycocotools, detectron2" in " ".join(augkit("export", "--help")[1].replace("│", " ").split())
