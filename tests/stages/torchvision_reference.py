#!/usr/bin/env python3
"""Writes torchvision_reference.safetensors: what torchvision makes of two small pictures.

Needs torch, torchvision and safetensors; run it anew where an operation is added:

  tests/stages/torchvision_reference.py

Each tensor is called "<picture>/<operation> <arguments>" and is uint8 [H, W, 3], as are the pictures
themselves, "<picture>".
"""

from pathlib import Path

import torch
import torchvision
from safetensors.torch import save_file
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F


def pictures() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    noise = torch.randint(0, 256, (3, 24, 31), generator=generator, dtype=torch.uint8)
    rows = torch.linspace(0, 1, 40)[:, None].expand(40, 28)
    columns = torch.linspace(0, 1, 28)[None, :].expand(40, 28)
    smooth = torch.stack([rows, columns, 1 - rows * columns])
    return {"noise": noise, "smooth": (smooth * 255).round().to(torch.uint8)}


def results(picture: torch.Tensor) -> dict[str, torch.Tensor]:
    made = {"grayscale": F.rgb_to_grayscale(picture, num_output_channels=3)}
    for factor in (0.0, 0.5, 1.0, 1.7):
        made[f"brightness {factor}"] = F.adjust_brightness(picture, factor)
        made[f"contrast {factor}"] = F.adjust_contrast(picture, factor)
        made[f"saturation {factor}"] = F.adjust_saturation(picture, factor)
    for turn in (-0.5, -0.1, 0.0, 0.25):
        made[f"hue {turn}"] = F.adjust_hue(picture, turn)
    for size in ((10, 12), (11, 15), (24, 28), (50, 45), (13, 60)):
        made[f"center_crop {size[0]} {size[1]}"] = F.center_crop(picture, list(size))
    for box in ((0, 0, 24, 28), (3, 5, 17, 20), (10, 1, 9, 26)):
        for size in ((8, 9), (33, 30)):
            name = "resized_crop " + " ".join(map(str, (*box, *size)))
            made[name] = F.resized_crop(
                picture, *box, list(size), interpolation=InterpolationMode.BILINEAR, antialias=True
            )
    return made


def main() -> None:
    tensors = {}
    for name, picture in pictures().items():
        tensors[name] = picture
        for operation, result in results(picture).items():
            tensors[f"{name}/{operation}"] = result
    tensors = {key: value.permute(1, 2, 0).contiguous() for key, value in tensors.items()}
    path = Path(__file__).with_suffix(".safetensors")
    save_file(tensors, path, metadata={"torchvision": torchvision.__version__})


main()
