"""torchvision's Mask R-CNN.

He, Gkioxari, Dollár, Girshick: Mask R-CNN, ICCV 2017; the network and its weights are those of Li et al.: Benchmarking
Detection Transfer Learning with Vision Transformers, 2021.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from augkit.data.crop import Photo
from augkit.sources.silhouettes import SILHOUETTES, Options
from augkit.sources.silhouettes._instances import Cars, Detector, Find
from augkit.sources.silhouettes._weights import fetched, load_weights

if TYPE_CHECKING:
    from torch import nn

CAR = 3
"""COCO's own number of the class, which torchvision keeps."""


@SILHOUETTES.register("torchvision")
def torchvision(options: Options) -> Detector:
    """Mask R-CNN with a ResNet-50 FPN, trained on COCO; its weights by path, or by torchvision's download."""
    return Detector(partial(_load, options.weights), options.min_score)


def find_cars(network: nn.Module, photo: Photo) -> Cars:
    """(H, W, 3) RGB -> the cars that a network of torchvision's detection interface finds."""
    import torch

    device = next(network.parameters()).device
    picture = torch.from_numpy(photo.copy()).permute(2, 0, 1).to(device, torch.float32) / 255
    with torch.inference_mode():
        (found,) = network([picture])
    cars = found["labels"] == CAR
    masks = (found["masks"][cars, 0] > 0.5).cpu().numpy()
    return Cars(found["scores"][cars].cpu().numpy(), found["boxes"][cars].cpu().numpy(), np.asarray(masks))


def _load(weights: Path | None) -> Find:
    import torch
    from torchvision.models.detection import maskrcnn_resnet50_fpn_v2

    network = maskrcnn_resnet50_fpn_v2(weights=None, weights_backbone=None)
    load_weights(network, weights if weights is not None else _download())
    return partial(find_cars, network.eval().to("cuda" if torch.cuda.is_available() else "cpu"))


def _download() -> Path:
    from torch import hub
    from torchvision.models.detection import MaskRCNN_ResNet50_FPN_V2_Weights

    url = MaskRCNN_ResNet50_FPN_V2_Weights.COCO_V1.url
    target = Path(str(hub.get_dir())) / "checkpoints" / str(url).rsplit("/", 1)[-1]

    def fetch() -> Path:
        if not target.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            hub.download_url_to_file(url, str(target), hash_prefix=target.stem.rsplit("-", 1)[-1], progress=False)
        return target

    return fetched(fetch, url)
