"""detectron2's Mask R-CNN. The library is not among augkit's requirements: it is imported where it is asked for.

He, Gkioxari, Dollár, Girshick: Mask R-CNN, ICCV 2017. Wu et al.: Detectron2, 2019.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from augkit.core.errors import ConfigError
from augkit.data.crop import Photo
from augkit.sources.silhouettes import SILHOUETTES, Options
from augkit.sources.silhouettes._instances import Cars, Detector, Find
from augkit.sources.silhouettes._weights import fetched, load_weights

ZOO_NAME = "COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_3x.yaml"
CAR = 2
"""COCO's class car among the 80 classes without gaps."""

Predictor = Callable[[Photo], Mapping[str, Any]]


@SILHOUETTES.register("detectron2")
def detectron2(options: Options) -> Detector:
    """Mask R-CNN of the model zoo (ResNet-50 FPN, 3x schedule); weights by path, or by detectron2's download."""
    return Detector(partial(_load, options.weights), options.min_score)


def find_cars(predict: Predictor, photo: Photo) -> Cars:
    """(H, W, 3) RGB -> the cars that a ``DefaultPredictor`` finds; it takes BGR and turns it as its network wants."""
    found = predict(np.ascontiguousarray(photo[:, :, ::-1]))["instances"].to("cpu")
    cars = (found.pred_classes == CAR).numpy()
    masks, boxes, scores = found.pred_masks.numpy(), found.pred_boxes.tensor.numpy(), found.scores.numpy()
    return Cars(scores[cars], boxes[cars], masks[cars])


def _load(weights: Path | None) -> Find:
    try:
        from detectron2 import model_zoo
        from detectron2.engine import DefaultPredictor
    except ImportError as error:
        raise ConfigError(
            f"detectron2 cannot be imported: {error}",
            "detectron2, which is not on PyPI under its name and is built from its repository",
            "with torch present, pip install --no-build-isolation "
            "'git+https://github.com/facebookresearch/detectron2.git'; or --method torchvision",
        ) from error
    import torch

    config = model_zoo.get_config(ZOO_NAME)
    config.MODEL.DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
    config.MODEL.WEIGHTS = ""  # its own loading would run what is in a pickle
    predictor = DefaultPredictor(config)
    load_weights(predictor.model, weights if weights is not None else _download(model_zoo.get_checkpoint_url(ZOO_NAME)))
    return partial(find_cars, predictor)


def _download(url: str) -> Path:
    from detectron2.utils.file_io import PathManager

    return fetched(lambda: PathManager.get_local_path(url), url)
