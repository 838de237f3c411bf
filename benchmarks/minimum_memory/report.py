"""The table that is printed, and the record that --json leaves."""

from __future__ import annotations

import argparse
import os
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import Bench, Row
from memory_group import MIB, Hierarchy
from programs import Program


def table(rows: list[Row]) -> str:
    head = (
        "job",
        "program",
        "smallest limit",
        "images/s there",
        "images/s without",
        "RssAnon without",
        "held elsewhere",
    )
    cells = [
        (
            row.job,
            row.program,
            f"{row.smallest_limit_mib} MiB" if row.smallest_limit_mib else "none found",
            f"{row.images_per_second_there:.1f}" if row.images_per_second_there else "-",
            f"{row.images_per_second_unlimited:.1f}",
            f"{row.peak_rss_anon_unlimited_mib:.0f} MiB",
            f"{row.held_elsewhere_mib:.0f} MiB",
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in [head, *cells]) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in [head, *cells]
    )


def record(
    bench: Bench, programs: list[Program], options: argparse.Namespace, hierarchy: Hierarchy
) -> dict[str, Any]:
    return {
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "kernel": platform.release(),
            "memory_mib": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // MIB,
            "cgroup_version": hierarchy.version,
        },
        "settings": {
            "epochs": options.epochs,
            "files": options.files,
            "repeats": options.repeats,
            "patience": options.patience,
            "read_ahead_kib": options.read_ahead,
            "resolution_mib": {program.name: program.resolution_mib for program in programs},
        },
        "versions": {program.name: program.version for program in programs},
        "rows": [asdict(row) for row in bench.rows],
        "trials": [asdict(trial) for trial in bench.trials],
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )
