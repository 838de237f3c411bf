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
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import torch
import torchvision
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset, random_split
from torchvision import datasets, models, transforms
from training_clock import TrainingClock

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


def split_for_training(augmented: Dataset, plain: Dataset) -> tuple[Subset, Subset]:
    training, validation = random_split(
        range(len(plain)), [0.8, 0.2], torch.Generator().manual_seed(1)
    )
    return Subset(augmented, list(training)), Subset(plain, list(validation))


def loaders(data: str) -> tuple[DataLoader, DataLoader]:
    training, validation = split_for_training(
        datasets.ImageFolder(data, AUGMENTED), datasets.ImageFolder(data, PLAIN)
    )
    return (
        DataLoader(training, batch_size=BATCH, shuffle=True),
        DataLoader(validation, batch_size=BATCH),
    )


def pretrained_features(weights: str) -> nn.Sequential:
    network = models.mobilenet_v2()
    network.load_state_dict(torch.load(weights, weights_only=True))
    return network.features


def make_optimizer(model: nn.Module, frozen: str, **settings: bool) -> torch.optim.Optimizer:
    rate = 1e-3 if frozen == "all" else 1e-5
    return torch.optim.Adam([p for p in model.parameters() if p.requires_grad], rate, **settings)


def run_epoch(
    model: nn.Module,
    loader: DataLoader,
    optimizer: torch.optim.Optimizer | None,
    clock: TrainingClock,
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
            clock.step()
        loss_sum += loss.item() * len(labels)
        right += int((outputs.argmax(1) == labels).sum())
    return loss_sum / len(loader.dataset), right / len(loader.dataset)


def fit(
    model: nn.Module,
    loaders: tuple[DataLoader, DataLoader],
    optimizer: torch.optim.Optimizer,
    epochs: int,
) -> dict:
    training, validation = loaders
    clock = TrainingClock()
    for epoch in range(epochs):
        print(epoch, "train", *run_epoch(model, training, optimizer, clock))
        print(epoch, "validation", *run_epoch(model, validation, None, clock), flush=True)
        clock.epoch_end()
    return clock.result(len(training.dataset) + len(validation.dataset))


def train(options: argparse.Namespace) -> dict:
    features = pretrained_features(options.weights)
    model = Classifier(features, FROZEN_BLOCKS[options.frozen], classes=2).eval()
    optimizer = make_optimizer(model, options.frozen)
    result = fit(model, loaders(options.data), optimizer, options.epochs)
    torch.save(model.state_dict(), options.model)
    return result


@torch.no_grad()
def predict(options: argparse.Namespace) -> dict:
    pictures = datasets.ImageFolder(options.data, PLAIN)
    model = Classifier(models.mobilenet_v2().features, FROZEN_BLOCKS["all"], classes=2).eval()
    model.load_state_dict(torch.load(options.model, weights_only=True))
    classes = torch.cat(
        [model(images).argmax(1) for images, _ in DataLoader(pictures, batch_size=BATCH)]
    )
    return write_predictions(options, [path for path, _ in pictures.samples], classes.tolist())


def write_predictions(options: argparse.Namespace, paths: list[str], classes: list[int]) -> dict:
    with open(options.predictions, "w") as file:
        for path, label in zip(paths, classes, strict=True):
            file.write(json.dumps({"path": path, "class": label}) + "\n")
    return {"images": len(classes)}


def main(
    train: Callable[[argparse.Namespace], dict],
    predict: Callable[[argparse.Namespace], dict],
    usage: str | None,
) -> None:
    parser = argparse.ArgumentParser(
        description=usage, formatter_class=argparse.RawTextHelpFormatter
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


if __name__ == "__main__":
    main(train, predict, __doc__)
