"""An audit as a whole: run, written down, and read again by those who must not train on unsound data."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from augkit.core.atomic_file import write_json
from augkit.core.errors import DataError
from augkit.core.progress import Progress, silent
from augkit.core.regular_file import ANNOTATIONS, LABELS, WEIGHTS, read_regular
from augkit.core.typed import read_json
from augkit.core.workspace import Workspace
from augkit.data.audit.audit_check import CHECKS, SEVERITIES, AuditCheck, Finding, Severity
from augkit.data.audit.measurements import measure_pairs

RESULT_FILE = "audit.json"


@dataclass(frozen=True)
class AuditResult:
    """The findings of the named checks over ``rows`` catalogue rows, ``pairs`` of them usable.

    ``digest`` is that of the workspace's state when it was audited (see ``state_digest``).
    """

    digest: str
    rows: int
    pairs: int
    checks: tuple[str, ...]
    findings: tuple[Finding, ...]

    def of(self, *severities: Severity) -> list[Finding]:
        """The findings of these severities."""
        return [finding for finding in self.findings if finding.severity in severities]

    @property
    def clean(self) -> list[str]:
        """Checks that found nothing."""
        found = {finding.check for finding in self.findings}
        return [name for name in self.checks if name not in found]

    def exclusion(self) -> str:
        """The rows that an import may leave out, one a line with the reason, as ``import --exclude`` reads them."""
        reasons: dict[str, list[str]] = {}
        for finding in self.findings:
            if finding.check in CHECKS and CHECKS[finding.check].excludes:
                for hit in finding.hits:
                    reasons.setdefault(hit.id, []).append(f"{finding.check}: {hit.remark}".rstrip(": "))
        return "".join(f"{id} # {' '.join('; '.join(why).split())}\n" for id, why in reasons.items())

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    def save(self, folder: Path) -> Path:
        """Writes ``audit.json`` into a folder."""
        path = folder / RESULT_FILE
        write_json(path, self.to_dict())
        return path


def audit(
    workspace: Workspace,
    checks: Sequence[AuditCheck] = (),
    workers: int = 1,
    progress: Progress = silent,
) -> AuditResult:
    """Runs the checks (by default all there are) over a workspace; the worst findings come first.

    Raises DataError where nothing was imported yet, SchemaError where the part schema cannot be read.
    """
    chosen = checks or [CHECKS[name] for name in CHECKS]
    digest = state_digest(workspace)
    measurements = measure_pairs(workspace, chosen, workers, progress)
    findings = [finding for check in chosen for finding in check.judge(measurements)]
    findings.sort(key=lambda finding: (SEVERITIES.index(finding.severity), -len(finding.hits)))
    names = tuple(check.name for check in chosen)
    return AuditResult(digest, len(measurements.catalogue), len(measurements.rows), names, tuple(findings))


def stored_result(workspace: Workspace) -> AuditResult | None:
    """The last audit, where the workspace is still what it was then; None otherwise."""
    try:
        result = read_json(AuditResult, workspace.reports / RESULT_FILE, ANNOTATIONS)
    except (OSError, ValueError):  # missing, of another version, or damaged: it can be made again
        return None
    return result if result.digest == state_digest(workspace) else None


def state_digest(workspace: Workspace) -> str:
    """sha256 of the catalogue, the part schema, and the name, size and time of change of every file of ``pairs/``.

    Raises DataError where there is no catalogue.
    """
    digest = hashlib.sha256(read_regular(workspace.require_catalogue(), WEIGHTS))
    digest.update(read_regular(workspace.schema, LABELS) if workspace.schema.is_file() else b"")
    for line in sorted(_states(workspace.pairs)):
        digest.update(line.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _states(folder: Path) -> Iterable[str]:
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            state = entry.stat()
            yield f"{entry.name} {state.st_size} {state.st_mtime_ns}\n"


def require_sound(workspace: Workspace) -> None:
    """Lets training begin only on data without fatal findings.

    Takes the stored audit where nothing has changed since; else runs the checks that can be fatal. Raises DataError
    naming the findings.
    """
    guards = [check for check in (CHECKS[name] for name in CHECKS) if check.guards]
    stored = stored_result(workspace)
    known = stored is not None and {check.name for check in guards} <= set(stored.checks)
    result = stored if stored is not None and known else audit(workspace, guards)
    fatal = result.of("fatal")
    if fatal:
        raise DataError(
            f"{workspace.root}: the data is not fit to train on:\n"
            + "\n".join(f"  {finding.check}: {finding.message}; {finding.remedy}" for finding in fatal),
            "data without fatal findings",
            "`augkit audit` lists the pairs; correct them, then run it again",
        )
