"""The table that is printed, and the record that --json leaves."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from bench import Bench, Row, lead
from peers.machine import machine
from peers.text_table import text_table


def table(bench: Bench) -> str:
    """Below it what could not be measured, in words."""
    if not bench.rows:
        return "nothing was measured"
    head = ("job", "program", "version", "median", "min - max", "weir/peer")
    lines = [_cells(rows, row) for _, rows in bench.comparisons for row in rows]
    problems = [f"{row.job}, {row.program}: {row.problem}" for row in bench.rows if row.problem]
    return "\n".join([text_table([head, *lines], left=3), *([""] if problems else []), *problems])


def reference_of(rows: list[Row]) -> Row | None:
    """The first one, where it is weir."""
    return rows[0] if rows[0].program.split(",")[0] == "weir" else None


def figure(value: float) -> str:
    """With three digits that count, as far as a decimal or two give them."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def lead_text(rows: list[Row], row: Row) -> str:
    """As "3.91"; empty for the reference itself and where it is not known."""
    reference = reference_of(rows)
    if reference is None or reference is row:
        return ""
    ratio = lead(reference, row)
    return "" if ratio is None else f"{ratio:.2f}"


def _cells(rows: list[Row], row: Row) -> tuple[str, ...]:
    if row.median is None:
        said = "see below" if row.problem else "not measured"
        return row.job, row.program, row.version, said, "", ""
    spread = f"{figure(min(row.values))} - {figure(max(row.values))}"
    median = f"{figure(row.median)} {row.unit}"
    return row.job, row.program, row.version, median, spread, lead_text(rows, row)


def record(bench: Bench, options: argparse.Namespace) -> dict[str, Any]:
    settings = (
        "epochs",
        "files",
        "repeats",
        "memory",
        "small_passes",
        "large_passes",
        "forward_seconds",
    )
    return {
        "machine": machine(),
        "settings": {name: getattr(options, name) for name in settings},
        "rows": [_entry(rows, row) for _, rows in bench.comparisons for row in rows],
    }


def _entry(rows: list[Row], row: Row) -> dict[str, Any]:
    reference = reference_of(rows)
    return {
        **asdict(row),
        "median": row.median,
        "min": min(row.values, default=None),
        "max": max(row.values, default=None),
        "weir_to_peer": lead(reference, row) if reference else None,
    }
