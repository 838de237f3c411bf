#!/usr/bin/env python3
"""The least memory that weir, Keras and PyTorch need for the same jobs, and how fast they are
there.

Each job is run in a cgroup of its own with a hard limit, swap off: private memory, page cache, the
code that is mapped and the kernel's memory all count, as in a container. Without a limit first;
then the limit is halved in between until the smallest one is known at which the program ends with
status 0 and the whole result, --repeats times. Killed, refused (weir's status 3: it said beforehand
that the job does not fit), failed, or five times as slow as without a limit (the kernel reads the
same code again and again): the limit was too small. Every trial is printed.

Before a trial its pictures, weights and code are put out of the page cache, so that each trial pays
for what it touches. Only what other processes have mapped at the time (libc; more where another
weir or PyTorch runs) cannot be put out, and is not charged: the table's last column says how much
that is of what the program maps.

The disks read ahead by the kernel's default of 128 KiB meanwhile (--read-ahead): a page of code
that is read again brings that much with it, and some virtual disks are set to 8 MiB, with which
every program needs more.

  article        head on a frozen MobileNetV2, 245 photos of ants and bees (the peers see 244: their
                 readers pass over a GIF), 10 epochs of batch 32, configs/article.yaml
  last-5-blocks  the same with the last 5 blocks unfrozen
  unfrozen       the same with everything unfrozen
  predict        classes for 10,000 files: links to 396 JPEGs of ants and bees
  12-megapixel   article on 40 photos of 4000x3000

weir is given `--memory auto`: it finds the limit itself, and plans by it. The peers are programs as
the guides of Keras and PyTorch write them (keras_peer.py, pytorch_peer.py in ../peers), installed
from keras.txt and pytorch.txt into virtual environments at first use. pip takes PyTorch from where
it is configured to: the default is a build with CUDA, which maps more code; with
PIP_EXTRA_INDEX_URL at PyTorch's own CPU packages that build is measured. The versions in the table
say which.

How to read the table: images/s counts training and validation pictures over the time of the passes,
as each program measures it, without its start; for predict it is files over the whole time of the
process. RssAnon is the private memory of the run without a limit. Ratios hold, absolute figures are
those of the machine; leave it alone meanwhile.

Needs root (for the cgroups), Python 3.11, about 6 GB of disk for the peers, and ../shared (or
--shared).

  sudo ./minimum_memory.py --quick --programs weir --only article     a minute
  sudo ./minimum_memory.py --json minimum_memory.json                 everything: hours on 2 cores
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True  # nothing is left in the source tree
sys.path.append(str(Path(__file__).resolve().parents[1]))  # for peers/

from bench import Bench
from memory_group import Unavailable, find_hierarchy
from peers.environments import SetUpFailed
from peers.jobs import ARTICLE, LAST_5_BLOCKS, MEGAPIXEL_12, PREDICT, UNFROZEN
from peers.options import (
    CACHE,
    KERAS_WEIGHTS,
    PYTORCH_WEIGHTS,
    ROOT,
    SHARED,
    check_shared,
    positive,
    some_of,
)
from peers.programs import Incomplete, Peer, Program, Weir
from read_ahead import read_ahead
from report import record, table

JOBS = [ARTICLE, LAST_5_BLOCKS, UNFROZEN, PREDICT, MEGAPIXEL_12]
PROGRAMS = ("weir", "keras", "pytorch")


def choose_programs(options: argparse.Namespace) -> list[Program]:
    check_shared(options.shared)
    return [choose_program(name, options) for name in options.programs]


def choose_program(name: str, options: argparse.Namespace) -> Program:
    keras, pytorch = options.shared / KERAS_WEIGHTS, options.shared / PYTORCH_WEIGHTS
    if name == "weir":
        config = ROOT / "configs/article.yaml"
        return Weir(options.weir, config, keras, ["--memory", "auto"])
    return Peer(name, name, options.venv, keras if name == "keras" else pytorch)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    names = [job.name for job in JOBS]
    add("--only", metavar="JOB", action="append", choices=names, help="this job; repeatable")
    add(
        "--programs",
        type=some_of(PROGRAMS),
        default=list(PROGRAMS),
        help="some of weir,keras,pytorch",
    )
    add("--quick", action="store_true", help="2 epochs, 1,000 files: a trial, not a result")
    for flag, default, text in (
        ("--epochs", None, "of the jobs that train (default: 10)"),
        ("--files", None, "to predict (default: 10000)"),
        ("--resolution", None, "of the limit in MiB (default: 8 for weir, 25 for the peers)"),
        ("--repeats", 2, "passes in a row that prove a limit (default: 2)"),
        ("--read-ahead", 128, "of the disks, in KiB (default: 128, the kernel's own)"),
        ("--patience", 5, "how many times the unlimited time is too slow (default: 5)"),
    ):
        add(flag, type=positive, default=default, metavar="N", help=text)
    for flag, path, text in (
        ("--json", None, "file for the table and every trial"),
        ("--weir", ROOT / "build/weir", "the binary (default: build/weir)"),
        ("--shared", SHARED, "pictures and weights (default: WEIR_SHARED, else ../shared)"),
        ("--venv", CACHE, f"the peers' environments (default: {CACHE})"),
        ("--scratch", CACHE, "what trials write; on a disk, as tmpfs counts (default: the same)"),
    ):
        add(flag, type=Path, default=path, metavar="PATH", help=text)
    options = parser.parse_args()
    options.epochs = options.epochs or (2 if options.quick else 10)
    options.files = options.files or (1000 if options.quick else 10000)
    for name in ("weir", "shared", "venv"):
        setattr(options, name, getattr(options, name).resolve())
    return options


def measure_all(options: argparse.Namespace) -> bool:
    """False where a program did not finish a job even without a limit."""
    jobs = [job for job in JOBS if not options.only or job.name in options.only]
    hierarchy = find_hierarchy()
    programs = choose_programs(options)
    options.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="minimum-memory-", dir=options.scratch) as scratch:
        bench = Bench(options, hierarchy, Path(scratch).resolve())
        disks = [options.weir, options.shared, options.venv, options.scratch]
        try:
            with read_ahead(options.read_ahead, disks) as said:
                print(*said, sep="\n", flush=True)
                for program in programs:
                    bench.prepare(program)
                for job in jobs:
                    for program in programs:
                        bench.measure(job, program)
        finally:
            print(
                f"\n{table(bench.rows)}\n",
                *[f"{program.name}: {program.version}" for program in programs],
                sep="\n",
            )
            if options.json:
                options.json.write_text(
                    json.dumps(record(bench, programs, options, hierarchy), indent=1) + "\n"
                )
    return len(bench.rows) == len(jobs) * len(programs)


def main() -> int:
    options = parse_options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return 0 if measure_all(options) else 1
    except (Unavailable, SetUpFailed, Incomplete) as error:
        print(f"minimum_memory.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
