"""The programs that are measured: how each is told to do a job, and asked what it did."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from peers.environments import HERE, SetUpFailed, ensure_environment
from peers.jobs import Frozen, Job


class Incomplete(Exception):
    """A program ended well, but what it left behind is not the whole job."""


@dataclass(frozen=True)
class Result:
    """What a run says of itself; None where it does not say."""

    images: int
    images_per_second: float | None = None
    later_images_per_second: float | None = None  # over all epochs but the first
    first_step_seconds: float | None = None


@dataclass
class Program(ABC):
    name: str
    version: str = ""

    @abstractmethod
    def command(self, job: Job, data: Path, model: Path, epochs: int, output: Path) -> list[str]:
        """`model`: what predict reads. A train job leaves it at trained_model(output)."""

    @abstractmethod
    def trained_model(self, output: Path) -> Path: ...

    @abstractmethod
    def result(self, job: Job, epochs: int, output: Path) -> Result:
        """Raises Incomplete."""

    @abstractmethod
    def own_files(self) -> Iterable[Path]:
        """Its code and weights, as far as they are known before it has run."""


class Weir(Program):
    """`arguments` are added to those of `run` and `predict`, `settings` to the configuration. With
    `traces`, a run says when its first step was done, on the clock of its trace.
    """

    def __init__(
        self,
        binary: Path,
        config: Path,
        weights: Path,
        arguments: Iterable[str] = (),
        settings: Mapping[str, object] | None = None,
        traces: bool = False,
    ) -> None:
        super().__init__("weir")
        if not os.access(binary, os.X_OK):
            raise SetUpFailed(
                f"{binary} is not there; build it with ./bootstrap.sh, or name it with --weir"
            )
        self._binary, self._config, self._weights = binary, config, weights
        self._arguments, self._settings, self._traces = [*arguments], settings or {}, traces
        self.version = subprocess.check_output([binary, "--version"], text=True).strip()

    def command(self, job: Job, data: Path, model: Path, epochs: int, output: Path) -> list[str]:
        if not job.trains:
            words = [str(self._binary), "predict", str(model), str(data), "--json"]
            return [*words, *self._arguments]
        values = {
            "pipeline.directory.path": data,
            "pipeline.prefetch.device": "cpu",
            "model.backbone.weights": self._weights,
            "training.epochs": epochs,
            **self._frozen(job.frozen),
            **self._settings,
        }
        words = [str(self._binary), "run", str(self._config), *self._arguments]
        words += ["--out", str(self.trained_model(output))]
        if self._traces:
            words += ["--trace", str(output / "trace.json")]
        return words + [
            word for key, value in values.items() for word in ("--set", f"{key}={value}")
        ]

    @staticmethod
    def _frozen(frozen: Frozen | None) -> dict[str, str]:
        if frozen is Frozen.ALL:
            return {"model.frozen": "all"}
        part = "none" if frozen is Frozen.NONE else "{through: block_11}"
        return {"model.frozen": part, "training.optimizer.adam.learning_rate": "1e-5"}

    def trained_model(self, output: Path) -> Path:
        return output / "run"

    def result(self, job: Job, epochs: int, output: Path) -> Result:
        if not job.trains:
            return Result(_count_lines(output / "stdout"))
        run = self.trained_model(output)
        if not (run / "model/model.safetensors").exists():
            raise Incomplete("there is no model")
        passes = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        if len(passes) != 2 * epochs:
            raise Incomplete(f"{len(passes)} passes instead of {2 * epochs}")
        later = [line for line in passes if line["epoch"] > 1]
        seconds = sum(line["seconds"] for line in later)
        return Result(
            images=sum(line["images"] for line in passes),
            images_per_second=json.loads((run / "summary.json").read_text())["images_per_second"],
            later_images_per_second=(
                sum(line["images"] for line in later) / seconds if seconds else None
            ),
            first_step_seconds=(
                _end_of_first_step(output / "trace.json") if self._traces else None
            ),
        )

    def own_files(self) -> Iterable[Path]:
        return [self._binary, self._config, self._weights]


class Peer(Program):
    """A script beside this one, NAME_peer.py with underscores; `environment` is the package that it
    stands on.
    """

    def __init__(self, name: str, environment: str, venvs: Path, weights: Path) -> None:
        super().__init__(name)
        self._python = ensure_environment(environment, venvs)
        self._script = HERE / f"{name.replace('-', '_')}_peer.py"
        self._weights, self._environment = weights, environment

    def command(self, job: Job, data: Path, model: Path, epochs: int, output: Path) -> list[str]:
        words = [str(self._python), "-B", str(self._script)]  # -B: leaves no files beside it
        words += ["train" if job.trains else "predict", "--data", str(data)]
        words += ["--result", str(output / "result.json")]
        if job.frozen is None:
            predictions = str(output / "predictions.jsonl")
            return [*words, "--model", str(model), "--predictions", predictions]
        words += ["--weights", str(self._weights), "--frozen", job.frozen.value]
        return [*words, "--epochs", str(epochs), "--model", str(self.trained_model(output))]

    def trained_model(self, output: Path) -> Path:
        return output / ("model.keras" if self._environment == "keras" else "model.pth")

    def result(self, job: Job, epochs: int, output: Path) -> Result:
        if not (output / "result.json").exists():
            raise Incomplete("there is no result")
        result = json.loads((output / "result.json").read_text())
        self.version = result.pop("version")
        if not job.trains and _count_lines(output / "predictions.jsonl") != result["images"]:
            raise Incomplete("predictions are missing")
        return Result(**result)

    def own_files(self) -> Iterable[Path]:
        yield from (HERE, self._weights)
        yield self._python.parent.parent
        yield Path(sysconfig.get_path("stdlib"))  # the environment has none of its own


def _count_lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)


def _end_of_first_step(trace: Path) -> float:
    """In seconds since the trace was opened."""
    events = json.loads(trace.read_text())
    steps = [event for event in events if event.get("ph") == "X" and event["name"] == "train"]
    if not steps:
        raise Incomplete("there is no step in the trace")
    first = min(steps, key=lambda event: event["ts"])
    return float(first["ts"] + first["dur"]) / 1e6
