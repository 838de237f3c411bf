"""What the peers' input pipelines share: the job on the command line, the clock, the result.

The job: the JPEGs below a folder of class folders, in another order each pass, decoded, resized to
224x224, flipped by chance, gathered by 32. No model. A first pass is not counted.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

SIDE = 224
BATCH = 32

Batches = Callable[[int], Iterable[int]]  # so many passes -> the size of each batch, as it comes


@dataclass
class InputJob:
    data: Path
    passes: int
    threads: int

    def paths(self) -> list[str]:
        return sorted(str(path) for path in self.data.glob("*/*") if path.suffix in _SUFFIXES)


_SUFFIXES = (".jpg", ".jpeg")


def main(settings: Callable[[InputJob], Mapping[str, Batches]], version: str, usage: str) -> None:
    """Measures every setting and keeps the fastest one's result."""
    parser = argparse.ArgumentParser(
        description=usage, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--passes", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--result", type=Path, required=True)
    options = parser.parse_args()
    job = InputJob(options.data, options.passes, options.threads)
    measured = [_measure(name, batches, job) for name, batches in settings(job).items()]
    best = max(measured, key=lambda result: result["images_per_second"])
    options.result.write_text(json.dumps({**best, "version": version}))


def _measure(name: str, batches: Batches, job: InputJob) -> dict:
    for _ in batches(1):
        pass
    begin = time.monotonic()
    images = sum(batches(job.passes))
    seconds = time.monotonic() - begin
    print(f"{name}: {images} images in {seconds:.2f} s", flush=True)
    return {
        "images": images,
        "seconds": seconds,
        "images_per_second": images / seconds,
        "setting": name,
    }
