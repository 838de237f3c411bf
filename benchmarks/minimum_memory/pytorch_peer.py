"""The jobs in PyTorch, as its "Transfer Learning for Computer Vision" tutorial writes them:
torchvision's MobileNetV2, ImageFolder, a DataLoader without workers (the least memory). A frozen
part runs in eval mode under no_grad; batch norms run on their stored statistics, as in the other
programs.

usage: pytorch_peer.py train --data DIR --weights PTH --frozen all|all-but-5-blocks|none --epochs N
                             --model FILE --result FILE
       pytorch_peer.py predict --data DIR --model FILE --predictions FILE --result FILE
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import torch
import torchvision
from torch import nn
from torch.utils.data import DataLoader, Subset, random_split
from torchvision import datasets, models, transforms

SIZE = (224, 224)
BATCH = 32
FROZEN_BLOCKS = {"all": 19, "all-but-5-blocks": 13, "none": 0}  # of the 19 in model.features

TO_NETWORK = [transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)]  # x / 127.5 - 1
PLAIN = transforms.Compose([transforms.Resize(SIZE), *TO_NETWORK])
AUGMENTED = transforms.Compose(
    [
        transforms.Resize(SIZE),
        transforms.RandomAffine(0, shear=0.2, scale=(0.8, 1.2)),
        transforms.RandomHorizontalFlip(),
        *TO_NETWORK,
    ]
)


class Classifier(nn.Module):
    def __init__(self, features: nn.Sequential, frozen_blocks: int, classes: int) -> None:
        super().__init__()
        self.features = features
        self.frozen_blocks = frozen_blocks
        features[:frozen_blocks].requires_grad_(False)
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(1280, 1024),
            nn.ReLU(),
            nn.Linear(1024, classes),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            x = self.features[: self.frozen_blocks](x)
        return self.head(self.features[self.frozen_blocks :](x))


def loaders(data: str) -> tuple[DataLoader, DataLoader]:
    augmented, plain = datasets.ImageFolder(data, AUGMENTED), datasets.ImageFolder(data, PLAIN)
    training, validation = random_split(
        range(len(plain)), [0.8, 0.2], torch.Generator().manual_seed(1)
    )
    return (
        DataLoader(Subset(augmented, list(training)), batch_size=BATCH, shuffle=True),
        DataLoader(Subset(plain, list(validation)), batch_size=BATCH),
    )


def run_epoch(
    model: nn.Module, loader: DataLoader, optimizer: torch.optim.Optimizer | None
) -> tuple[float, float]:
    """Loss and accuracy; learns where there is an optimizer."""
    loss_sum, right, criterion = 0.0, 0, nn.CrossEntropyLoss()
    for images, labels in loader:
        with torch.set_grad_enabled(optimizer is not None):
            outputs = model(images)
            loss = criterion(outputs, labels)
        if optimizer:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        loss_sum += loss.item() * len(labels)
        right += int((outputs.argmax(1) == labels).sum())
    return loss_sum / len(loader.dataset), right / len(loader.dataset)


def train(options: argparse.Namespace) -> dict:
    network = models.mobilenet_v2()
    network.load_state_dict(torch.load(options.weights, weights_only=True))
    training, validation = loaders(options.data)
    model = Classifier(network.features, FROZEN_BLOCKS[options.frozen], classes=2).eval()
    rate = 1e-3 if options.frozen == "all" else 1e-5
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=rate)
    begin = time.monotonic()
    for epoch in range(options.epochs):
        print(epoch, "train", *run_epoch(model, training, optimizer))
        print(epoch, "validation", *run_epoch(model, validation, None), flush=True)
    seconds = time.monotonic() - begin
    torch.save(model.state_dict(), options.model)
    images = (len(training.dataset) + len(validation.dataset)) * options.epochs
    return {"images": images, "images_per_second": images / seconds}


@torch.no_grad()
def predict(options: argparse.Namespace) -> dict:
    pictures = datasets.ImageFolder(options.data, PLAIN)
    model = Classifier(models.mobilenet_v2().features, FROZEN_BLOCKS["all"], classes=2).eval()
    model.load_state_dict(torch.load(options.model, weights_only=True))
    classes = torch.cat(
        [model(images).argmax(1) for images, _ in DataLoader(pictures, batch_size=BATCH)]
    )
    with open(options.predictions, "w") as file:
        for (path, _), label in zip(pictures.samples, classes.tolist(), strict=True):
            file.write(json.dumps({"path": path, "class": label}) + "\n")
    return {"images": len(classes)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("work", choices=["train", "predict"])
    for name in ("data", "weights", "frozen", "model", "predictions", "result"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--epochs", type=int)
    options = parser.parse_args()
    torch.manual_seed(1)
    result = train(options) if options.work == "train" else predict(options)
    result["version"] = f"PyTorch {torch.__version__}, torchvision {torchvision.__version__}"
    Path(options.result).write_text(json.dumps(result))


main()
