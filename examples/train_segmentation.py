"""Train a segmentation network on augkit's shards: python examples/train_segmentation.py WORKSPACE/shards --source all

A batch of real pairs with as many others beside it: those of the folder, and rendered cars (--rendered FOLDER,
from `augkit render --shards`), which help most with few labels. The last fifth of the steps sees real pairs alone.
"""

import argparse
from collections.abc import Iterable
from itertools import repeat
from typing import Any

import albumentations as A
import segmentation_models_pytorch as smp
import torch
from albumentations.pytorch import ToTensorV2
from torch.utils.data import ConcatDataset, DataLoader, RandomSampler, WeightedRandomSampler
from torchmetrics.classification import MulticlassJaccardIndex

from augkit import ShardDataset

SIZE, IGNORE = 128, 255


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("shards")
    parser.add_argument("--source", choices=["real", "all"], default="all")
    parser.add_argument("--rendered", help="shards of rendered cars")
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--encoder", default="resnet18")
    parser.add_argument("--encoder-weights", default=None, help="imagenet, where a network is at hand")
    return parser.parse_args()


def main() -> None:
    """Trains, then prints IoU by part."""
    args = arguments()
    prepare = [A.Resize(SIZE, SIZE), A.Normalize(), ToTensorV2()]
    augment = A.Compose([A.Affine(scale=(0.85, 1.15), rotate=(-8, 8), p=0.8), A.ColorJitter(p=0.8), *prepare])
    train = ShardDataset(args.shards, [("split", "==", "train"), ("source", "==", "real")], augment)
    val = ShardDataset(args.shards, [("split", "==", "val"), ("source", "==", "real")], A.Compose(prepare))
    made = [("split", "==", "train"), ("source", "!=", "real")]
    others = [ShardDataset(args.shards, made, augment)] if args.source == "all" else []
    others += [ShardDataset(args.rendered, transform=augment)] if args.rendered else []
    count = args.steps * args.batch
    loader = DataLoader(train, args.batch, sampler=WeightedRandomSampler(train.class_weights().tolist(), count))
    beside: Iterable[dict[str, Any]] = repeat({}, args.steps)
    if others:
        pool: ConcatDataset[dict[str, Any]] = ConcatDataset(others)
        beside = DataLoader(pool, args.batch, sampler=RandomSampler(pool, num_samples=count))

    device = "cuda" if torch.cuda.is_available() else "cpu"
    channels = train.schema.channels
    network = smp.Unet(args.encoder, encoder_weights=args.encoder_weights, classes=channels)
    network = network.to(device, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), 1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-3, total_steps=args.steps)
    dice = smp.losses.DiceLoss("multiclass", ignore_index=IGNORE)
    entropy = torch.nn.CrossEntropyLoss(ignore_index=IGNORE)

    for step, (batch, other) in enumerate(zip(loader, beside, strict=True)):
        sides = [batch, other] if other and step < 0.8 * args.steps else [batch]
        images, masks = (torch.cat([side[name] for side in sides]).to(device) for name in ("image", "mask"))
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            logits = network(images.contiguous(memory_format=torch.channels_last))
        loss = entropy(logits.float(), masks.long()) + dice(logits.float(), masks.long())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if (step + 1) % 100 == 0:
            print(f"step {step + 1}: loss {loss.item():.3f}", flush=True)

    network.eval()
    iou = MulticlassJaccardIndex(channels, average="none", ignore_index=IGNORE)
    with torch.inference_mode():
        for batch in DataLoader(val, args.batch):
            iou.update(network(batch["image"].to(device)).argmax(1).cpu(), batch["mask"].long())
    scores = dict(zip(train.schema.names[1:], iou.compute()[1:].tolist(), strict=True))
    print(*(f"{part:20s} {score:.3f}" for part, score in scores.items()), sep="\n")
    seen = f"{len(train)} real pairs, {sum(map(len, others))} others"
    print(f"{'mean IoU':20s} {sum(scores.values()) / len(scores):.3f}   ({seen})")


if __name__ == "__main__":
    main()
