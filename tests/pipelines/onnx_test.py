#!/usr/bin/env python3
"""onnx_test.py WEIR: what `weir export --to onnx` writes, ONNX's checker accepts, and in ONNX
Runtime it gives the probabilities of `weir predict`.

The pictures are drawn ones, and where $WEIR_SHARED is there the seven samples. weir resizes them
into PNGs, which Pillow decodes: so both are fed the same bytes. Beside onnx and onnxruntime it takes
numpy and Pillow.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy
    import onnx
    import onnxruntime
    from PIL import Image
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

WEIR = Path(sys.argv[1]).resolve()
TOLERANCE = 1e-5  # of a probability: float32, summed in another order
# In int8 a byte that is rounded the other way moves those behind it: on the mean no further than
# int8 is from float32.
INT8_TOLERANCE = 0.05
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


class Exported:
    def __init__(self, run, name, *options):
        path = run / name
        weir("export", run, "--to", "onnx", "--out", path, *options)
        onnx.checker.check_model(path, full_check=True)
        self.model = onnx.load(path)
        settings = onnxruntime.SessionOptions()
        settings.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])

    def __call__(self, images):
        return self.session.run(["probabilities"], {"images": images})[0]

    def metadata(self):
        return {each.key: each.value for each in self.model.metadata_props}


def compare(what, given, wanted):
    difference = numpy.abs(given - wanted).max()
    others = int((given.argmax(1) != wanted.argmax(1)).sum())
    print(f"{what}: {len(given)} pictures, largest difference {difference:.2g}, {others} of another class")
    return difference, others


def main():
    os.chdir(scratch)
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
    failed = False
    for name in MODELS:
        try:
            train(name)
        except NoVnni:
            print(f"{name}: left out, as this CPU has no VNNI")
            continue
        check = check_int8 if name == "int8" else check_float32
        failed |= check(Path(name), originals, resized, pixels)
    return failed


def train(name):
    weights, frozen, head = MODELS[name]
    precision = "int8" if name == "int8" else "float32"
    Path(f"{name}.yaml").write_text(TRAINING.format(
        weights=weights, frozen=frozen, head=head, height=HEIGHT, width=WIDTH, precision=precision))
    weir("run", f"{name}.yaml", "--out", name)


def check_int8(run, originals, resized, pixels):
    wanted = in_order(predict(run, resized), resized)
    model = Exported(run, "int8.onnx")
    assert model.metadata()["precision"] == "int8"
    any_size = Exported(run, "any.onnx", "--input", "any-size")
    failed = False
    for what, given in {"a batch": model(pixels), "of any size, which this is": any_size(pixels)}.items():
        compare(f"{run}, {what}", given, wanted)
        failed |= bool(numpy.abs(given - wanted).mean() > INT8_TOLERANCE)
    exact = Exported(run, "exact.onnx", "--precision", "float32")
    compare(f"{run}, exported in float32", exact(pixels), wanted)
    print(weir("export", run, "--to", "onnx", "--check", "pictures"), end="")
    return failed


def check_float32(run, originals, resized, pixels):
    failed = False
    wanted = in_order(predict(run, resized), resized)
    described = json.loads((run / "model/model.json").read_text())
    folded = Exported(run, "folded.onnx")
    assert json.loads(folded.metadata()["classes"]) == described["classes"]
    assert not any(node.op_type == "BatchNormalization" for node in folded.model.graph.node)
    kept = Exported(run, "kept.onnx", "--keep-batch-norm")
    assert any(node.op_type == "BatchNormalization" for node in kept.model.graph.node)
    fed = Exported(run, "float.onnx", "--input", "float")
    scale, offset = (
        numpy.broadcast_to(numpy.float32(described["preprocessing"][key]), 3) for key in ("scale", "offset"))
    scaled = (pixels * scale + offset).transpose(0, 3, 1, 2)
    any_size = Exported(run, "any.onnx", "--input", "any-size")
    results = {
        "a batch": folded(pixels),
        "one by one": numpy.concatenate([folded(each[None]) for each in pixels]),
        "batch norms kept": kept(pixels),
        "already scaled": fed(numpy.ascontiguousarray(scaled, numpy.float32)),
        "of any size, which this is": any_size(pixels),
    }
    for what, given in results.items():
        difference, others = compare(f"{run}, {what}", given, wanted)
        failed |= bool(difference > TOLERANCE or others > 0)

    # Shown alone: weir shrinks JPEGs while it decodes them, and no two decoders agree to the bit.
    wanted = in_order(predict(run, originals), originals)
    images = [numpy.asarray(Image.open(path).convert("RGB")) for path in originals]
    resized_inside = numpy.concatenate([any_size(each[None]) for each in images])
    compare(f"{run}, resized inside", resized_inside, wanted)
    print(weir("export", run, "--to", "onnx", "--input", "any-size", "--check", "pictures"), end="")
    checked = weir("export", run, "--to", "onnx", "--force", "--check", "pictures")
    print(checked, end="")
    return failed or ", 0 of another class\n" not in checked


with tempfile.TemporaryDirectory() as folder:
    scratch = folder
    status = main()
    os.chdir("/")
sys.exit(status)
