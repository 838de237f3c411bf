"""The table that is printed, and the record that --json leaves."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from bench import Bench, Row, resolution_mib
from memory_group import Hierarchy
from peers.machine import machine
from peers.programs import Program
from peers.text_table import text_table


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
    return text_table([head, *cells], left=2)


def record(
    bench: Bench, programs: list[Program], options: argparse.Namespace, hierarchy: Hierarchy
) -> dict[str, Any]:
    return {
        "machine": {**machine(), "cgroup_version": hierarchy.version},
        "settings": {
            "epochs": options.epochs,
            "files": options.files,
            "repeats": options.repeats,
            "patience": options.patience,
            "read_ahead_kib": options.read_ahead,
            "resolution_mib": {
                program.name: resolution_mib(program, options) for program in programs
            },
        },
        "versions": {program.name: program.version for program in programs},
        "rows": [asdict(row) for row in bench.rows],
        "trials": [asdict(trial) for trial in bench.trials],
    }
