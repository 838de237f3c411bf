#!/usr/bin/env python3
"""How many instructions weir's own kernels take, by valgrind's callgrind, against those that are kept
in kept.json: a check that no noise blurs. A kernel's count is that of two runs less that of one, so
that the start of the program and what the kernel reads are left out.

The counts are of one compiler and instruction set (valgrind itself knows none beyond AVX2); for
others nothing is kept, and this says so and ends with 77. It ends with 1 where a kernel takes over
2 % more than is kept, or 10 % less, so that what was gained is kept too.

  ./instruction_counts.py ../../build/kernels            compares
  ./instruction_counts.py ../../build/kernels --keep     writes kept.json
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

KEPT = Path(__file__).resolve().parent / "kept.json"
MORE, LESS = 1.02, 0.9
SKIPPED = 77


def valgrind(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["valgrind", *words], check=True, capture_output=True, text=True)


def instructions(kernels: Path, name: str, count: int) -> int:
    run = valgrind(
        "--tool=callgrind", "--callgrind-out-file=/dev/null", str(kernels), name, str(count)
    )
    found = re.search(r"Collected : (\d+)", run.stderr)
    if not found:
        raise SystemExit(f"instruction_counts.py: callgrind printed no count:\n{run.stderr}")
    return int(found[1])


def count_all(kernels: Path) -> dict[str, int]:
    names = subprocess.check_output([kernels, "--list"], text=True).split()
    return {name: instructions(kernels, name, 2) - instructions(kernels, name, 1) for name in names}


def compare(counts: dict[str, int], kept: dict[str, int]) -> bool:
    """Prints a line for each kernel; False where one is not as it is kept."""
    well = True
    for name, count in counts.items():
        ratio = count / kept[name] if name in kept else 0.0
        verdict = (
            "is not kept yet" if name not in kept
            else "TOO MANY" if ratio > MORE
            else "fewer: keep them" if ratio < LESS
            else ""
        )
        well &= not verdict
        print(f"{name:28} {count:>12,} {ratio:8.3f} of what is kept  {verdict}".rstrip())
    return well


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kernels", type=Path, help="the program of the build")
    parser.add_argument("--keep", action="store_true", help="write what is counted to kept.json")
    options = parser.parse_args()
    kernels = options.kernels.resolve()
    if not shutil.which("valgrind"):
        print("skipped: valgrind is not installed")
        return SKIPPED
    built = valgrind("--tool=none", str(kernels), "--built").stdout.strip()
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    if not options.keep and built not in kept:
        print(f"skipped: nothing is kept for {built}")
        return SKIPPED
    counts = count_all(kernels)
    if options.keep:
        kept[built] = counts
        KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    if compare(counts, kept[built]):
        return 0
    print("If it is meant, keep the new counts with --keep.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
