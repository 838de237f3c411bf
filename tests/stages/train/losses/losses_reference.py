#!/usr/bin/env python3
"""Writes losses_reference.safetensors: losses of a few pictures and their gradients by autograd in float64.

Needs torch, keras and safetensors; run it anew where a loss is added:

  tests/stages/train/losses/losses_reference.py

"logits" is [pictures, classes], "labels" [pictures] and "mixtures" [pictures, classes], the parts of each
class; the first pictures have one part alone. For each loss there are "<loss>/loss", [pictures],
and "<loss>/gradient", [pictures, classes]; "<loss>/weighted loss" and "<loss>/weighted gradient" are those
of pictures whose classes weigh "weights". A loss is called "<name> <parameter> ...".

float64 is stored as float32 and the rest, "<name>" and "<name>/rest".
"""

import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch
from safetensors.torch import save_file

CLASSES, PICTURES, PLAIN = 5, 24, 12


def smoothed(targets: torch.Tensor, smoothing: float) -> torch.Tensor:
    """Spreads as Keras and PyTorch do, a part of each picture's whole weight."""
    return targets * (1 - smoothing) + targets.sum(1, keepdim=True) * smoothing / targets.shape[1]


def cross_entropy(logits, targets, smoothing):
    return -(smoothed(targets, smoothing) * torch.log_softmax(logits, 1)).sum(1)


def focal(logits, targets, gamma, alpha, smoothing):
    """Keras 3's CategoricalFocalCrossentropy(from_logits=True) without the clipping."""
    log_p = torch.log_softmax(logits, 1)
    modulation = torch.pow(-torch.expm1(log_p), gamma) if gamma else torch.ones_like(log_p)
    return -(alpha * modulation * smoothed(targets, smoothing) * log_p).sum(1)


LOSSES = {
    "categorical_crossentropy 0": lambda z, t: cross_entropy(z, t, 0.0),
    "categorical_crossentropy 0.1": lambda z, t: cross_entropy(z, t, 0.1),
    "focal 2 0.25 0": lambda z, t: focal(z, t, 2.0, 0.25, 0.0),
    "focal 2 0.25 0.1": lambda z, t: focal(z, t, 2.0, 0.25, 0.1),
    "focal 0.5 1 0": lambda z, t: focal(z, t, 0.5, 1.0, 0.0),
    "focal 0 1 0.2": lambda z, t: focal(z, t, 0.0, 1.0, 0.2),
}


def check_formulas(logits, targets) -> None:
    """The two above against those of PyTorch and of Keras, of pictures that Keras does not clip."""
    ours = cross_entropy(logits, targets, 0.1)
    theirs = torch.nn.functional.cross_entropy(logits, targets, label_smoothing=0.1, reduction="none")
    print(f"cross-entropy: within {(ours - theirs).abs().max():.1e} of torch {torch.__version__}")
    torch.testing.assert_close(ours, theirs)
    for gamma, alpha, smoothing in ((2.0, 0.25, 0.0), (2.0, 0.25, 0.1), (0.5, 1.0, 0.0)):
        ours = focal(logits, targets, gamma, alpha, smoothing)
        theirs = keras.losses.CategoricalFocalCrossentropy(
            alpha, gamma, from_logits=True, label_smoothing=smoothing, reduction=None, dtype="float64"
        )(targets, logits)
        print(f"focal: within {(ours - theirs).abs().max():.1e} of keras {keras.__version__}")
        torch.testing.assert_close(ours, theirs)


def main() -> None:
    generator = torch.Generator().manual_seed(3)
    logits = (torch.randn(PICTURES, CLASSES, generator=generator) * 4).float()
    logits[0] = torch.tensor([60.0, 0, 0, 0, 0])  # sure, and right or wrong
    logits[1] = torch.tensor([60.0, 0, 0, 0, 0])
    labels = torch.randint(0, CLASSES, (PICTURES,), generator=generator)
    labels[0], labels[1] = 0, 3
    mixtures = torch.nn.functional.one_hot(labels, CLASSES).double()
    for picture in range(PLAIN, PICTURES):
        other = (int(labels[picture]) + 1 + picture % (CLASSES - 1)) % CLASSES
        part = 0.5 + (picture - PLAIN) / 32
        mixtures[picture] = 0
        mixtures[picture, labels[picture]] = part
        mixtures[picture, other] = 1 - part
    check_formulas(logits[2:].double(), mixtures[2:])
    weights = torch.tensor([0.25, 1.0, 3.5, 0.01, 2.0], dtype=torch.float64)
    values = {"mixtures": mixtures, "weights": weights}
    for name, loss in LOSSES.items():
        for prefix, targets in (("", mixtures), ("weighted ", mixtures * weights)):
            inputs = logits.double().requires_grad_()
            losses = loss(inputs, targets)
            losses.sum().backward()
            values[f"{name}/{prefix}loss"] = losses.detach()
            values[f"{name}/{prefix}gradient"] = inputs.grad
    tensors = {"logits": logits, "labels": labels.float()}
    for name, value in values.items():
        tensors[name] = value.float()
        tensors[f"{name}/rest"] = (value - value.float().double()).float()
    tensors = {name: value.contiguous() for name, value in tensors.items()}
    save_file(tensors, Path(__file__).with_name("losses_reference.safetensors"),
              {"versions": f"torch {torch.__version__}"})
    print(f"torch {torch.__version__}: {len(tensors)} tensors")


if __name__ == "__main__":
    main()
