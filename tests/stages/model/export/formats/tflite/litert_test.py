#!/usr/bin/env python3
"""litert_test.py DRAWN_TFLITE: what is written for TensorFlow Lite of drawn networks, which have
every operation between them, LiteRT runs, and comes to what the operations are defined to give.

It takes ai-edge-litert and numpy.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

TOLERANCE = 1e-5  # of a probability: float32, summed in another order
# In int8 a byte that is rounded the other way moves those behind it; a kernel, a scale or an offset
# that is wrong moves all of them.
INT8_TOLERANCE = 0.005
KERNELS = {"XNNPACK": OpResolverType.AUTO, "LiteRT": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES}


def run(path, resolver):
    interpreter = Interpreter(
        str(path), num_threads=1, experimental_op_resolver_type=resolver)
    fed, given = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    images = numpy.fromfile(path.with_suffix(".images"), fed["dtype"]).reshape(-1, *fed["shape"][1:])
    interpreter.resize_tensor_input(fed["index"], images.shape, strict=True)
    interpreter.allocate_tensors()
    interpreter.set_tensor(fed["index"], images)
    interpreter.invoke()
    return interpreter.get_tensor(given["index"])


failed = False
with tempfile.TemporaryDirectory() as folder:
    subprocess.run([sys.argv[1], folder], check=True)
    models = sorted(Path(folder).glob("*.tflite"))
    for path in models:
        tolerance = INT8_TOLERANCE if path.stem.endswith("int8") else TOLERANCE
        for name, resolver in KERNELS.items():
            given = run(path, resolver)
            wanted = numpy.fromfile(path.with_suffix(".wanted"), numpy.float32).reshape(given.shape)
            difference = numpy.abs(given - wanted).max()
            is_near = difference <= tolerance
            failed |= not is_near
            print(f"{path.stem}, {name}: largest difference {difference:.2g}{'' if is_near else ': TOO MUCH'}")
sys.exit(failed or len(models) < 100)
