#!/usr/bin/env python3
"""torchscript_test.py WEIR: what `weir export --to torchscript` writes, PyTorch loads, and comes to
the probabilities of `weir predict`.

Beside torch it takes numpy and Pillow.
"""

import io
import json
import subprocess
import sys
import warnings

try:
    import numpy
    import torch
    from PIL import Image

    sys.dont_write_bytecode = True
    from exported_models import WEIR, check_models, compare, in_order, predict, weir
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

warnings.simplefilter("ignore", FutureWarning)  # that torch.export is there beside torch.jit
TOLERANCE = 1e-5  # for a probability: float32, summed in another order
# PyTorch and weir resize with one filter, and where they add in another order round some bytes the
# other way.
RESIZED_TOLERANCE = 2e-3


class Exported:
    def __init__(self, run, name, *options):
        self.texts = {key: "" for key in ("classes", "preprocessing", "weir_version", "weights_sha256")}
        self.path = run / name
        weir("export", run, "--to", "torchscript", "--out", self.path, *options)
        self.module = torch.jit.load(str(self.path), _extra_files=self.texts).eval()

    def __call__(self, images, module=None):
        with torch.inference_mode():
            return (module or self.module)(torch.tensor(images)).numpy()


def check_int8(run, originals, resized, pixels):
    refused = subprocess.run([WEIR, "export", run, "--to", "torchscript"], capture_output=True, text=True)
    assert refused.returncode == 2 and "writes float32 alone" in refused.stderr, refused
    wanted = in_order(predict(run, resized), resized)
    exact = Exported(run, "exact.pt", "--precision", "float32")
    compare(f"{run}, exported in float32", exact(pixels), wanted)
    return False


def check_float32(run, originals, resized, pixels):
    wanted = in_order(predict(run, resized), resized)
    described = json.loads((run / "model/model.json").read_text())
    folded = Exported(run, "folded.pt")
    assert json.loads(folded.texts["classes"]) == described["classes"]
    names = set(folded.module.state_dict())
    assert {"features.0.0.weight", "preprocessing.scale"} < names, names
    kept = Exported(run, "kept.pt", "--keep-batch-norm")
    assert "features.0.1.running_mean" in kept.module.state_dict()
    kept.module.load_state_dict(kept.module.state_dict())
    fed = Exported(run, "float.pt", "--input", "float")
    scale, offset = (
        numpy.broadcast_to(numpy.float32(described["preprocessing"][key]), 3) for key in ("scale", "offset"))
    scaled = (pixels * scale + offset).transpose(0, 3, 1, 2)
    any_size = Exported(run, "any.pt", "--input", "any-size")
    again = io.BytesIO()
    torch.jit.save(folded.module, again)
    again.seek(0)
    results = {
        "a batch": folded(pixels),
        "one by one": numpy.concatenate([folded(each[None]) for each in pixels]),
        "batch norms kept": kept(pixels),
        "already scaled": fed(numpy.ascontiguousarray(scaled, numpy.float32)),
        "of any size, which this is": any_size(pixels),
        "frozen by PyTorch": folded(pixels, torch.jit.freeze(folded.module)),
        "saved by PyTorch": folded(pixels, torch.jit.load(again)),
    }
    failed = False
    for what, given in results.items():
        difference, others = compare(f"{run}, {what}", given, wanted)
        failed |= bool(difference > TOLERANCE or others > 0)

    # Less than twice as large as the model's size, so that weir shrinks nothing while it decodes: both
    # resize the same pixels.
    images, paths = [], []
    for number, path in enumerate(originals):
        images.append(Image.open(path).convert("RGB").resize((181, 127)))
        paths.append(run / f"{number}.png")
        images[-1].save(paths[-1])
    given = numpy.concatenate([any_size(numpy.asarray(each)[None]) for each in images])
    difference, others = compare(f"{run}, resized inside", given, in_order(predict(run, paths), paths))
    failed |= bool(difference > RESIZED_TOLERANCE or others > 0)
    checked = weir("export", run, "--to", "torchscript", "--check", "pictures")
    checked += weir("export", run, "--to", "torchscript", "--input", "float", "--force", "--check", "pictures")
    print(checked, end="")
    return failed or checked.count(", 0 of another class\n") != 2


sys.exit(check_models(check_float32, check_int8))
