#!/usr/bin/env python3
"""schema_test.py WEIR: every file in configs/ fits `weir schema`, and what is broken does not.

The validator is python3-jsonschema, the reader python3-yaml. weir itself has to agree: what the
schema refuses `weir plan` refuses too, with status 2.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

WHOLE = """
name: fine
memory: {host: "256MiB", device: "0.5"}
threads: auto
device: cpu
pipeline:
  - directory: {path: data, validation_split: 1/5}
  - decode
  - augment: {size: [96, 96], zoom: [0.8, 1.25], shear: 1e-1}
  - augment: {as: large, from: decode, size: 128}
  - contact_sheet: {from: [large], path: sheet.png}
  - batch: {from: augment, size: 32}
  - prefetch: {device: cpu}
  - features: {precision: bfloat16}
  - train: {}
model:
  backbone: {name: mobilenet_v2, width: 0.35, weights: none, convention: keras}
  preprocessing: {scale: 1/255, offset: [0, 0, 0]}
  frozen: {through: block_12}
  head:
    - global_average_pooling
    - dropout: {rate: 0.2}
    - dense: {units: classes, activation: softmax}
training:
  epochs: 2
  optimizer: {sgd: {learning_rate: 0.01, momentum: 0.9}}
  loss: {cross_entropy: {label_smoothing: 0.1}}
  checkpoint_interval: 5min
"""

# What is wrong, what is written for it.
BROKEN = {
    "an unknown key of the top": ("threads: auto", "thread: auto"),
    "an unknown stage": ("  - decode\n", "  - decod\n"),
    "an unknown parameter": ("size: 32}", "sice: 32}"),
    "a size without its unit": ("256MiB", "256M"),
    "a device that is none": ("device: cpu\n", "device: gpu\n"),
    "a list that is too short": ("[96, 96]", "[96]"),
    "a number out of its range": ("validation_split: 1/5", "validation_split: 2"),
    "a text for a number": ("epochs: 2", "epochs: two"),
    "an unknown word": ("bfloat16", "float16"),
    "an unknown layer": ("dropout:", "drop_out:"),
    "an unknown optimizer": ("sgd:", "sdg:"),
    "a required key that is missing": ("path: data, ", ""),
    "a place that is none": ("from: decode", "from: {stage: decode}"),
    "no pipeline": ("pipeline:", "pipelines:"),
    "two stages in one item": ("  - train: {}", "  - train: {}\n    batch: {}"),
    "a length of time without a unit that is known": ("5min", "5 minutes"),
}


def status_of(weir: str, text: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.yaml"
        config.write_text(text)
        (Path(folder) / "data").mkdir()
        command = [weir, "plan", str(config)]
        return subprocess.run(command, capture_output=True, check=False).returncode


def main(weir: str) -> int:
    schema = json.loads(subprocess.run([weir, "schema"], stdout=subprocess.PIPE, check=True).stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    failures = []

    def expect(condition: bool, what: str) -> None:
        print(f"{'ok' if condition else 'FAILED'}: {what}")
        if not condition:
            failures.append(what)

    configs = sorted(Path("configs").glob("*.yaml"))
    expect(len(configs) >= 3, "there are configurations")
    for path in configs:
        problems = list(validator.iter_errors(yaml.safe_load(path.read_text())))
        expect(not problems, f"{path} fits {[problem.message[:200] for problem in problems]}")
    problems = list(validator.iter_errors(yaml.safe_load(WHOLE)))
    expect(not problems, f"the whole fits {[problem.message[:200] for problem in problems]}")
    for what, (right, wrong) in BROKEN.items():
        text = WHOLE.replace(right, wrong, 1)
        expect(text != WHOLE, f"{what}: is written")
        expect(not validator.is_valid(yaml.safe_load(text)), f"{what}: is refused")
        expect(status_of(weir, text) == 2, f"{what}: weir refuses it too")
    return 1 if failures else 0


sys.exit(main(sys.argv[1]))
