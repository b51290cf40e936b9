"""Classes with too few pairs to train on."""

from __future__ import annotations

from collections.abc import Iterator

from augkit.core.classes import ALL_CLASSES, CarClass
from augkit.data.audit.audit_check import Finding, Hit, check
from augkit.data.audit.measurements import Measurements
from augkit.data.catalogue import TrainingRows, count_classes

FEWEST = 10
"""Training pairs of a class and its mirror image together. Below, what is generated varies a handful of photos."""


@check("cells", "classes with too few pairs to train on")
def cells(measurements: Measurements) -> Iterator[Finding]:
    """Counts a class with its mirror image: photos are flipped in training, so both learn from the same pairs.

    A class with known doors that no photo shows is a note: nothing can be generated for it.
    """
    training = TrainingRows.of(measurements.catalogue)
    counts = count_classes(training.rows)
    present = count_classes(measurements.catalogue)
    for car_class in (c for c in ALL_CLASSES if c.orientation in "AB"):
        both = (car_class, car_class.mirror)
        pairs = sum(counts.get(c, 0) for c in both)
        shown = ", ".join(f"{c.name} {counts.get(c, 0)}" for c in both)
        if not any(c in present for c in both):
            if car_class.doors != "unknown":
                yield Finding(
                    "cells", "note", f"no photo shows {_names(both)}", "import photos of it; nothing can be generated"
                )
        elif pairs < FEWEST:
            yield Finding(
                "cells",
                "warning",
                f"{pairs} training pairs of a class and its mirror image ({shown}), fewer than {FEWEST}",
                "import more photos of it; generated pairs will hardly differ from these",
                tuple(Hit(row.id, 1.0) for row in training.rows if row.car_class in both),
            )


def _names(classes: tuple[CarClass, ...]) -> str:
    return " or ".join(car_class.name for car_class in classes)
