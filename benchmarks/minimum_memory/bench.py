"""Runs the trials of the jobs and keeps a record of them."""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
from dataclasses import dataclass
from pathlib import Path

from memory_group import Hierarchy
from page_cache import evict, files_below, held_mib
from peers.environments import SetUpFailed, ensure_environment
from peers.jobs import ARTICLE, Job, Pictures, prepare_pictures
from peers.programs import Incomplete, Program
from search import smallest_limit
from trial import Ending, run_in_group

REFUSED = 3  # weir's status where a job does not fit
_RESOLUTION_MIB = {"weir": 8}
_PEERS_RESOLUTION_MIB = 25


def resolution_mib(program: Program, options: argparse.Namespace) -> int:
    """How finely its smallest limit is sought."""
    return options.resolution or _RESOLUTION_MIB.get(program.name, _PEERS_RESOLUTION_MIB)


@dataclass
class Trial:
    """One run: at `limit_mib`, or without a limit."""

    job: str
    program: str
    limit_mib: int | None
    outcome: str
    detail: str
    seconds: float
    images: int
    images_per_second: float
    peak_mib: float
    peak_rss_anon_mib: float
    major_faults: int
    held_elsewhere_mib: float  # files that the program maps and others are charged for

    @property
    def passed(self) -> bool:
        return self.outcome == "finished"

    def line(self) -> str:
        limit = "no limit" if self.limit_mib is None else f"{self.limit_mib} MiB"
        speed = f"{self.images_per_second:7.1f} images/s  " if self.passed else ""
        text = f"{self.job:13}  {self.program:7}  {limit:>8}  {self.outcome:10}  "
        text += f"{self.seconds:6.1f} s  {speed}"
        return text + (f"{self.major_faults} major faults" if self.passed else self.detail)


@dataclass
class Row:
    job: str
    program: str
    smallest_limit_mib: int | None
    images_per_second_there: float | None
    images_per_second_unlimited: float
    peak_rss_anon_unlimited_mib: float
    peak_cgroup_unlimited_mib: float
    held_elsewhere_mib: float


class Bench:
    """One table: its rows, and the trials behind them."""

    def __init__(self, options: argparse.Namespace, hierarchy: Hierarchy, scratch: Path) -> None:
        self._options, self._hierarchy, self._scratch = options, hierarchy, scratch
        self._models: dict[str, Path] = {}
        self._mapped: dict[str, set[Path]] = {}  # what a run of each maps: code, and whatever else
        self.trials: list[Trial] = []
        self.rows: list[Row] = []

    def prepare(self, program: Program) -> None:
        """One epoch of the article's job: the model that predict reads, and what code is mapped."""
        output = self._scratch / f"{program.name}-prepared"
        output.mkdir()
        command = program.command(ARTICLE, self._pictures(ARTICLE), Path(), 1, output)
        ending = run_in_group(command, self._hierarchy, None, None, output, dict(os.environ))
        if ending.status != 0:
            raise SetUpFailed(
                f"{program.name} fails without a limit (status {ending.status}): "
                f"{ending.last_words}"
            )
        program.result(ARTICLE, 1, output)
        self._mapped[program.name] = ending.mapped
        self._models[program.name] = program.trained_model(output)
        os.sync()  # a page that is not yet on the disk cannot be evicted

    def measure(self, job: Job, program: Program) -> None:
        free = self._run(job, program, None, None)
        if not free.passed:
            return
        at: dict[int, list[Trial]] = {}

        def passes(limit_mib: int) -> bool:
            trial = self._run(job, program, limit_mib, free)
            at.setdefault(limit_mib, []).append(trial)
            return trial.passed

        step = resolution_mib(program, self._options)
        smallest = smallest_limit(free.peak_mib, step, self._options.repeats, passes)
        there = [trial.images_per_second for trial in at.get(smallest or 0, []) if trial.passed]
        self.rows.append(
            Row(
                job.name,
                program.name,
                smallest,
                statistics.median(there) if there else None,
                free.images_per_second,
                free.peak_rss_anon_mib,
                free.peak_mib,
                max(trial.held_elsewhere_mib for trial in (free, *at.get(smallest or 0, []))),
            )
        )

    def _pictures(self, job: Job) -> Path:
        python = (
            ensure_environment("photos", self._options.venv)
            if job.pictures is Pictures.LARGE
            else None
        )
        return prepare_pictures(
            job.pictures, self._options.shared, self._scratch, self._options.files, python
        )

    def _run(self, job: Job, program: Program, limit_mib: int | None, free: Trial | None) -> Trial:
        data, epochs = self._pictures(job), self._options.epochs
        output = self._scratch / "trial"
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir()
        model = self._models[program.name]
        command = program.command(job, data, model, epochs, output)
        mapped = self._mapped[program.name]
        for path in (data, model, *program.own_files()):
            evict(files_below(path))
        evict(mapped)
        held = held_mib(mapped)
        time_limit = free.seconds * self._options.patience if free else None
        ending = run_in_group(
            command, self._hierarchy, limit_mib, time_limit, output, dict(os.environ)
        )
        trial = self._judge(job, program, limit_mib, free, ending, held, output)
        self.trials.append(trial)
        print(trial.line(), flush=True)
        return trial

    def _judge(
        self,
        job: Job,
        program: Program,
        limit_mib: int | None,
        free: Trial | None,
        ending: Ending,
        held: float,
        output: Path,
    ) -> Trial:
        images, rate = 0, None
        outcome, detail = _outcome(ending)
        if outcome == "finished":
            try:
                result = program.result(job, self._options.epochs, output)
                images, rate = result.images, result.images_per_second
                expected = (
                    free.images if free else self._options.files if not job.trains else images
                )
                if images != expected:
                    raise Incomplete(f"{images} images instead of {expected}")
            except Incomplete as error:
                outcome, detail = "incomplete", f"{error}; its last words: {ending.last_words}"
        return Trial(
            job.name,
            program.name,
            limit_mib,
            outcome,
            detail,
            ending.seconds,
            images,
            rate if rate is not None else images / ending.seconds,
            ending.peak_mib,
            ending.peak_rss_anon_mib,
            ending.major_faults,
            held,
        )


def _outcome(ending: Ending) -> tuple[str, str]:
    if ending.status == 0:
        return "finished", ""
    if ending.status is None:
        return "too slow", ""
    if ending.out_of_memory_kills:
        return "killed", f"out of memory; its last words: {ending.last_words}"
    if ending.status == REFUSED:
        return "refused", ending.last_words
    return "failed", f"status {ending.status}: {ending.last_words}"
