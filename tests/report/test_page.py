from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from augkit.cli.report import written_settings
from augkit.core.classes import CarClass
from augkit.core.errors import DataError
from augkit.core.parts import PartSchema
from augkit.core.progress import silent
from augkit.core.storage import open_storage
from augkit.core.workspace import Workspace
from augkit.data.catalogue import TrainingRows, read_catalogue
from augkit.report.image_cache import ImageCache
from augkit.report.index_overview import HeldRows, IndexOverview
from augkit.report.nearest_pairs import NearestPairs, Neighbour, Yardstick, find_nearest
from augkit.report.page import ClassCount, Summary, count_parts, write_report
from augkit.report.pair_selection import extremes
from augkit.report.rejections import LOOKED_AT, RejectionCounts, Rejections, mean_rank, score_values, scores_of
from augkit.report.report_data import read_report_data
from augkit.shards.commit import commit_file
from augkit.shards.index import MANIFEST_FILE, load_index
from augkit.shards.seal import BLANK, sealed
from augkit.shards.verify import verify
from augkit.shards.writer import COLUMNS
from tests.report.documents import UTILITY
from tests.report.workspaces import COPY, EXEMPLAR, MADE, REJECTED, blind, make_workspace


@pytest.fixture(scope="module")
def workspace(rendered_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = shutil.copytree(rendered_workspace.root, tmp_path_factory.mktemp("report") / "ws & co")
    return make_workspace(Workspace(root))


@pytest.fixture(scope="module")
def reported(workspace: Workspace) -> tuple[Summary, str]:
    summary = write_report(workspace, workspace.reports / "report.html", written_settings)
    return summary, summary.path.read_text(encoding="utf-8")


@pytest.fixture
def copied(workspace: Workspace, tmp_path: Path) -> Workspace:
    return Workspace(shutil.copytree(workspace.root, tmp_path / "copied"))


def without_neighbours(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> tuple[Summary, str]:
    """The page of a workspace of which the neighbours do not matter."""
    blind(monkeypatch)
    summary = write_report(workspace, workspace.reports / "report.html", written_settings)
    return summary, summary.path.read_text(encoding="utf-8")


def test_a_whole_workspace_has_every_section_and_misses_nothing(reported: tuple[Summary, str]) -> None:
    summary, text = reported
    assert summary.gaps == []
    assert "What is missing" not in text and "Not measured yet" not in text
    assert "4 generated pairs in 2 classes" in text and "ws &amp; co" in text
    assert UTILITY["verdict"]["sentence"] in text and "city-dcgan" in text and "213.5" in text
    assert "hood (tail)" in text and "+2.3 (+1.3 to +3.3)" in text
    assert "no model here has this hash" in text
    assert "the state of step 10 was chosen" in text and "; step 10 was chosen" in text
    assert "Faults planted in real pairs" in text and "detail 5%, rule 2%" in text
    assert "71.25" in text and "65 to 80" in text and "12.3% of the made masks are nearer" in text
    assert "KD-lite0, held-out masks" in text and "Photos of one mask differ by 42%" in text
    assert "1.2 % quantile" in text and "reject 4.8 % of the real ones" in text and "0.4321" in text


def test_what_nobody_measured_is_a_gap(copied: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    (copied.reports / "utility.json").unlink()
    summary, text = without_neighbours(copied, monkeypatch)
    assert "Not measured yet" in text
    assert any("Nobody has measured" in gap.what and gap.remedy == "augkit evaluate utility" for gap in summary.gaps)


def test_the_best_and_the_worst_accepted_are_shown(copied: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("augkit.report.pair_selection.EXTREMES", 2)
    _, text = without_neighbours(copied, monkeypatch)
    best, worst = (text.split(f"<h3>{word} accepted")[1].split("<h3>")[0] for word in ("Best", "Worst"))
    assert best.count('<figure class="card') == worst.count('<figure class="card') == 2
    assert not set(re.findall(r"<code>(.*?)</code>", best)) & set(re.findall(r"<code>(.*?)</code>", worst))


def test_a_copy_is_none_of_the_best_however_high_its_rank(workspace: Workspace) -> None:
    data = read_report_data(workspace, written_settings)
    made = data.index_rows.at(data.index.made.places)
    order = sorted(made, key=lambda row: row["key"] != COPY)
    real = {"key": EXEMPLAR, "split": "train"}
    distances = {row["key"]: 0.0 if row["key"] == COPY else 0.2 + place / 10 for place, row in enumerate(order)}
    by_mask = {key: Neighbour(real, False, distance, distance < 0.1) for key, distance in distances.items()}
    nearest = NearestPairs(by_mask, {}, mask_yardstick=Yardstick(0.1, 0.2, 0.3, 9))
    best, worst = extremes(order, nearest, 2)
    assert [row["key"] for row in best] == [row["key"] for row in order[1:3]]
    assert worst[-1]["key"] == COPY
    untold, _ = extremes(order, NearestPairs({}, {}), 2)  # nothing held out: the rank alone
    assert untold == order[:2]


def test_counts_before_and_after(reported: tuple[Summary, str], workspace: Workspace) -> None:
    summary, _ = reported
    training = TrainingRows.of(read_catalogue(workspace.catalogue)).rows
    by_name = {count.name: count for count in summary.classes}
    for name, made in MADE.items():
        own = sum(row.car_class.name == name for row in training)
        assert (by_name[name].training, by_name[name].generated, by_name[name].after) == (own, made, own + made)
    assert sum(count.training for count in summary.classes) == len(training)
    assert summary.funnel.tried == sum(MADE.values()) + REJECTED and summary.funnel.accepted == sum(MADE.values())


def test_parts_count_pixels_of_training_pairs_alone(workspace: Workspace) -> None:
    data = read_report_data(workspace, written_settings)
    rows = load_index(data.storage).to_pylist()
    real = [r["histogram"] for r in rows if r["source"] == "real" and r["split"] == "train"]
    made = [r["histogram"] for r in rows if r["source"] == "generated" and r["accepted"]]
    before, after = np.sum(real, axis=0)[1:], np.sum([*real, *made], axis=0)[1:]
    for place, part in enumerate(count_parts(data)):
        assert part.share_before == pytest.approx(before[place] / before.sum())
        assert part.share_after == pytest.approx(after[place] / after.sum())
        assert part.pairs_after == sum(h[place + 1] > 0 for h in [*real, *made])


def test_what_a_teacher_read_counts_after_as_well(copied: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    data = read_report_data(copied, written_settings)
    rows = load_index(data.storage)
    sources = pc.if_else(pc.equal(rows["key"], COPY), "pseudo", rows["source"])
    other = HeldRows(rows.set_column(rows.schema.get_field_index("source"), "source", sources))
    read = replace(data, index_rows=other, index=IndexOverview.of(other, data.schema.channels))
    assert ("pseudo", "train") in read.index.parts
    assert count_parts(read) == count_parts(data)
    monkeypatch.setattr("augkit.report.page.count_classes", lambda _: [ClassCount("front-left-5", 10, 0, 4, pseudo=6)])
    _, text = without_neighbours(copied, monkeypatch)
    widths = re.findall(r'<b[^>]*style="width:([0-9.]+)%"', text.split('id="classes"')[1].split("</table>")[0])
    assert widths == ["50.00", "30.00", "20.00"] and text.count("read by the teacher") == 2


def test_each_generated_pair_stands_beside_the_real_one_it_is_nearest_to(workspace: Workspace) -> None:
    data = read_report_data(workspace, written_settings)
    images = ImageCache(data.storage, data.schema)
    made = data.index_rows.at(data.index.made.places)
    real = [row for place, row in enumerate(data.real()) if place % 3 == 0 or row["key"] == EXEMPLAR]
    kin = find_nearest(made, real, images, silent)
    copied = next(row for row in made if row["key"] == COPY)
    source = next(row for row in real if row["key"] == copied["exemplar"])
    for near in (kin.by_mask[COPY], kin.by_photo[COPY]):
        assert near.row["key"] == source["key"] and near.mirrored and near.close
        assert near.distance == pytest.approx(0, abs=0.5)
    others = [kin.by_mask[row["key"]] for row in made if row["key"] != COPY]
    assert all(not other.close or other.distance < kin.mask_yardstick.bound for other in others)  # type: ignore[union-attr]
    assert {near.row["split"] for near in kin.by_mask.values()} == {"train"}


def test_a_copy_is_marked_and_its_exemplar_is_shown(reported: tuple[Summary, str]) -> None:
    _, text = reported
    card = text.split(f"<code>{COPY}</code>")[0].rpartition('<figure class="card')[2]
    assert card.startswith(' close"') and "nearer to a real pair than held-out real pairs are" in card
    assert "real, by both ⇄" in card and ">exemplar<" in card and EXEMPLAR in card


def test_rejected_pairs_are_counted_by_reason_and_shown_where_there_are_bytes(reported: tuple[Summary, str]) -> None:
    summary, text = reported
    found = {reason.name: (reason.count, reason.alone) for reason in summary.funnel.reasons}
    assert found == {"missing": (2, 1), "agreement": (2, 1), "view": (1, 1)}
    section = text.split("Rejected: agreement")[1].split("Rejected: ")[0]
    assert section.count('class="tile"') == 2  # those that were painted
    assert "No picture was kept" in text.split("Rejected: view")[1]


def test_masks_of_rejected_candidates_are_made_again_where_that_can_be_done(
    copied: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def redraw(row: Any) -> Any:
        asked.append(row["key"])
        return np.ones((32, 32), np.uint8)

    blind(monkeypatch)
    text = write_report(copied, copied.reports / "r.html", written_settings, redraw=redraw).path.read_text()
    assert sorted(asked) == ["back-left-3-m", "back-left-3-view"]  # once each, and none that has bytes
    assert "the mask, no photo was made" in text.split("Rejected: view")[1]


def test_no_catalogue_is_an_error_and_the_rest_a_page_that_says_what_to_run(
    copied: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match="no catalogue"):
        write_report(Workspace(tmp_path), tmp_path / "r.html", written_settings)
    for path in (copied.shards, copied.models, copied.reports):
        shutil.rmtree(path)
    summary, text = without_neighbours(copied, monkeypatch)
    said = " ".join(f"{gap.what} {gap.remedy}" for gap in summary.gaps)
    for words in ("no shards yet", "augkit balance", "No model was trained", "augkit evaluate utility"):
        assert words in said and words in text
    assert "nothing generated yet" in text and "There are no pairs to show yet" in text
    assert "→" not in text.split('id="parts"')[1].split("</section>")[0]  # nothing came after


def test_an_interrupted_run_shows_what_is_committed(copied: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = open_storage(copied.shards)
    storage.remove(MANIFEST_FILE)
    storage.remove(commit_file("shard-000002"))
    (copied.shards / "plan.json").write_text(json.dumps({"rows": [{}] * 9}))
    (copied.models / "mask" / "all" / "config.json").unlink()
    summary, text = without_neighbours(copied, monkeypatch)
    said = " ".join(gap.what for gap in summary.gaps)
    assert "3 of 9 planned shards are committed" in said and "Not finished: the training of mask all" in said
    assert sum(count.generated for count in summary.classes) < sum(MADE.values())
    assert "Not finished." in text


def break_manifest(workspace: Workspace) -> str:
    (workspace.shards / MANIFEST_FILE).write_text("{")
    return "manifest cannot be read"


def break_index(workspace: Workspace) -> str:
    path = workspace.shards / "index.parquet"
    path.write_bytes(path.read_bytes()[:-10])
    return "index cannot be read"


def other_format(workspace: Workspace) -> str:
    path = workspace.shards / MANIFEST_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))
    return "format 99"


def other_parts(workspace: Workspace) -> str:
    path = workspace.shards / MANIFEST_FILE
    manifest = json.loads(path.read_text())
    manifest["schema"] = PartSchema.from_names(["hood", "left_door", "right_door"]).to_dict()
    path.write_bytes(sealed(json.dumps(manifest | {"checksum": BLANK}).encode()))
    return "shards have other parts (3)"


def break_settings(workspace: Workspace) -> str:
    workspace.settings.write_text("seed: x\n")
    return "augkit.yaml cannot be read"


def break_utility(workspace: Workspace) -> str:
    (workspace.reports / "utility.json").write_text('{"verdict": {}}')
    return "reports/utility.json is of another form"


def break_document(workspace: Workspace) -> str:
    (workspace.reports / "gate.json").write_text("{")
    return "gate.json is no JSON"


def break_metrics(workspace: Workspace) -> str:
    with (workspace.models / "mask" / "all" / "metrics.jsonl").open("a") as lines:
        lines.write('{"step": 30, "G/l1": NaN}\n[1]\n{"step": 40, "G/')
    (workspace.models / "mask" / "all" / "config.json").write_text("{")
    return "training of mask all"


def remove_tars(workspace: Workspace) -> str:
    for path in workspace.shards.rglob("*.tar"):
        path.unlink()
    return "pairs to show have no readable bytes"


FAULTS = (
    break_manifest, break_index, other_format, other_parts, break_settings, break_utility, break_document,
    break_metrics, remove_tars,
)  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_broken_is_said_on_the_page(
    fault: Callable[[Workspace], str], copied: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = fault(copied)
    summary, text = without_neighbours(copied, monkeypatch)
    assert expected in " ".join(gap.what for gap in summary.gaps)
    assert not re.search(r"\bnan\b", re.sub(r"data:[^\"]+", "", text), re.IGNORECASE)


def row(key: str, accepted: bool = True, reasons: tuple[str, ...] = ()) -> dict[str, Any]:
    car_class = CarClass("A", "3").name
    return {"key": key, "class": car_class, "source": "generated", "accepted": accepted, "reasons": list(reasons),
            "shard": None}  # fmt: skip


def funnel_of(rows: list[dict[str, Any]], size: int) -> Rejections:
    counts = RejectionCounts()
    for first in range(0, len(rows), size):
        schema = pa.schema([COLUMNS.field(name) for name in rows[0]])
        counts.add(pa.Table.from_pylist(rows[first : first + size], schema), first)
    return counts.result()


@pytest.mark.parametrize("size", [1, 2, 5])
def test_the_funnel_counts_a_candidate_once_a_family(size: int) -> None:
    rows = [
        row("a"),
        row("c", False, ("missing:hood", "view:front-left-5")),
        row("b", False, ("missing:hood", "missing:wheel")),
        row("r") | {"source": "real"},
    ]
    funnel = funnel_of(rows, size)
    assert (funnel.tried, funnel.accepted, funnel.classes) == (3, 1, [("front-left-3", 3, 1)])
    missing, view = funnel.reasons
    assert (missing.name, missing.count, missing.alone) == ("missing", 2, 1)
    assert missing.details == [("missing:hood", 2), ("missing:wheel", 1)]
    assert [rows[place]["key"] for place in missing.examples] == ["b", "c"]
    assert (view.name, view.count, view.alone) == ("view", 1, 0)


def test_few_rows_of_a_reason_are_kept_however_many_there_are() -> None:
    rows = [row(f"k{n:04d}", False, ("view:x",)) for n in range(4 * LOOKED_AT, 0, -1)]
    [reason] = funnel_of(rows, 100).reasons
    assert reason.count == 4 * LOOKED_AT
    assert [rows[place]["key"] for place in reason.examples] == [f"k{n + 1:04d}" for n in range(LOOKED_AT)]


def test_the_rank_is_the_mean_over_the_scores_with_the_good_end_up() -> None:
    values = {"view_confidence": [0.9, 0.5, 0.7], "area_excess": [0.0, 0.3, 0.3], "speed": [1.0, 2.0, 3.0]}
    scores = {name: np.array(own) for name, own in values.items()}
    # Ranks (equal ones share): confidence 5/6, 1/6, 3/6; area 5/6, 2/6, 2/6; speed has no good end.
    assert mean_rank(scores, 3) == pytest.approx([5 / 6, 1 / 4, 5 / 12])
    lacking = score_values(pa.table({"score_area_excess": [0.1, None]}), "area_excess")
    assert mean_rank({"area_excess": lacking}, 2) == pytest.approx([0.5, 0.5])
    assert mean_rank({}, 0).shape == (0,)


def test_scores_leave_out_what_is_no_number() -> None:
    assert scores_of(row("a") | {"score_one": 1.5, "score_two": None, "score_three": float("nan")}) == {"one": 1.5}


def test_the_fixture_is_as_the_gate_would_write_it(workspace: Workspace) -> None:
    assert verify(open_storage(workspace.shards)) == []
