"""What the command lines of the harnesses share."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from peers.environments import HERE, SetUpFailed

ROOT = HERE.parents[1]
CACHE = Path.home() / ".cache/weir-benchmarks"
SHARED = Path(os.environ.get("WEIR_SHARED", ROOT.parent / "shared"))
KERAS_WEIGHTS = "weights/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"
PYTORCH_WEIGHTS = "weights/mobilenet_v2_imagenet.pth"


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, 1 or more")
    return int(text)


def some_of(known: Sequence[str]) -> Callable[[str], list[str]]:
    """Reads names with commas between them."""

    def read(text: str) -> list[str]:
        names = text.split(",")
        if unknown := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(known)}")
        return names

    return read


def check_shared(shared: Path) -> None:
    for path in (KERAS_WEIGHTS, PYTORCH_WEIGHTS, "data/hymenoptera/train"):
        if not (shared / path).exists():
            raise SetUpFailed(
                f"{shared / path} is not there; name the folder of pictures and weights "
                "with --shared"
            )
