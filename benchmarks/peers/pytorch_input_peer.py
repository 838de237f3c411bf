"""The input pipeline in PyTorch: ImageFolder, torchvision's v2 transforms, DataLoader. The best of
0 workers and one for each thread, and of two ways to read: torchvision's decode_image, and Pillow
with `draft`, which leaves out what the result does not need while it decodes a JPEG.

usage: pytorch_input_peer.py --data DIR --passes N --threads N --result FILE
"""

import os
from collections.abc import Callable, Iterable

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import input_job
import torch
import torchvision
from input_job import BATCH, SIDE, Batches, InputJob
from PIL import Image
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.io import ImageReadMode, decode_image
from torchvision.transforms import v2


def read_by_torchvision(path: str) -> torch.Tensor:
    return decode_image(path, mode=ImageReadMode.RGB)


def read_by_pillow(path: str) -> Image.Image:
    with Image.open(path) as image:
        image.draft("RGB", (SIDE, SIDE))
        return image.convert("RGB")


RESIZE_AND_FLIP = [v2.Resize((SIDE, SIDE)), v2.RandomHorizontalFlip()]


def settings(job: InputJob) -> dict[str, Batches]:
    torch.set_num_threads(job.threads)
    ways: dict[str, tuple[Callable, list]] = {
        "torchvision": (read_by_torchvision, RESIZE_AND_FLIP),
        "Pillow": (read_by_pillow, [*RESIZE_AND_FLIP, v2.PILToTensor()]),
    }
    found: dict[str, Batches] = {}
    for name, (read, transforms) in ways.items():
        pictures = ImageFolder(str(job.data), v2.Compose(transforms), loader=read)
        for workers in (0, job.threads):
            loader = DataLoader(
                pictures,
                batch_size=BATCH,
                shuffle=True,
                num_workers=workers,
                persistent_workers=workers > 0,
            )
            found[f"{name}, {workers} workers"] = _batches(loader)
    return found


def _batches(loader: DataLoader) -> Batches:
    def batches(passes: int) -> Iterable[int]:
        return (len(labels) for _ in range(passes) for _, labels in loader)

    return batches


if __name__ == "__main__":
    versions = f"PyTorch {torch.__version__}, torchvision {torchvision.__version__}"
    input_job.main(settings, versions, __doc__ or "")
