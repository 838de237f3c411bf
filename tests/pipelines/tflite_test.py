#!/usr/bin/env python3
"""tflite_test.py WEIR: what `weir export --to tflite` writes, LiteRT runs and comes to the
probabilities of `weir predict`, and its labels are found where the Task Library looks for them.

Beside ai-edge-litert it takes numpy and Pillow; with tflite-support its metadata are read, too.
"""

import json
import sys
import zipfile

try:
    import numpy
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    sys.dont_write_bytecode = True
    from exported_models import check_models, compare, in_order, predict, weir
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)
try:
    from tflite_support import metadata
except ImportError as missing:
    print(f"the metadata are left out: {missing}")
    metadata = None

TOLERANCE = 1e-5  # of a probability: float32, summed in another order
# In int8 a byte that is rounded the other way moves those behind it: on the mean no further than
# int8 is from float32.
INT8_TOLERANCE = 0.05
KERNELS = {"XNNPACK": OpResolverType.AUTO, "LiteRT": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES}


class Exported:
    def __init__(self, run, name, *options):
        self.path = run / name
        weir("export", run, "--to", "tflite", "--out", self.path, *options)

    def __call__(self, images, kernels="XNNPACK", batch=None):
        """So many pictures at a time; one at a time as the file stands, without resizing."""
        interpreter = Interpreter(
            str(self.path), num_threads=2, experimental_op_resolver_type=KERNELS[kernels])
        fed, given = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
        batch = batch or len(images)
        if batch > 1:
            interpreter.resize_tensor_input(fed["index"], [batch, *images.shape[1:]], strict=True)
        interpreter.allocate_tensors()
        probabilities = []
        for first in range(0, len(images), batch):
            interpreter.set_tensor(fed["index"], images[first:first + batch])
            interpreter.invoke()
            probabilities.append(interpreter.get_tensor(given["index"]))
        return numpy.concatenate(probabilities)

    def by_signature(self, images):
        runner = Interpreter(str(self.path)).get_signature_runner("serving_default")
        return numpy.concatenate([runner(images=each[None])["probabilities"] for each in images])

    def labels(self):
        with zipfile.ZipFile(self.path) as archive:
            assert archive.testzip() is None
            return archive.read("labels.txt").decode().splitlines()


def check_metadata(model, classes, std):
    """As tflite-support shows them."""
    if metadata is None:
        return
    shown = metadata.MetadataDisplayer.with_model_file(str(model.path))
    assert shown.get_associated_file_buffer("labels.txt").decode().splitlines() == classes
    tensors = json.loads(shown.get_metadata_json())["subgraph_metadata"][0]
    [files] = [each["associated_files"] for each in tensors["output_tensor_metadata"]]
    assert [each["type"] for each in files] == ["TENSOR_AXIS_LABELS"], files
    [unit] = tensors["input_tensor_metadata"][0]["process_units"]
    assert numpy.allclose(unit["options"]["std"], std, rtol=1e-5), unit


def check_int8(run, originals, resized, pixels):
    wanted = in_order(predict(run, resized), resized)
    model = Exported(run, "int8.tflite")
    failed = False
    for kernels in KERNELS:
        given = model(pixels, kernels)
        compare(f"{run}, {kernels}", given, wanted)
        failed |= bool(numpy.abs(given - wanted).mean() > INT8_TOLERANCE)
    exact = Exported(run, "exact.tflite", "--precision", "float32")
    compare(f"{run}, exported in float32", exact(pixels), wanted)
    print(weir("export", run, "--to", "tflite", "--check", "pictures"), end="")
    return failed


def check_float32(run, originals, resized, pixels):
    wanted = in_order(predict(run, resized), resized)
    described = json.loads((run / "model/model.json").read_text())
    folded = Exported(run, "folded.tflite")
    assert folded.labels() == described["classes"]
    check_metadata(folded, folded.labels(), 1)
    kept = Exported(run, "kept.tflite", "--keep-batch-norm")
    fed = Exported(run, "float.tflite", "--input", "float")
    scale, offset = (
        numpy.broadcast_to(numpy.float32(described["preprocessing"][key]), 3) for key in ("scale", "offset"))
    check_metadata(fed, folded.labels(), 1 / scale)
    results = {
        "a batch": folded(pixels),
        "a batch, LiteRT's own kernels": folded(pixels, "LiteRT"),
        "one by one": folded(pixels, batch=1),
        "by the signature": folded.by_signature(pixels),
        "batch norms kept": kept(pixels),
        "already scaled": fed(pixels * scale + offset),
    }
    failed = False
    for what, given in results.items():
        difference, others = compare(f"{run}, {what}", given, wanted)
        failed |= bool(difference > TOLERANCE or others > 0)
    checked = weir("export", run, "--to", "tflite", "--check", "pictures")
    checked += weir("export", run, "--to", "tflite", "--input", "float", "--force", "--check", "pictures")
    print(checked, end="")
    return failed or checked.count(", 0 of another class\n") != 2


sys.exit(check_models(check_float32, check_int8))
