"""How a program is measured in a comparison, and the runners of whole jobs."""

from __future__ import annotations

import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from peers.jobs import ARTICLE, Job
from peers.programs import Incomplete, Program, Result
from supplies import Supplies

Read = Callable[[Result, float], float | None]  # a run's result, the process's seconds -> a figure


@dataclass(frozen=True)
class Reading:
    value: float
    detail: str = ""  # how it came about: the best of several settings


class Skipped(Exception):
    """This makes no sense here: one line that says why."""


class Runner(ABC):
    """`program` is what --programs chooses by, `label` what the table says."""

    def __init__(self, program: str, label: str = "") -> None:
        self.program, self.label, self.version = program, label or program, ""

    @abstractmethod
    def prepare(self, supplies: Supplies) -> None:
        """Raises SetUpFailed where it cannot be had here, Skipped where it makes no sense."""

    @abstractmethod
    def run(self, supplies: Supplies, output: Path) -> Reading:
        """One run, which may write to `output`. Raises RunFailed or Incomplete."""


class JobRunner(Runner):
    """A program at one of the jobs, made by `make` when its turn comes; predict reads the model
    that the program of `trainer` leaves, by default the same.
    """

    def __init__(
        self,
        program: str,
        make: Callable[[Supplies], Program],
        job: Job,
        epochs: int,
        read: Read,
        label: str = "",
        trainer: Callable[[Supplies], Program] | None = None,
    ) -> None:
        super().__init__(program, label)
        self._trainer = trainer or make
        self._make, self._job, self._epochs, self._read = make, job, epochs, read
        self._made: Program | None = None
        self._model = Path()

    def prepare(self, supplies: Supplies) -> None:
        self._made = self._make(supplies)
        self.version = self._made.version
        if not self._job.trains:
            self._model = self._train(self._trainer(supplies), supplies)

    def run(self, supplies: Supplies, output: Path) -> Reading:
        program = self._made
        assert program
        data = supplies.pictures(self._job.pictures)
        command = program.command(self._job, data, self._model, self._epochs, output)
        seconds = supplies.run(command, output)
        result = program.result(self._job, self._epochs, output)
        self.version = program.version
        if not self._job.trains and result.images != supplies.options.files:
            raise Incomplete(f"{result.images} predictions instead of {supplies.options.files}")
        value = self._read(result, seconds)
        if value is None:
            raise Incomplete("it does not say what was asked")
        return Reading(value)

    @staticmethod
    def _train(program: Program, supplies: Supplies) -> Path:
        """One epoch of the article's job, for the model that predict reads."""
        output = supplies.new_folder(f"trained-by-{program.name}")
        data = supplies.pictures(ARTICLE.pictures)
        supplies.run(program.command(ARTICLE, data, Path(), 1, output), output)
        return program.trained_model(output)


class FirstStepRunner(JobRunner):
    """weir at the first step of the article's job. The clock of its trace begins when its libraries
    are loaded, so the time of `weir --version` is added.
    """

    def run(self, supplies: Supplies, output: Path) -> Reading:
        begin = time.monotonic()
        subprocess.run([supplies.options.weir, "--version"], check=True, capture_output=True)
        loading = time.monotonic() - begin
        return Reading(super().run(supplies, output).value + loading)
