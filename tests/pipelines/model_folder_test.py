#!/usr/bin/env python3
"""model_folder_test.py WEIR: who knows the section "The folder model/" of the README alone can read
what a run leaves there, and comes to the probabilities of `weir predict`.

The reader below is that section in numpy, and knows nothing else of weir. The pictures are PNGs of
the model's size, so that nothing is resized.
"""

import json
import math
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

try:
    import numpy
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

WEIR = Path(sys.argv[1]).resolve()
TOLERANCE = 1e-5  # of a probability: float32, summed in another order
SIZE = (64, 96)
PICTURES = 6


# --- the reader -----------------------------------------------------------------------------------

BLOCKS = [(1, 1), (6, 2), (6, 1), (6, 2), (6, 1), (6, 1), (6, 2), (6, 1), (6, 1), (6, 1), (6, 1), (6, 1), (6, 1),
          (6, 2), (6, 1), (6, 1), (6, 1)]  # expansion and stride of features.1 to features.17


def read_safetensors(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    tensors = {}
    for name, tensor in header.items():
        if name == "__metadata__":
            continue
        begin, end = (8 + length + offset for offset in tensor["data_offsets"])
        tensors[name] = numpy.frombuffer(data[begin:end], "<f4").reshape(tensor["shape"])
    return tensors


def relu6(x):
    return numpy.clip(x, 0, 6)


FUNCTIONS = {
    "linear": lambda x: x,
    "relu": lambda x: numpy.maximum(x, 0),
    "relu6": relu6,
    "sigmoid": lambda x: 1 / (1 + numpy.exp(-x)),
    "tanh": numpy.tanh,
    "softmax": lambda x: numpy.exp(x - x.max()) / numpy.exp(x - x.max()).sum(),
}


class Model:
    def __init__(self, folder):
        self.of = json.loads((folder / "model.json").read_text())
        assert self.of["version"] == 1 and self.of["backbone"]["name"] == "mobilenet_v2"
        self.weights = read_safetensors(folder / "model.safetensors")

    def pads(self, size, stride):
        if self.of["convention"]["padding"] == "symmetric":
            return 1, 1
        total = max((math.ceil(size / stride) - 1) * stride + 3 - size, 0)
        return total // 2, total - total // 2

    def normal(self, x, name, epsilon):
        weight, bias, mean, variance = (
            self.weights[f"{name}.{each}"] for each in ("weight", "bias", "running_mean", "running_var"))
        return weight * (x - mean) / numpy.sqrt(variance + epsilon) + bias

    def convolve(self, x, kernel, stride, depthwise=False):
        side = kernel.shape[2]
        if side > 1:
            x = numpy.pad(x, (self.pads(x.shape[0], stride), self.pads(x.shape[1], stride), (0, 0)))
        windows = numpy.lib.stride_tricks.sliding_window_view(x, (side, side), (0, 1))[::stride, ::stride]
        if depthwise:
            return numpy.einsum("yxcij,cij->yxc", windows, kernel[:, 0])
        return numpy.einsum("yxcij,ocij->yxo", windows, kernel, optimize=True)

    def layer(self, x, convolution, norm, stride=1, depthwise=False):
        x = self.convolve(x, self.weights[f"{convolution}.weight"], stride, depthwise)
        return self.normal(x, norm, self.of["convention"]["batch_norm_epsilon"])

    def backbone(self, x):
        x = relu6(self.layer(x, "features.0.0", "features.0.1", stride=2))
        for i, (expansion, stride) in enumerate(BLOCKS, 1):
            block, at = f"features.{i}.conv", 0
            before = x
            if expansion > 1:
                x = relu6(self.layer(x, f"{block}.0.0", f"{block}.0.1"))
                at = 1
            x = relu6(self.layer(x, f"{block}.{at}.0", f"{block}.{at}.1", stride, depthwise=True))
            x = self.layer(x, f"{block}.{at + 1}", f"{block}.{at + 2}")
            if stride == 1 and before.shape == x.shape:
                x = x + before
        return relu6(self.layer(x, "features.18.0", "features.18.1"))

    def head(self, x):
        last = ""
        for i, layer in enumerate(self.of["head"]):
            name, settings = (layer, {}) if isinstance(layer, str) else next(iter(layer.items()))
            if name == "global_average_pooling":
                x = x.mean((0, 1))
            elif name == "global_max_pooling":
                x = x.max((0, 1))
            elif name == "flatten":
                x = x.reshape(-1)
            elif name == "batch_norm":
                x = self.normal(x, f"head.{i}", settings["epsilon"])
            elif name == "dense":
                last = settings["activation"]
                x = FUNCTIONS[last](self.weights[f"head.{i}.weight"] @ x + self.weights[f"head.{i}.bias"])
            else:
                assert name == "dropout", name
        return x if last == "softmax" else FUNCTIONS["softmax"](x)

    def probabilities(self, picture):
        scale, offset = (numpy.array(self.of["preprocessing"][each]) for each in ("scale", "offset"))
        return self.head(self.backbone(picture.astype(numpy.float64) * scale + offset))


# --- the test -------------------------------------------------------------------------------------

WEIGHTS = Path("configs/demo_weights.safetensors").resolve()
MODELS = {  # the weights, what is frozen, and the head
    "frozen": (WEIGHTS, "all", "[global_average_pooling, dense: {units: classes, activation: softmax}]"),
    "learnt": (WEIGHTS, "{through: block_11}",
               "[batch_norm, global_max_pooling, batch_norm: {epsilon: 0.01}, dropout, "
               "dense: {units: 16, activation: relu6}, batch_norm, dense: {units: classes}]"),
    "keras": (f"{WEIGHTS}, convention: keras", "all",
              "[flatten, dense: {units: 8, activation: tanh}, dense: {units: classes}]"),
}
TRAINING = """
memory: {{host: 1GiB}}
pipeline:
  - directory: {{path: drawn, validation_split: 0.25}}
  - decode
  - augment: {{size: [{height}, {width}]}}
  - batch: {{size: 8}}
  - features
  - train
model:
  backbone: {{name: mobilenet_v2, width: 0.35, weights: {weights}}}
  frozen: {frozen}
  head: {head}
training: {{epochs: 1}}
"""


def run(*words):
    done = subprocess.run([WEIR, *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"weir {' '.join(map(str, words))}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def write_png(path, picture):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height, width, _ = picture.shape
    rows = b"".join(b"\0" + row.tobytes() for row in picture)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)) +
                     chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def draw(seed):
    """Coarse squares of chance, so that classes are told apart by more than noise."""
    coarse = numpy.random.default_rng(seed).integers(0, 256, (SIZE[0] // 8, SIZE[1] // 8, 3), numpy.uint8)
    return coarse.repeat(8, 0).repeat(8, 1)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        run("draw", folder / "drawn", "--per-class", "12")
        (folder / "pictures").mkdir()
        pictures = {f"{seed}.png": draw(seed) for seed in range(PICTURES)}
        for name, picture in pictures.items():
            write_png(folder / "pictures" / name, picture)
        for name, (weights, frozen, head) in MODELS.items():
            (folder / f"{name}.yaml").write_text(TRAINING.format(
                height=SIZE[0], width=SIZE[1], weights=weights, frozen=frozen, head=head))
            run("run", folder / f"{name}.yaml", "--out", folder / name)
            model = Model(folder / name / "model")
            largest = 0
            lines = run("predict", folder / name, folder / "pictures", "--json", "--top", "6").splitlines()
            assert len(lines) == PICTURES, lines
            for line in map(json.loads, lines):
                ours = model.probabilities(pictures[Path(line["path"]).name])
                given = {each["class"]: each["probability"] for each in line["predictions"]}
                theirs = [given[each] for each in model.of["classes"]]
                largest = max(largest, float(numpy.abs(ours - theirs).max()))
            print(f"{name}: the largest difference of a probability is {largest:.2g}")
            if not largest < TOLERANCE:
                sys.exit(1)


main()
