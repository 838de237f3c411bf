"""What the tests of exported models share: runs of weir on drawn pictures, what it predicts, and the
same pictures in the model's size.

Where $WEIR_SHARED is there the seven samples are among them. weir resizes them into PNGs, which
Pillow decodes: so both are fed the same bytes. It takes numpy and Pillow, and begins in the root of
the tree.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
from PIL import Image

WEIR = Path(sys.argv[1]).resolve()
HEIGHT, WIDTH = 64, 96

TRAINING = """
threads: 2
memory: {{host: 1GiB}}
pipeline:
  - directory: {{path: pictures, validation_split: 0.25}}
  - decode
  - augment: {{size: [{height}, {width}]}}
  - batch: {{size: 8}}
  - prefetch: {{device: cpu}}
  - features: {{precision: {precision}}}
  - train
model:
  backbone: {{name: mobilenet_v2, width: 0.35, weights: {weights}}}
  frozen: {frozen}
  head: {head}
training: {{epochs: 1}}
"""

RESIZING = """
threads: 2
memory: {{host: 1GiB}}
pipeline:
  - list: {{file: list.txt}}
  - decode
  - augment: {{size: [{height}, {width}]}}
  - encode: {{format: png}}
  - webdataset_writer: {{folder: resized}}
"""

WEIGHTS = Path("configs/demo_weights.safetensors").resolve()
MODELS = {
    "frozen": (WEIGHTS, "all", "[global_average_pooling, dense: {units: classes, activation: softmax}]"),
    "suffix": (
        WEIGHTS,
        "{through: block_11}",
        "[batch_norm, global_max_pooling, batch_norm, dropout: {rate: 0.2}, "
        "dense: {units: 16, activation: relu6}, batch_norm, dense: {units: classes}]",
    ),
    "int8": (
        WEIGHTS, "all", "[global_average_pooling, dense: {units: classes, activation: softmax}]"),
    "flat": ("none", "none", "[flatten, dense: {units: 8, activation: tanh}, dense: {units: classes}]"),
}


class NoVnni(Exception):
    pass


def weir(*arguments):
    done = subprocess.run([WEIR, *arguments], capture_output=True, text=True)
    if "precision: int8 needs a CPU with VNNI" in done.stderr:
        raise NoVnni
    if done.returncode != 0:
        sys.exit(f"weir {' '.join(map(str, arguments))}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def predict(run, pictures):
    """The probabilities of each picture by path, in the order of the model's classes."""
    classes = json.loads((run / "model/model.json").read_text())["classes"]
    predicted = {}
    for line in weir("predict", run, "--json", "--top", str(len(classes)), *pictures).splitlines():
        row = json.loads(line)
        by_class = {each["class"]: each["probability"] for each in row["predictions"]}
        predicted[row["path"]] = numpy.array([by_class[name] for name in classes], numpy.float32)
    return predicted


def in_order(predicted, paths):
    return numpy.stack([predicted[str(path)] for path in paths])


def compare(what, given, wanted):
    difference = numpy.abs(given - wanted).max()
    others = int((given.argmax(1) != wanted.argmax(1)).sum())
    print(f"{what}: {len(given)} pictures, largest difference {difference:.2g}, {others} of another class")
    return difference, others


def draw():
    """Draws pictures/, and gives the paths of some as they are, the paths resized, and their pixels."""
    weir("draw", "pictures", "--per-class", "8")
    originals = sorted(Path("pictures").rglob("*.jpg"))[::8]
    shared = Path(os.environ.get("WEIR_SHARED", "")) / "data/imagenet_samples"
    if "WEIR_SHARED" in os.environ and shared.is_dir():
        originals += sorted(shared.iterdir())
    Path("list.txt").write_text("".join(f"{path.resolve()}\n" for path in originals))
    Path("resize.yaml").write_text(RESIZING.format(height=HEIGHT, width=WIDTH))
    weir("run", "resize.yaml", "--out", "resizing")
    subprocess.run("cat resized/*.tar | tar -x --ignore-zeros -C resized", shell=True, check=True)
    resized = sorted(Path("resized").rglob("*.png"))
    assert len(resized) == len(originals), (resized, originals)
    pixels = numpy.stack([numpy.asarray(Image.open(path).convert("RGB")) for path in resized])
    return originals, resized, pixels


def train(name):
    weights, frozen, head = MODELS[name]
    precision = "int8" if name == "int8" else "float32"
    Path(f"{name}.yaml").write_text(TRAINING.format(
        weights=weights, frozen=frozen, head=head, height=HEIGHT, width=WIDTH, precision=precision))
    weir("run", f"{name}.yaml", "--out", name)


def check_models(check_float32, check_int8):
    """Trains each model and has it checked, in a folder that is then removed; gives whether one failed.

    A check takes the folder of the run, the paths of pictures, those of the same ones in the model's
    size, and the pixels of these.
    """
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        pictures = draw()
        for name in MODELS:
            try:
                train(name)
            except NoVnni:
                print(f"{name}: left out, as this CPU has no VNNI")
                continue
            check = check_int8 if name == "int8" else check_float32
            failed |= check(Path(name), *pictures)
        os.chdir("/")
    return failed
