"""Networks, one file a family. A file joins by decorating its builder; see ``registries`` for the kinds."""

from augkit.models.registries import PHOTO_GENERATORS, PICTURE_MODELS, SEGMENTERS

__all__ = ["PHOTO_GENERATORS", "PICTURE_MODELS", "SEGMENTERS"]
