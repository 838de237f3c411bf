#!/usr/bin/env python3
"""weights_export_test.py WEIR FORMAT: what `weir export --to FORMAT` writes is loaded by the program
that it prints, in the library that the weights are for, and gives the probabilities of `weir
predict` over drawn pictures, as `--check` measures them.
"""

import importlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

# What each format needs of Python, and what its files may end in.
NEEDS = {"keras": ["keras"], "torchvision": ["torchvision", "safetensors.torch"]}
ENDINGS = {"keras": [".weights.h5"], "torchvision": [".pth", ".safetensors"]}
HEADS = {
    "usual": "[global_average_pooling, dense: {units: classes, activation: softmax}]",
    "long": "[global_average_pooling, batch_norm, dropout: {rate: 0.2}, dense: {units: 16, activation: "
            "relu6}, batch_norm: {epsilon: 0.01}, dense: {units: 8, activation: tanh}, dense: {units: classes}]",
    "flat": "[flatten, dense: {units: 8, activation: sigmoid}, dense: {units: classes}]",
}
CASES = {  # padding, height, width, head, frozen
    "keras": [
        ("keras", 64, 96, "usual", "all"),
        ("keras", 65, 96, "long", "{through: block_11}"),
        ("keras", 64, 64, "flat", "none"),
        ("torchvision", 65, 97, "usual", "all"),  # of odd sides, where the paddings are one
    ],
    "torchvision": [
        ("torchvision", 64, 96, "usual", "all"),
        ("torchvision", 65, 96, "long", "{through: block_11}"),
        ("keras", 65, 96, "usual", "none"),
    ],
}
TOLERANCE = 1e-5  # of a probability: float32, summed in another order

TRAINING = """
threads: 2
memory: {{host: 1GiB}}
pipeline:
  - directory: {{path: pictures, validation_split: 0.25}}
  - decode
  - augment: {{size: [{height}, {width}]}}
  - batch: {{size: 8}}
  - prefetch: {{device: cpu}}
  - features
  - train
model:
  backbone: {{name: mobilenet_v2, width: 0.35, weights: {weights}, convention: {convention}}}
  frozen: {frozen}
  head: {head}
training: {{epochs: 1}}
"""

weir, to = Path(sys.argv[1]).resolve(), sys.argv[2]
weights = Path("configs/demo_weights.safetensors").resolve()
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
try:
    for module in NEEDS[to]:
        importlib.import_module(module)
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)


def run(*arguments):
    done = subprocess.run([weir, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"weir {' '.join(map(str, arguments))}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def largest_difference(printed):
    found = re.search(r"(\d+) pictures .* probability is (\S+) .*, (\d+) of another class", printed)
    assert found and int(found[1]) > 0, printed
    return float(found[2]), int(found[3])


def main():
    run("draw", "pictures", "--per-class", "8")
    failed = False
    for number, (convention, height, width, head, frozen) in enumerate(CASES[to]):
        Path("job.yaml").write_text(TRAINING.format(
            height=height, width=width, weights=weights, convention=convention, frozen=frozen, head=HEADS[head]))
        run("run", "job.yaml", "--out", f"run{number}")
        for ending in ENDINGS[to]:
            name = f"model{number}{ending}"
            printed = run("export", f"run{number}", "--to", to, "--out", name, "--check", "pictures")
            difference, others = largest_difference(printed)
            print(f"{name}, {convention}, {height} x {width}, {head}: {difference}, {others} of another class")
            failed |= difference > TOLERANCE or others > 0
            if number == 0:
                load(printed)
    return failed


def load(printed):
    """Runs the program that was printed, as somebody does who copies it."""
    program = printed.split("\n\n", 1)[1].rsplit("\n\n", 1)[0]
    subprocess.run([sys.executable, "-c", program], check=True, stderr=subprocess.DEVNULL)


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    status = main()
    os.chdir("/")
sys.exit(status)
