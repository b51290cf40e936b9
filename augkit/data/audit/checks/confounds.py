"""Background colour or subset that gives the class away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from augkit.core.classes import READABLE
from augkit.core.parts import BACKGROUND
from augkit.data.audit.association import Association, associate
from augkit.data.audit.audit_check import Figures, Finding, Hit, check, worst_first
from augkit.data.audit.measurements import AuditedPair, Measurements
from augkit.data.catalogue import CatalogueRow

LEAST_V = 0.4
LARGEST_P = 1e-3
_FRAME = 0.12
_FEWEST_PIXELS = 20
_HUES = ("red", "yellow", "green", "cyan", "blue", "magenta")


def background(audited: AuditedPair) -> Figures:
    """The colour of the background near the frame's border, as a word; empty where parts cover it all."""
    rim = max(1, round(_FRAME * audited.pair.mask.shape[0]))
    outer = audited.pair.mask == BACKGROUND
    outer[rim:-rim, rim:-rim] = False
    shown = outer if outer.sum() >= _FEWEST_PIXELS else audited.pair.mask == BACKGROUND
    if shown.sum() < _FEWEST_PIXELS:
        return {"colour": ""}
    red, green, blue = np.median(audited.pair.photo[shown], axis=0).tolist()
    return {"colour": colour_word(red, green, blue)}


def colour_word(red: float, green: float, blue: float) -> str:
    """RGB (0..255) -> black, grey or white, or one of six hues where the chroma in CIE Lab is above 15."""
    lab = cv2.cvtColor(np.array([[[red, green, blue]]], np.float32) / 255, cv2.COLOR_RGB2Lab)
    lightness, a, b = lab.reshape(3).tolist()
    if np.hypot(a, b) <= 15:
        return "black" if lightness < 25 else "white" if lightness > 75 else "grey"
    hue = cv2.cvtColor(np.array([[[red, green, blue]]], np.float32) / 255, cv2.COLOR_RGB2HSV)[0, 0, 0]
    return _HUES[int((float(hue) + 30) % 360 // 60)]


@check("confounds", "a background colour or a subset that gives doors or orientation away", background)
def confounds(measurements: Measurements) -> Iterator[Finding]:
    """A network may then learn the background for the class. Cramer's V of at least 0.4, and no luck (p < 0.001)."""
    rows = measurements.seen
    given = {
        "background colour": measurements.texts("confounds", "colour"),
        "subset": [row.subset for row in rows],
    }
    shown = {
        "doors": [row.doors if row.doors != "unknown" else "" for row in rows],
        "orientation": [READABLE[row.orientation] for row in rows],
    }
    for cause, labels in given.items():
        for trait, classes in shown.items():
            found = associate(labels, classes)
            if found is not None and found.v >= LEAST_V and found.p < LARGEST_P:
                yield _finding(cause, trait, found, rows, list(zip(labels, classes, strict=True)))


def _finding(
    cause: str, trait: str, found: Association, rows: Sequence[CatalogueRow], labels: Sequence[tuple[str, str]]
) -> Finding:
    residuals = found.residuals
    scores = {(a, b): float(residuals[i, j]) for i, a in enumerate(found.rows) for j, b in enumerate(found.columns)}
    cells = sorted(scores, key=lambda cell: -scores[cell])[: len(found.columns)]
    totals = dict(zip(found.rows, found.counts.sum(1).tolist(), strict=True))
    counts = {cell: labels.count(cell) for cell in cells}
    shares = ", ".join(f"{counts[a, b]} of {totals[a]} with {a} are {b}" for a, b in cells)
    return Finding(
        "confounds",
        "warning",
        f"{cause} goes with {trait}: Cramer's V {found.v:.2f} over {int(found.counts.sum())} pairs ({shares})",
        "replace backgrounds in augmentation, or add photos of the cells that are missing",
        worst_first(
            [
                Hit(row.id, scores[label], f"{label[0]}, {label[1]}")
                for row, label in zip(rows, labels, strict=True)
                if scores.get(label, 0.0) > 0
            ]
        ),
    )
