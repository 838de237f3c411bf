#!/usr/bin/env python3
"""onnx_test.py WEIR: what `weir export --to onnx` writes, ONNX's checker accepts, and in ONNX
Runtime it gives the probabilities of `weir predict`.

Beside onnx and onnxruntime it takes numpy and Pillow.
"""

import json
import sys

try:
    import numpy
    import onnx
    import onnxruntime
    from PIL import Image

    sys.dont_write_bytecode = True
    from exported_models import check_models, compare, in_order, predict, weir
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

TOLERANCE = 1e-5  # of a probability: float32, summed in another order
# In int8 a byte that is rounded the other way moves those behind it: on the mean no further than
# int8 is from float32.
INT8_TOLERANCE = 0.05


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


sys.exit(check_models(check_float32, check_int8))
