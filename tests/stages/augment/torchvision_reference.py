#!/usr/bin/env python3
"""Writes torchvision_reference.safetensors: what torchvision makes of three small pictures, and
torchvision_mixtures.safetensors: of a batch of three, one of each class.

Needs torch, torchvision and safetensors; run it anew where an operation is added:

  tests/stages/augment/torchvision_reference.py

Each tensor is called "<picture>/<operation> <arguments>" and is uint8 [H, W, 3], as are the pictures
themselves, "<picture>"; but "<picture>/normalize" is float32. RandAugment's operations have its names
for them, and its step of the magnitude with the sign: "ShearX -9".

Mixtures are called "mixup <part>" and "cutmix <top> <left> <height> <width>", float32 [3, H, W, 3], their
labels "<mixture> labels", [3, 3]; the batch itself "pictures".
"""

from pathlib import Path

import torch
import torchvision
from safetensors.torch import save_file
from torchvision.transforms.v2 import CutMix, InterpolationMode, MixUp, RandAugment
from torchvision.transforms.v2 import functional as F


def pictures() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    noise = torch.randint(0, 256, (3, 24, 31), generator=generator, dtype=torch.uint8)
    rows = torch.linspace(0, 1, 40)[:, None].expand(40, 28)
    columns = torch.linspace(0, 1, 28)[None, :].expand(40, 28)
    smooth = torch.stack([rows, columns, 1 - rows * columns])
    dull = torch.full((3, 33, 29), 77, dtype=torch.uint8)  # a flat, a narrow and a dark channel
    dull[1] = torch.randint(90, 140, (33, 29), generator=generator, dtype=torch.uint8)
    dull[2] = torch.arange(29, dtype=torch.uint8) * 3
    return {"noise": noise, "smooth": (smooth * 255).round().to(torch.uint8), "dull": dull}


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
    made["normalize"] = F.normalize(
        F.to_dtype(picture, torch.float32, scale=True), [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    )
    return made | rand_augmented(picture)


class OneOperation(RandAugment):
    """RandAugment with nothing left to chance: one operation, and its sign."""

    def __init__(self, name: str, step: int, sign: int) -> None:
        super().__init__(num_ops=1, magnitude=step, fill=[10.0, 200.0, 30.0])
        self.name, self.sign = name, sign

    def _get_random_item(self, dct):
        magnitudes, _ = dct[self.name]

        def of_sign(*size):
            steps = magnitudes(*size)
            return steps if steps is None else steps * self.sign

        return self.name, (of_sign, False)


def rand_augmented(picture: torch.Tensor) -> dict[str, torch.Tensor]:
    made = {}
    for name, (_, is_signed) in RandAugment._AUGMENTATION_SPACE.items():
        if name == "Identity":
            continue
        if is_signed:
            steps = [sign * step for step in (9, 12, 30) for sign in (1, -1)]
        elif name == "Solarize":
            steps = [0, 3, 6, 9, 16, 20, 26, 30]
        elif name == "Posterize":
            steps = [0, 4, 9, 17, 30]
        else:
            steps = [0]
        for step in steps:
            made[f"{name} {step}"] = OneOperation(name, abs(step), 1 if step >= 0 else -1)(picture)
    return made


class FixedPart:
    """In the place of the distribution that the part is drawn from."""

    def __init__(self, part: float) -> None:
        self.part = part

    def sample(self, _) -> torch.Tensor:
        return torch.tensor(self.part)


class NamedCutMix(CutMix):
    """Tells the box that it drew."""

    def make_params(self, flat_inputs):
        params = super().make_params(flat_inputs)
        left, top, right, bottom = params["box"]
        self.name = f"cutmix {top} {left} {bottom - top} {right - left}"
        return params


def mixtures() -> dict[str, torch.Tensor]:
    first = pictures()["noise"]
    batch = torch.stack([first, first.flip(-1), 255 - first])
    labels = torch.arange(3)
    made = {"pictures": batch}
    for part in (0.0, 0.3, 0.5, 0.91, 1.0):
        mixup = MixUp(num_classes=3)
        mixup._dist = FixedPart(part)
        mixed, targets = mixup(batch.float(), labels)
        made[f"mixup {part}"], made[f"mixup {part} labels"] = mixed, targets
    torch.manual_seed(1)
    for part in (0.2, 0.5, 0.5, 0.8):
        cutmix = NamedCutMix(num_classes=3)
        cutmix._dist = FixedPart(part)
        mixed, targets = cutmix(batch.float(), labels)
        made[cutmix.name], made[f"{cutmix.name} labels"] = mixed, targets
    return {
        key: value.movedim(1, -1).contiguous() if value.ndim == 4 else value
        for key, value in made.items()
    }


def main() -> None:
    tensors = {}
    for name, picture in pictures().items():
        tensors[name] = picture
        for operation, result in results(picture).items():
            tensors[f"{name}/{operation}"] = result
    tensors = {key: value.permute(1, 2, 0).contiguous() for key, value in tensors.items()}
    path = Path(__file__).with_suffix(".safetensors")
    metadata = {"torchvision": torchvision.__version__}
    save_file(tensors, path, metadata=metadata)
    save_file(mixtures(), path.with_name("torchvision_mixtures.safetensors"), metadata=metadata)


main()
