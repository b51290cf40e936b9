"""Which model serves which class.

A class and its mirror image share training pairs (each photo is seen flipped as well), so they share a model.
Together they get one of their own from ``per_class_from`` training pairs on; the others are served by ``all``, which
is trained on every class and told the class.
"""

from __future__ import annotations

from augkit.core.classes import READABLE, CarClass
from augkit.data.catalogue import TrainingRows

ALL = "all"


def side(car_class: CarClass) -> str:
    """The class without left and right: ``front-5``."""
    return f"{READABLE[car_class.orientation].split('-')[0]}-{car_class.doors}"


def model_for(car_class: CarClass, rows: TrainingRows, per_class_from: int) -> str:
    """Name of the model that serves a class."""
    return side(car_class) if len(rows_of(side(car_class), rows)) >= per_class_from else ALL


def rows_of(model: str, rows: TrainingRows) -> TrainingRows:
    """The pairs a model is trained on."""
    if model == ALL:
        return rows
    return TrainingRows(tuple(row for row in rows.rows if side(row.car_class) == model))
