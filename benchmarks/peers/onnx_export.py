"""Writes torchvision's MobileNetV2 as an ONNX file for batches of any size: the backbone and the
pooling behind it, [N, 3, 224, 224] to [N, 1280].

usage: onnx_export.py WEIGHTS OUTPUT
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import torch
from torch import nn
from torchvision import models


def main(weights: Path, output: Path) -> None:
    network = models.mobilenet_v2()
    network.load_state_dict(torch.load(weights, weights_only=True))
    backbone = nn.Sequential(network.features, nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    torch.onnx.export(
        backbone,
        (torch.rand(2, 3, 224, 224),),
        output,
        input_names=["pictures"],
        output_names=["features"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        external_data=False,
    )


main(Path(sys.argv[1]), Path(sys.argv[2]))
