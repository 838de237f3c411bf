"""Runs the programs of a comparison in turn, again and again, and keeps their figures."""

from __future__ import annotations

import json
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field

from comparisons import Comparison
from peers.environments import SetUpFailed
from peers.programs import Incomplete
from process import RunFailed
from runners import Runner, Skipped
from supplies import Supplies

_FAILURES = (
    SetUpFailed,
    RunFailed,
    Incomplete,
    OSError,
    subprocess.CalledProcessError,
    json.JSONDecodeError,
)


@dataclass
class Row:
    """A program in a comparison. Where it failed `problem` says so, beside what was measured."""

    job: str
    program: str
    version: str
    unit: str
    more_is_better: bool
    values: list[float] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    problem: str = ""
    is_skipped: bool = False  # it makes no sense here, and is no failure

    @property
    def median(self) -> float | None:
        return statistics.median(self.values) if self.values else None


def lead(reference: Row, row: Row) -> float | None:
    """How many times as fast the reference is."""
    if reference.median is None or row.median is None:
        return None
    ratio = reference.median / row.median
    return ratio if row.more_is_better else 1 / ratio


class Bench:
    """One table."""

    def __init__(self, supplies: Supplies, programs: Sequence[str]) -> None:
        self._supplies, self._programs = supplies, programs
        self.comparisons: list[tuple[Comparison, list[Row]]] = []

    @property
    def rows(self) -> list[Row]:
        return [row for _, rows in self.comparisons for row in rows]

    def measure(self, comparison: Comparison, repeats: int) -> None:
        """A row for each program, whatever happens to it."""
        chosen = [runner for runner in comparison.runners if runner.program in self._programs]
        rows = [
            Row(comparison.name, runner.label, "", comparison.unit, comparison.more_is_better)
            for runner in chosen
        ]
        if not rows:
            return
        self.comparisons.append((comparison, rows))
        print(f"\n{comparison.name}: {comparison.title}", flush=True)
        for runner, row in zip(chosen, rows, strict=True):
            self._prepare(runner, row)
        for _ in range(repeats):
            for runner, row in zip(chosen, rows, strict=True):
                if not row.problem:
                    self._run(runner, row)

    def _prepare(self, runner: Runner, row: Row) -> None:
        try:
            runner.prepare(self._supplies)
        except Skipped as error:
            row.problem, row.is_skipped = f"skipped: {error}", True
        except _FAILURES as error:
            row.problem = _one_line(error)
        if row.problem:
            print(f"  {row.program}: {row.problem}", flush=True)
        row.version = runner.version

    def _run(self, runner: Runner, row: Row) -> None:
        try:
            reading = runner.run(self._supplies, self._supplies.new_folder("run"))
        except _FAILURES as error:
            row.problem = _one_line(error)
            print(f"  {row.program}: {row.problem}", flush=True)
            return
        row.version = runner.version
        row.values.append(reading.value)
        row.details.append(reading.detail)
        said = f" ({reading.detail})" if reading.detail else ""
        print(f"  {row.program}: {reading.value:.2f} {row.unit}{said}", flush=True)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
