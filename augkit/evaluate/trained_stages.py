"""The trained stages of a workspace, each model loaded once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from augkit.core.classes import CarClass
from augkit.gan.photo_sampler import PhotoSampler
from augkit.gan.samplers import MaskSampler
from augkit.stages.image import load_photo_sampler
from augkit.stages.mask import load_mask_sampler
from augkit.stages.model_store import ModelStore
from augkit.train.model_folder import check_parts


class TrainedStages:
    """Raises CheckpointError where a model that is asked for is missing, or was trained on other parts or pairs."""

    def __init__(self, store: ModelStore) -> None:
        self.store = store
        self._masks, self._photos = cache(self._load_masks), cache(self._load_photos)

    def masks(self, car_class: CarClass) -> MaskSampler:
        """Stage I as it serves a class."""
        return self._masks(self.store.usable("mask", self.store.model("mask", car_class)))

    def photos(self, car_class: CarClass) -> PhotoSampler:
        """Stage II as it serves a class."""
        return self._photos(self.store.usable("image", self.store.model("image", car_class)))

    def _load_masks(self, folder: Path) -> MaskSampler:
        sampler, about = load_mask_sampler(folder)
        check_parts(folder, about, self.store.schema)
        return sampler

    def _load_photos(self, folder: Path) -> PhotoSampler:
        sampler, about = load_photo_sampler(folder)
        check_parts(folder, about, self.store.schema)
        return sampler
