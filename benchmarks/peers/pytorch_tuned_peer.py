"""The jobs in PyTorch as its performance guides tune them: channels_last, torch.compile (what is
frozen with Inductor's freezing: batch norms folded, weights packed), torchvision's v2 transforms on
tensors, a DataLoader with 2 workers, a fused Adam.

What is compiled is compiled for each size of batch that will come, before the clock begins. predict
counts it: there the last batch is filled up, so that one size will do.

usage: as pytorch_peer.py
"""

import argparse

import pytorch_peer  # first: it hides GPUs before PyTorch is imported

import torch
from pytorch_peer import BATCH, FROZEN_BLOCKS, SIZE, Classifier
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, models
from torchvision.io import ImageReadMode, decode_image
from torchvision.transforms import v2

WORKERS = 2

TO_NETWORK = [v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5] * 3, [0.5] * 3)]
PLAIN = v2.Compose([v2.Resize(SIZE), *TO_NETWORK])
AUGMENTED = v2.Compose(
    [
        v2.Resize(SIZE),
        v2.RandomAffine(0, shear=0.2, scale=(0.8, 1.2)),
        v2.RandomHorizontalFlip(),
        *TO_NETWORK,
    ]
)


class Compiled(nn.Module):
    """A Classifier in two parts: what is frozen runs as it was when it was compiled."""

    def __init__(self, model: Classifier) -> None:
        super().__init__()
        frozen, learning = model.features[: model.frozen_blocks], list(model.head)
        if model.frozen_blocks < len(model.features):
            learning = [*model.features[model.frozen_blocks :], *learning]
        else:
            frozen, learning = nn.Sequential(*frozen, *learning[:2]), learning[2:]  # pooled
        self._frozen = torch.compile(frozen, dynamic=False, options={"freezing": True})
        self._learning = torch.compile(nn.Sequential(*learning), dynamic=False)
        self._has_frozen = model.frozen_blocks > 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.contiguous(memory_format=torch.channels_last)
        if self._has_frozen:
            with torch.no_grad():  # freezing asks for it
                x = self._frozen(x)
        return self._learning(x)


def read(path: str) -> torch.Tensor:
    return decode_image(path, mode=ImageReadMode.RGB)


def loaders(data: str) -> tuple[DataLoader, DataLoader]:
    training, validation = pytorch_peer.split_for_training(
        datasets.ImageFolder(data, AUGMENTED, loader=read),
        datasets.ImageFolder(data, PLAIN, loader=read),
    )
    settings = {"batch_size": BATCH, "num_workers": WORKERS, "persistent_workers": True}
    return DataLoader(training, shuffle=True, **settings), DataLoader(validation, **settings)


def compile_for(model: nn.Module, training: DataLoader, validation: DataLoader) -> None:
    """Runs it once on each size of batch, as it will be run."""
    for loader, learns in ((training, True), (validation, False)):
        count = len(loader.dataset)
        sizes = {min(count, BATCH), count % BATCH or BATCH}
        for size in sorted(sizes, reverse=True):
            with torch.set_grad_enabled(learns):
                outputs = model(torch.rand(size, 3, *SIZE))
            if learns:
                outputs.sum().backward()
    model.zero_grad()


def train(options: argparse.Namespace) -> dict:
    features = pytorch_peer.pretrained_features(options.weights)
    model = Classifier(features, FROZEN_BLOCKS[options.frozen], classes=2).eval()
    model = model.to(memory_format=torch.channels_last)
    compiled = Compiled(model)
    both = loaders(options.data)
    compile_for(compiled, *both)
    optimizer = pytorch_peer.make_optimizer(model, options.frozen, fused=True)
    result = pytorch_peer.fit(compiled, both, optimizer, options.epochs)
    torch.save(model.state_dict(), options.model)
    return result


@torch.no_grad()
def predict(options: argparse.Namespace) -> dict:
    pictures = datasets.ImageFolder(options.data, PLAIN, loader=read)
    model = Classifier(models.mobilenet_v2().features, FROZEN_BLOCKS["all"], classes=2).eval()
    model.load_state_dict(torch.load(options.model, weights_only=True))
    model = model.to(memory_format=torch.channels_last)
    whole = nn.Sequential(model.features, model.head)
    compiled = torch.compile(whole, dynamic=False, options={"freezing": True})
    classes: list[int] = []
    for images, _ in DataLoader(pictures, batch_size=BATCH, num_workers=WORKERS):
        filled = nn.functional.pad(images, (0, 0) * 3 + (0, BATCH - len(images)))
        outputs = compiled(filled.contiguous(memory_format=torch.channels_last))
        classes += outputs[: len(images)].argmax(1).tolist()
    return pytorch_peer.write_predictions(options, [path for path, _ in pictures.samples], classes)


if __name__ == "__main__":
    pytorch_peer.main(train, predict, __doc__)
