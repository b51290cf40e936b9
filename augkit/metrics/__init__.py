"""Figures: pure functions of features, one file a family. No pictures are read and no network runs here.

A file joins by decorating a function ``(real, made) -> float``; see ``registry``.
"""

from augkit.metrics.metric import METRICS, Metric

__all__ = ["METRICS", "Metric"]
