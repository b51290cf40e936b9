"""The same with Lightning: python examples/train_lightning.py WORKSPACE/shards (pip install lightning)."""

import argparse

import lightning
import segmentation_models_pytorch as smp
import torch
from torch.utils.data import DataLoader, WeightedRandomSampler
from torchvision import tv_tensors
from torchvision.transforms import v2

from augkit import ShardDataset

SIZE, IGNORE = 128, 255


class Segmentation(lightning.LightningModule):  # type: ignore[misc]  # it is installed by whoever runs this
    """A U-Net over the parts."""

    def __init__(self, labels: dict[int, str]) -> None:
        super().__init__()
        self.network = smp.Unet("resnet18", encoder_weights=None, classes=len(labels))
        self.loss = torch.nn.CrossEntropyLoss(ignore_index=IGNORE)

    def training_step(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Cross-entropy of a batch."""
        loss: torch.Tensor = self.loss(self.network(batch["image"]), batch["mask"])
        return loss

    def validation_step(self, batch: dict[str, torch.Tensor]) -> None:
        """The share of labelled pixels that are right."""
        known = batch["mask"] != IGNORE
        right = self.network(batch["image"]).argmax(1) == batch["mask"]
        self.log("val_accuracy", right[known].float().mean(), batch_size=len(known))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW."""
        return torch.optim.AdamW(self.parameters(), 1e-3)


def main() -> None:
    """Trains, and prints what validation says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("shards")
    parser.add_argument("--epochs", type=int, default=8)
    args = parser.parse_args()
    floats = v2.ToDtype({tv_tensors.Image: torch.float32, "others": None}, scale=True)
    prepare = v2.Compose([v2.Resize((SIZE, SIZE)), floats, v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
    augment = v2.Compose([v2.RandomAffine(8, scale=(0.85, 1.15), fill={tv_tensors.Mask: IGNORE, "others": 0}), prepare])
    train = ShardDataset(args.shards, [("split", "==", "train")], augment)
    val = ShardDataset(args.shards, [("split", "==", "val"), ("source", "==", "real")], prepare)
    sampler = WeightedRandomSampler(train.class_weights().tolist(), len(train))
    loaders = DataLoader(train, 16, sampler=sampler, drop_last=True), DataLoader(val, 16)
    trainer = lightning.Trainer(max_epochs=args.epochs, logger=False, enable_checkpointing=False)
    trainer.fit(Segmentation(train.id2label), *loaders)
    print(f"validation accuracy {trainer.callback_metrics['val_accuracy']:.3f}")


if __name__ == "__main__":
    main()
