#!/usr/bin/env python3
"""How fast weir and other programs do the same jobs on this machine, side by side.

The programs of a job take turns, --repeats times, so that what else the machine does meets all of
them. The table gives medians, the least and the most, and how many times as fast weir is; above 1
it is weir that is faster, for seconds too. Every run is printed. What cannot be installed or fails
is in the table as well, with the reason, and the rest goes on.

  article          head on a frozen MobileNetV2, 245 photos of ants and bees (peers whose readers
                   pass over GIFs see 244), 10 epochs of batch 32, configs/article.yaml
  article-bf16, article-int8   the same, weir's frozen backbone in bfloat16 or int8 where the
                   processor has instructions for it
  last-5-blocks    article with the last 5 blocks unfrozen
  unfrozen         the same with everything unfrozen
  predict          classes for 10,000 files: links to 396 JPEGs of ants and bees
  forward          the frozen backbone by itself, float32, on two threads at most
  forward-bf16     the same in bfloat16, where the processor has instructions for it
  input-small      decode, resize to 224x224, flip, batch; no model: 244 photos of 0.2 megapixels
  input-12mp       the same with 40 photos of 4000x3000
  cached-epochs    article with `variants: 1`: all epochs but the first
  first-step       seconds from the start of the process to the end of the first step of article
  size-100, size-1000, size-10000   one epoch of article with so many links to its JPEGs: training and
                   validation pictures over the whole time of the process
  scaling-article, scaling-input   weir alone, on two threads and on one

What is counted. Jobs that train: training and validation pictures over the time of all passes, as
each program measures it; without its start, the reading of weights and the saving of the model.
predict: files over the whole time of the process. forward: pictures of which the features were
computed, again and again the same ones; weir starts from bytes, the peers from floats that are
ready. input: several passes after one that is not counted; weir and DALI give bytes, PyTorch and
SPDL too, tf.data floats. first-step: by the kernel's clock; for weir the end of the first step in
its trace, and the time of `weir --version` for what is before the trace.

What is not the same. Every program augments by its own means (shear, zoom, flip), keeps its own
random numbers and its framework's convention of the network; the work is the same to a few percent,
the losses are not. In article and last-5-blocks weir keeps the features of the validation pictures,
a fifth of all, after the first epoch; the peers compute them again. cached-epochs is a choice that the peers' programs do not offer: weir takes one
variant of each picture and keeps its features, Keras computes another variant in each epoch.
Memory is not compared here (minimum_memory does): weir keeps to the 256 MiB of its configuration
(--memory changes that), the peers take what they want.

The peers (../peers): `keras` and `pytorch` are programs as the guides write them, `-tuned` as their
guides make them faster (keras_tuned_peer.py, pytorch_tuned_peer.py say how). torch.compile works
before the clock begins, except in predict, and its cache is kept from repeat to repeat; for that
pytorch-tuned is not in first-step. forward's peers are measured at five batches, with one stream
and with two, and PyTorch's input in four settings; the best is taken each time, which favours them.
They are installed from the .txt files there into virtual environments at first use; pip takes
PyTorch from where it is configured to, the versions in the table say which it was.

Ratios hold, absolute figures are those of the machine; leave it alone meanwhile.

Needs Python 3.11, a C++ compiler (torch.compile asks for one), about 10 GB of disk for the peers, a
build of weir with its benchmarks, and ../shared (or --shared).

  ./compare.py --quick --only article --programs weir,keras        a minute, a trial and no result
  ./compare.py --json compare.json --chart compare.svg             everything: hours on 2 cores
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True  # nothing is left in the source tree
sys.path.append(str(Path(__file__).resolve().parents[1]))  # for peers/

from bench import Bench
from chart import chart
from comparisons import PROGRAMS, all_comparisons
from peers.environments import SetUpFailed
from peers.options import CACHE, ROOT, SHARED, check_shared, positive, some_of
from report import record, table
from supplies import Supplies

_THOROUGH = {
    "epochs": 10,
    "files": 10000,
    "repeats": 5,
    "small_passes": 20,
    "large_passes": 4,
    "forward_seconds": 1.0,
    "weir_forward_seconds": 3.0,
}
_QUICK = {
    "epochs": 2,
    "files": 1000,
    "repeats": 1,
    "small_passes": 3,
    "large_passes": 1,
    "forward_seconds": 0.2,
    "weir_forward_seconds": 0.5,
}


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--only", metavar="JOB", action="append", help="this job; repeatable")
    add(
        "--programs",
        metavar="NAMES",
        type=some_of(PROGRAMS),
        default=list(PROGRAMS),
        help=f"some of {','.join(PROGRAMS)}",
    )
    add("--quick", action="store_true", help="2 epochs, 1,000 files, one run each: a trial")
    for flag, text in (
        ("--epochs", "of the jobs that train, 2 or more for cached-epochs (default: 10)"),
        ("--files", "to predict (default: 10000)"),
        ("--repeats", "runs of each program (default: 5)"),
    ):
        add(flag, type=positive, metavar="N", help=text)
    add(
        "--time-limit",
        type=positive,
        default=3600,
        metavar="S",
        help="seconds after which a run is given up (default: 3600)",
    )
    add("--memory", metavar="SIZE", help="weir's ceiling (default: 256MiB, as configured)")
    for flag, path, text in (
        ("--json", None, "file for the table and every figure"),
        ("--chart", None, "file for the figures as bars, an SVG"),
        ("--weir", ROOT / "build/weir", "the binary (default: build/weir)"),
        ("--benchmarks", ROOT / "build", "folder of weir's benchmark programs (default: build)"),
        ("--shared", SHARED, "pictures and weights (default: WEIR_SHARED, else ../shared)"),
        ("--venv", CACHE, f"the peers' environments (default: {CACHE})"),
    ):
        add(flag, type=Path, default=path, metavar="PATH", help=text)
    options = parser.parse_args()
    for name, value in (_QUICK if options.quick else _THOROUGH).items():
        setattr(options, name, getattr(options, name, None) or value)
    for name in ("weir", "benchmarks", "shared", "venv"):
        setattr(options, name, getattr(options, name).resolve())
    names = [comparison.name for comparison in all_comparisons(options)]
    for name in options.only or []:
        if name not in names:
            parser.error(f"argument --only: {name!r} is none of {', '.join(names)}")
    return options


def measure_all(options: argparse.Namespace) -> bool:
    """False where something failed."""
    check_shared(options.shared)
    if not os.access(options.weir, os.X_OK):
        raise SetUpFailed(
            f"{options.weir} is not there; build it with ./bootstrap.sh, or name it with --weir"
        )
    options.venv.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="compare-", dir=options.venv) as scratch:
        bench = Bench(Supplies(options, Path(scratch).resolve()), options.programs)
        try:
            for comparison in all_comparisons(options):
                if not options.only or comparison.name in options.only:
                    bench.measure(comparison, options.repeats)
        finally:
            print(f"\n{table(bench)}", flush=True)
            if options.json:
                options.json.write_text(json.dumps(record(bench, options), indent=1) + "\n")
            if options.chart:
                options.chart.write_text(chart(bench))
    return all(not row.problem or row.is_skipped for row in bench.rows)


def main() -> int:
    options = parse_options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return 0 if measure_all(options) else 1
    except SetUpFailed as error:
        print(f"compare.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
