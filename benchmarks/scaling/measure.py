#!/usr/bin/env python3
"""What scaling needs to know of this machine, in JSON on standard output, each figure with where it
is from: trainings by weir with one, two and four ranks that take turns, and the sums and messages
of ranks over the loopback. Medians of --repeats; some five minutes on two cores. Ratios hold,
absolute figures are those of the machine; leave it alone meanwhile.

The jobs are configs/article.yaml and the same with everything unfrozen, without validation, so that
all that is counted learns. A stage's seconds are its part of the threads' time of the run with one
rank, over the pictures.

Needs Python 3.11, a build of weir with its benchmarks, and ../shared (or --shared).

  ./measure.py --build ../../build > here.json && ../../build/scaling here.json

epyc.json is what it printed on two idle threads of one core of an EPYC with AVX-512.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RANKS = (1, 2, 4)
BATCH = 32  # configs/article.yaml
EPOCHS = {"article": 4, "unfrozen": 2}
SETTINGS = {"article": [], "unfrozen": ["--set", "model.frozen=none"]}
SUM_VALUES = 3_500_000  # rank_sum_benchmark.cc
SUM_EXCHANGES = 8  # of two ranks: four blocks of kSumBufferValues
LEARNING = {"article": 1_313_794, "unfrozen": 3_537_666}  # values, `weir plan`


class Bench:
    def __init__(self, options: argparse.Namespace, scratch: Path) -> None:
        self._build, self._shared, self._scratch = options.build, options.shared, scratch
        self._repeats, self._runs = options.repeats, 0
        self._rate: float | None = None
        self.constants: dict[str, dict[str, Any]] = {}

    def put(self, name: str, value: float, where: str) -> None:
        self.constants[name] = {"value": value, "from": where}

    def run(self, job: str, ranks: int, *more: str) -> dict[str, Any]:
        """What a training says of itself in summary.json."""
        self._runs += 1
        out = self._scratch / str(self._runs)
        words = [self._build / "weir", "run", HERE.parent.parent / "configs/article.yaml"]
        words += ["--out", out, "--ranks", str(ranks)]
        words += ["--set", f"pipeline.directory.path={self._shared}/data/hymenoptera/train"]
        words += ["--set", "pipeline.directory.validation_split=0"]
        weights = self._shared / "weights/mobilenet_v2_imagenet.safetensors"
        words += ["--set", f"model.backbone.weights={weights}"]
        words += ["--set", f"training.epochs={EPOCHS[job]}", *SETTINGS[job], *more]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        return json.loads((out / "summary.json").read_text())

    def trainings(self, job: str) -> None:
        rates: dict[int, list[float]] = {ranks: [] for ranks in RANKS}
        shares: dict[str, list[float]] = {}
        for _ in range(self._repeats):
            for ranks in RANKS:  # in turns
                summary = self.run(job, ranks)
                rates[ranks].append(summary["images_per_second"])
                if ranks == 1:
                    for stage, share in summary["share_of_time"].items():
                        seconds = share / summary["images_per_second"]
                        shares.setdefault(stage, []).append(seconds)
        where = f"weir run configs/article.yaml --ranks N, {job}, {EPOCHS[job]} epochs"
        for ranks in RANKS:
            median = statistics.median(rates[ranks])
            spread = f"{min(rates[ranks]):.1f} to {max(rates[ranks]):.1f}"
            self.put(f"{job}.images_per_second.{ranks}", median, f"{where}, {spread}")
        seconds = {stage: statistics.median(each) for stage, each in shares.items()}
        idle, frozen, learning = (seconds.pop(each, 0) for each in ("idle", "features", "train"))
        where = "share_of_time of the same with one rank, a picture"
        optimizer = LEARNING[job] / self.optimizer_rate()
        self.put(f"{job}.decode_seconds", sum(seconds.values()), f"{where}: all stages but these")
        self.put(f"{job}.frozen_seconds", frozen, f"{where}: features")
        rest = max(0, learning - optimizer / BATCH)
        self.put(f"{job}.learning_seconds", rest, f"{where}: train, without the optimizer")
        self.put(f"{job}.idle_seconds", idle, f"{where}: idle; the model leaves it out")
        self.put(f"{job}.optimizer_seconds", optimizer, "optimizer_benchmark, adam, on all threads")

    def noise(self) -> None:
        """How much the times vary that a thread takes for the features of a batch of one size."""
        trace = self._scratch / "trace.json"
        self.run("article", 1, "--trace", str(trace))
        spans = [each for each in json.loads(trace.read_text()) if each.get("name") == "features"]
        times = [each["dur"] for each in spans if "dur" in each]
        whole = [each for each in times if each > 0.8 * statistics.median(times)]  # of a pass
        self.put(
            "article.noise",
            statistics.stdev(whole) / statistics.mean(whole),
            f"--trace of one rank: features of {len(whole)} batches, deviation over mean",
        )

    def benchmark(self, name: str, only: str, figure: str) -> dict[str, float]:
        """The median of a figure for each of its benchmarks."""
        words = [self._build / name, f"--benchmark_filter={only}", "--benchmark_format=json"]
        words += [f"--benchmark_repetitions={self._repeats}", "--benchmark_min_time=0.2"]
        done = subprocess.run(words, check=True, capture_output=True, text=True)
        figures: dict[str, list[float]] = {}
        for each in json.loads(done.stdout)["benchmarks"]:
            if each["run_type"] == "iteration":
                figures.setdefault(each["run_name"], []).append(each[figure])
        return {each: statistics.median(found) for each, found in figures.items()}

    def optimizer_rate(self) -> float:
        """Values a second that all threads step over."""
        if self._rate is None:
            of_one = self.benchmark("optimizer_benchmark", "^adam$", "items_per_second")["adam"]
            self._rate = of_one * os.cpu_count()
        return self._rate

    def loopback(self) -> None:
        times = self.benchmark("rank_sum_benchmark", ".", "real_time")
        seconds = {name.removesuffix("/real_time"): each / 1e3 for name, each in times.items()}
        # Each of N ranks sends and receives 2 (N - 1) messages, by turns on the same processors.
        few = "rank_sum_benchmark, SumOfFew"
        messages = 2 * (16 * 15 - 8 * 7)
        message = (seconds["SumOfFew/16"] - seconds["SumOfFew/8"]) * os.cpu_count() / messages
        latency = max(0, seconds["FiguresOfABatch/2"] - message)
        carried = seconds["SumOfGradients/2"] - SUM_EXCHANGES * (latency + message)
        self.put("message_seconds", message, f"{few} of 16 ranks less of 8, a message")
        self.put("loopback.latency_seconds", latency, "rank_sum_benchmark, FiguresOfABatch/2")
        sent = 2 * SUM_VALUES * 4  # by two ranks
        where = "rank_sum_benchmark, SumOfGradients"
        self.put("loopback.bytes_per_second", sent / carried, f"{where}/2")
        self.put("loopback.sum_values", SUM_VALUES, "rank_sum_benchmark.cc")
        for ranks in (2, 4):
            value = seconds[f"SumOfGradients/{ranks}"]
            self.put(f"loopback.sum_seconds.{ranks}", value, f"{where}/{ranks}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", type=Path, default=HERE.parent.parent / "build")
    parser.add_argument("--shared", type=Path, default=HERE.parent.parent.parent / "shared")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(options, Path(scratch))
        files = list((options.shared / "data/hymenoptera/train").glob("*/*"))
        size = statistics.mean(each.stat().st_size for each in files)
        bench.put("threads", os.cpu_count(), "of this machine")
        bench.put("file_bytes", size, f"mean of {len(files)} photos of ants and bees")
        bench.put("unfrozen.summed_values", LEARNING["unfrozen"], "weir plan: values that learn")
        bench.loopback()
        for job in EPOCHS:
            bench.trainings(job)
        bench.noise()
    print(json.dumps(bench.constants, indent=1))


if __name__ == "__main__":
    main()
