"""Networks, one file a family. A file joins by decorating its builder; see ``registries`` for the kinds."""

from augkit.models.registries import MASK_MODELS, PHOTO_GENERATORS, SEGMENTERS

__all__ = ["MASK_MODELS", "PHOTO_GENERATORS", "SEGMENTERS"]
