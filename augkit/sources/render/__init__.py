"""Rendered cars: parametric cars in 3-D, drawn with exact part masks."""

from augkit.sources.render.cars import Rendering, render, render_car, render_schema, render_silhouette
from augkit.sources.render.parameters import CarParameters, random_parameters

__all__ = [
    "CarParameters",
    "Rendering",
    "random_parameters",
    "render",
    "render_car",
    "render_schema",
    "render_silhouette",
]
