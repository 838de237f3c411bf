"""What the peers' forward passes share: the job on the command line, the settings, the result.

The job: [batch, 3, 224, 224] in float32, made beforehand, to [batch, 1280], again and again. Every
batch with every number of streams is measured for --seconds after an uncounted run; the fastest is
the result, so chance favours who has many settings.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy

BATCHES = (1, 4, 8, 16, 32)


@dataclass
class ForwardJob:
    model: Path
    threads: int
    precision: str
    seconds: float  # how long each setting is measured


@dataclass
class Setting:
    batch: int
    streams: int  # they share the threads

    def pictures(self) -> numpy.ndarray:
        shape = (self.batch, 3, 224, 224)
        return numpy.random.default_rng(1).uniform(-1, 1, shape).astype(numpy.float32)

    def __str__(self) -> str:
        return f"batch {self.batch}, {self.streams} {'stream' if self.streams == 1 else 'streams'}"


def main(rate: Callable[[ForwardJob, Setting], float], version: str, usage: str) -> None:
    """`rate` measures one setting, in images a second."""
    parser = argparse.ArgumentParser(
        description=usage, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--result", type=Path, required=True)
    options = parser.parse_args()
    job = ForwardJob(options.model, options.threads, options.precision, options.seconds)
    rates: dict[str, float] = {}
    for batch, streams in itertools.product(BATCHES, sorted({1, job.threads})):
        setting = Setting(batch, streams)
        rates[str(setting)] = rate(job, setting)
        print(f"{setting}: {rates[str(setting)]:.1f} images/s", flush=True)
    best = max(rates, key=lambda name: rates[name])
    result = {"images_per_second": rates[best], "setting": best, "version": version}
    options.result.write_text(json.dumps(result))
