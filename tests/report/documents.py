"""Documents of ``reports/`` in the form in which other verbs write them."""

from __future__ import annotations

from typing import Any


def figure(value: float, spread: float = 0.02) -> dict[str, Any]:
    return {
        "value": value, "interval": [value - spread, value + spread], "error": spread / 2,
        "seeds": [value - spread / 3, value + spread / 3],
    }  # fmt: skip


UTILITY: dict[str, Any] = {
    "verdict": {
        "word": "helps", "sentence": "Helps: all reads 52.5 mean IoU, real 50.2.", "level": 0.95,
        "arm": "real+classical+generated@25", "against": "real+classical",
    },
    "steps": 300, "seeds": 2,
    "held_out": {
        "split": "val",
        "photos": {"overall": 33, "tail parts": 30, "tail classes": 9, "part hood": 21, "class back-left-3": 4},
    },
    "tail": {"parts": ["hood"], "classes": []},
    "arms": [
        {
            "arm": name, "kind": name.split("@")[0], "share": 0.0, "real": 127, "made": made,
            "figures": {
                "overall": figure(value), "tail parts": figure(value - 0.1), "part hood": figure(value + 0.1),
                "class back-left-3": figure(value) | {"interval": [None, None]},
            },
        }
        for name, made, value in (("real+classical", 0, 0.502), ("real+classical+generated@25", 41, 0.525))
    ],
    "comparisons": [
        {
            "arm": "real+classical+generated@25", "against": "real+classical",
            "deltas": {"overall": figure(0.023, 0.01), "tail parts": figure(0.05), "part hood": figure(0.023)},
        }
    ],
}  # fmt: skip

GATE: dict[str, Any] = {
    "classes": {
        "all": {"tried": 8, "accepted": 4, "steps": [{"check": "topology", "rejected": 3, "left": 5}]},
        "back-left-3": {"tried": 7, "accepted": 3, "steps": []},
    },
    "reasons": {"agreement": 2}, "examples": {}, "bounds": {"agreement": [0.4321, None]}, "quantile": 0.0125,
    "rejected_real": 0.048,
}  # fmt: skip

COMPARE: list[dict[str, Any]] = [
    {"name": "city-dcgan", "steps": 120, "distance": 213.4567, "distance_floor": 80.0, "ratio": 2.7},
    {"name": "city-logan", "steps": 90, "distance": 200.0, "distance_floor": 80.0, "ratio": None},
]

PLANTED = {
    "faults": [
        {"name": "real, unchanged", "pairs": 40, "caught": 0.05, "checks": {"rule": 0.02}, "by": "detail 5%, rule 2%"},
        {"name": "photo blurred", "pairs": 12, "caught": 1.0, "checks": {"detail": 1.0}, "by": "detail 100%"},
    ]
}


def compared(name: str, value: float, interval: list[float] | None) -> dict[str, Any]:
    return {"name": name, "value": value, "interval": interval, "floor": {"kind": "halves", "mean": 60.5, "std": 1.0}}


def _masks_of(name: str) -> dict[str, Any]:
    figures = [compared("FD-lite0", 71.25, [65.0, 80.0]), compared("recall", 0.5, None)]
    return {"name": name, "photos": 12, "figures": figures, "passing": 0.8, "passing_real": 0.95}


MASKS: dict[str, Any] = {
    "all": _masks_of("all"), "classes": [_masks_of("back-left-3")],
    "copies": {"share": 0.123, "expected": 0.05, "bound": 0.1},
}  # fmt: skip

PHOTOS: dict[str, Any] = {
    "held_out_masks": [compared("KD-lite0", 3.5, None)], "made_masks": [], "variety": 0.42,
    "copies": {"share": 0.06, "expected": 0.05, "bound": 0.1},
}  # fmt: skip
