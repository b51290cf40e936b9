from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from augkit.core.errors import DataError
from augkit.core.parts import PartSchema
from augkit.core.workspace import Workspace
from augkit.data.audit import result as audits
from augkit.data.audit.audit_check import CHECKS
from augkit.data.audit.overview import Overview
from augkit.data.audit.result import RESULT_FILE, AuditResult, audit, require_sound, state_digest, stored_result
from augkit.data.catalogue import read_catalogue, usable, write_catalogue


def spoil_ids(workspace: Workspace) -> str:
    """One pixel of an id that no schema here has; the id of the pair."""
    row = read_catalogue(workspace.catalogue)[3]
    with Image.open(workspace.mask(row.id)) as image:
        mask = np.array(image)
    mask[0, 0] = 200
    Image.fromarray(mask).save(workspace.mask(row.id))
    return row.id


def test_a_result_survives_the_file(copied_workspace: Workspace) -> None:
    id = spoil_ids(copied_workspace)
    found = audit(copied_workspace)
    assert [hit.id for hit in found.of("fatal")[0].hits] == [id]
    assert found.findings[0].severity == "fatal"
    path = found.save(copied_workspace.reports)
    assert path.name == RESULT_FILE and [p.name for p in path.parent.iterdir()] == [RESULT_FILE]
    assert stored_result(copied_workspace) == found


@pytest.mark.slow  # each process imports what the package needs
def test_any_number_of_workers_finds_the_same(copied_workspace: Workspace) -> None:
    spoil_ids(copied_workspace)
    seen: list[tuple[str, int, int]] = []
    assert audit(copied_workspace, workers=2, progress=lambda *about: seen.append(about)) == audit(copied_workspace)
    pairs = len(usable(read_catalogue(copied_workspace.catalogue)))
    assert seen == [("auditing", place + 1, pairs) for place in range(pairs)]


def test_each_pair_is_decoded_once(rendered_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    from augkit.data.audit import measurements

    read: list[Path] = []
    original = measurements.read_photo
    monkeypatch.setattr(measurements, "read_photo", lambda path: read.append(path) or original(path))
    audit(rendered_workspace, [check for check in map(CHECKS.__getitem__, CHECKS) if check.name != "near-duplicates"])
    assert len(read) == len(set(read)) == 40


def test_a_check_that_reads_the_catalogue_alone_opens_no_pair(copied_workspace: Workspace) -> None:
    shutil.rmtree(copied_workspace.pairs)
    assert audit(copied_workspace, [CHECKS["cells"], CHECKS["leaks"]]).of("fatal") == []


@pytest.mark.parametrize("change", ["catalogue", "schema", "photo", "fewer"])
def test_a_stored_result_is_one_of_the_same_state(copied_workspace: Workspace, change: str) -> None:
    audit(copied_workspace, [CHECKS["cells"]]).save(copied_workspace.reports)
    assert stored_result(copied_workspace) is not None
    rows = read_catalogue(copied_workspace.catalogue)
    photo = copied_workspace.photo(rows[0].id)
    if change == "catalogue":
        write_catalogue(copied_workspace.catalogue, rows[1:])
    elif change == "schema":
        copied_workspace.schema.write_text(copied_workspace.schema.read_text() + "\n")
    elif change == "photo":
        photo.write_bytes(photo.read_bytes() + b"\0")
    else:
        photo.unlink()
    assert stored_result(copied_workspace) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"digest": 1, "findings": [{}]}'])
def test_a_stored_result_that_cannot_be_read_is_none(copied_workspace: Workspace, text: str) -> None:
    copied_workspace.reports.mkdir()
    (copied_workspace.reports / RESULT_FILE).write_text(text)
    assert stored_result(copied_workspace) is None


def test_sound_data_pass_and_leave_no_file(rendered_workspace: Workspace) -> None:
    require_sound(rendered_workspace)
    assert not rendered_workspace.reports.exists()


def test_fatal_findings_are_named(copied_workspace: Workspace) -> None:
    spoil_ids(copied_workspace)
    with pytest.raises(DataError, match=r"ids: 1 masks hold ids 200") as error:
        require_sound(copied_workspace)
    assert "augkit audit" in error.value.remedy


def test_a_stored_audit_spares_the_pass_over_the_pairs(
    copied_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil_ids(copied_workspace)
    audit(copied_workspace).save(copied_workspace.reports)

    def forbidden(*_: object) -> AuditResult:
        raise AssertionError("audited again")

    monkeypatch.setattr(audits, "audit", forbidden)
    with pytest.raises(DataError, match="ids"):
        require_sound(copied_workspace)


def test_a_stored_audit_without_the_fatal_checks_is_not_enough(copied_workspace: Workspace) -> None:
    spoil_ids(copied_workspace)
    audit(copied_workspace, [CHECKS["cells"]]).save(copied_workspace.reports)
    with pytest.raises(DataError, match="ids"):
        require_sound(copied_workspace)


def test_nothing_imported_yet(tmp_path: Path) -> None:
    for function in (audit, require_sound, state_digest):
        with pytest.raises(DataError, match="no catalogue"):
            function(Workspace(tmp_path))


def test_the_overview_counts_pixels_and_pairs(rendered_workspace: Workspace) -> None:
    rows, schema = read_catalogue(rendered_workspace.catalogue), PartSchema.load(rendered_workspace.schema)
    overview = Overview.of(rows, schema)
    assert overview.pairs == 40 and sum(sum(splits.values()) for splits in overview.classes.values()) == 40
    assert sum(part.share for part in overview.parts) == pytest.approx(1)
    hood = next(part for part in overview.parts if part.name == "hood")
    histograms = np.array([row.histogram for row in rows])[:, schema.id_of("hood")]
    assert (hood.pixels, hood.pairs) == (histograms.sum(), (histograms > 0).sum())
    assert Overview.of([], schema).parts[0].share == 0
