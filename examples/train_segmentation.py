"""Train a segmentation network on augkit's shards: python examples/train_segmentation.py WORKSPACE/shards --source all

Reads real pairs, or all of a folder (WORKSPACE/classical has classical ones); measures on photos no generator saw. With
few labels, --rendered WORKSPACE/rendered (`augkit render --shards`) helps most: half of each batch, but for the end.
"""

import argparse
from itertools import chain, repeat

import albumentations as A
import segmentation_models_pytorch as smp
import torch
from albumentations.pytorch import ToTensorV2
from torch.utils.data import DataLoader, WeightedRandomSampler
from torchmetrics.classification import MulticlassJaccardIndex

from augkit import ShardDataset

SIZE, IGNORE = 128, 255


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("shards")
    parser.add_argument("--source", choices=["real", "all"], default="all")
    parser.add_argument("--rendered", help="shards of rendered cars: half of each batch until the last fifth")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--encoder", default="resnet18")
    parser.add_argument("--encoder-weights", default=None, help="imagenet, where a network is at hand")
    return parser.parse_args()


def main() -> None:
    """Trains, then prints IoU by part."""
    args = arguments()
    prepare = [A.Resize(SIZE, SIZE), A.Normalize(), ToTensorV2()]
    augment = A.Compose([A.Affine(scale=(0.85, 1.15), rotate=(-8, 8), p=0.8), A.ColorJitter(p=0.8), *prepare])
    sources = ["real"] if args.source == "real" else ["real", "generated", "classical"]
    train = ShardDataset(args.shards, [("split", "==", "train"), ("source", "in", sources)], augment)
    val = ShardDataset(args.shards, [("split", "==", "val"), ("source", "==", "real")], A.Compose(prepare))
    sampler = WeightedRandomSampler(train.class_weights().tolist(), len(train))
    loader = DataLoader(train, args.batch, sampler=sampler, drop_last=True)
    cars = ShardDataset(args.rendered, transform=augment) if args.rendered else train
    drawn = chain.from_iterable(repeat(DataLoader(cars, args.batch, shuffle=True, drop_last=True)))

    device = "cuda" if torch.cuda.is_available() else "cpu"
    channels = train.schema.channels
    network = smp.Unet(args.encoder, encoder_weights=args.encoder_weights, classes=channels)
    network = network.to(device, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), 1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-3, total_steps=args.epochs * len(loader))
    dice = smp.losses.DiceLoss("multiclass", ignore_index=IGNORE)
    entropy = torch.nn.CrossEntropyLoss(ignore_index=IGNORE)

    for epoch in range(args.epochs):
        network.train()
        total = 0.0
        for batch in loader:
            sides = [batch, next(drawn)] if args.rendered and epoch < 0.8 * args.epochs else [batch]
            images, masks = (torch.cat([side[name] for side in sides]).to(device) for name in ("image", "mask"))
            masks = masks.long()
            with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
                logits = network(images.contiguous(memory_format=torch.channels_last))
            logits = logits.float()
            loss = entropy(logits, masks) + dice(logits, masks)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1}: loss {total / len(loader):.3f}", flush=True)

    network.eval()
    iou = MulticlassJaccardIndex(channels, average="none", ignore_index=IGNORE)
    with torch.inference_mode():
        for batch in DataLoader(val, args.batch):
            iou.update(network(batch["image"].to(device)).argmax(1).cpu(), batch["mask"].long())
    scores = dict(zip(train.schema.names[1:], iou.compute()[1:].tolist(), strict=True))
    for part, score in scores.items():
        print(f"{part:20s} {score:.3f}")
    print(f"{'mean IoU':20s} {sum(scores.values()) / len(scores):.3f}   ({len(train)} pairs, {args.source})")


if __name__ == "__main__":
    main()
