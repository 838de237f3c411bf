"""What is measured: how each program is installed, told to do a job, and asked what it did."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
import venv
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from jobs import HERE, Frozen, Job
from page_cache import files_below

_AUTO = ["--memory", "auto"]  # weir finds the cgroup's limit itself


class Incomplete(Exception):
    """A program ended well, but what it left behind is not the whole job."""


class SetUpFailed(Exception):
    """A program cannot be had here: one line that says why, and the remedy."""


def ensure_environment(name: str, venvs: Path) -> Path:
    """The Python of a virtual environment with what NAME.txt pins; made at first use, made anew
    where that changed.

    It has a copy of the interpreter, so that its code is charged to a trial and not to this
    process.
    """
    folder, wanted = venvs / name, (HERE / f"{name}.txt").read_text()
    python, stamp = folder / "bin/python", folder / "requirements.txt"
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"{name}: installing into {folder}", flush=True)
    try:
        venv.create(folder, clear=True, symlinks=False, with_pip=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "-r", HERE / f"{name}.txt"], check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetUpFailed(
            f"{folder} could not be made ({error}); pip's own lines above say more"
        ) from error
    stamp.write_text(wanted)
    return python


@dataclass
class Program(ABC):
    name: str
    resolution_mib: int
    version: str = ""
    mapped: set[Path] = field(default_factory=set)  # by a run of it: code, and whatever else

    @abstractmethod
    def command(self, job: Job, data: Path, model: Path, epochs: int, output: Path) -> list[str]:
        """`model`: what predict reads. A train job leaves it at trained_model(output)."""

    @abstractmethod
    def trained_model(self, output: Path) -> Path: ...

    @abstractmethod
    def result(self, job: Job, epochs: int, output: Path) -> tuple[int, float | None]:
        """Images and, where it says so, images/s; raises Incomplete."""

    @abstractmethod
    def own_files(self) -> Iterable[Path]:
        """Its code and weights, as far as they are known before it has run."""


class Weir(Program):
    def __init__(self, binary: Path, config: Path, weights: Path, resolution_mib: int) -> None:
        super().__init__("weir", resolution_mib)
        if not os.access(binary, os.X_OK):
            raise SetUpFailed(
                f"{binary} is not there; build it with ./bootstrap.sh, or name it with --weir"
            )
        self._binary, self._config, self._weights = binary, config, weights
        self.version = subprocess.check_output([binary, "--version"], text=True).strip()

    def command(self, job: Job, data: Path, model: Path, epochs: int, output: Path) -> list[str]:
        if not job.trains:
            return [str(self._binary), "predict", str(model), str(data), *_AUTO, "--json"]
        values = {
            "pipeline.directory.path": data,
            "pipeline.prefetch.device": "cpu",
            "model.backbone.weights": self._weights,
            "training.epochs": epochs,
            **self._frozen(job.frozen),
        }
        settings = [word for key, value in values.items() for word in ("--set", f"{key}={value}")]
        run = [
            str(self._binary),
            "run",
            str(self._config),
            "--out",
            str(self.trained_model(output)),
        ]
        return [*run, *_AUTO, *settings]

    @staticmethod
    def _frozen(frozen: Frozen | None) -> dict[str, str]:
        if frozen is Frozen.ALL:
            return {"model.frozen": "all"}
        part = "none" if frozen is Frozen.NONE else "{through: block_11}"
        return {"model.frozen": part, "training.optimizer.adam.learning_rate": "1e-5"}

    def trained_model(self, output: Path) -> Path:
        return output / "run"

    def result(self, job: Job, epochs: int, output: Path) -> tuple[int, float | None]:
        if not job.trains:
            return _count_lines(output / "stdout"), None
        run = self.trained_model(output)
        if not (run / "model/model.safetensors").exists():
            raise Incomplete("there is no model")
        passes = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        if len(passes) != 2 * epochs:
            raise Incomplete(f"{len(passes)} passes instead of {2 * epochs}")
        rate = json.loads((run / "summary.json").read_text())["images_per_second"]
        return sum(line["images"] for line in passes), rate

    def own_files(self) -> Iterable[Path]:
        return [self._binary, self._config, self._weights]


class Peer(Program):
    def __init__(self, name: str, venvs: Path, weights: Path, resolution_mib: int) -> None:
        super().__init__(name, resolution_mib)
        self._python = ensure_environment(name, venvs)
        self._script = HERE / f"{name}_peer.py"
        self._weights = weights

    def command(self, job: Job, data: Path, model: Path, epochs: int, output: Path) -> list[str]:
        words = [
            str(self._python),
            str(self._script),
            "train" if job.trains else "predict",
            "--data",
            str(data),
        ]
        words += ["--result", str(output / "result.json")]
        if job.frozen is None:
            return [
                *words,
                "--model",
                str(model),
                "--predictions",
                str(output / "predictions.jsonl"),
            ]
        words += [
            "--weights",
            str(self._weights),
            "--frozen",
            job.frozen.value,
            "--epochs",
            str(epochs),
        ]
        return [*words, "--model", str(self.trained_model(output))]

    def trained_model(self, output: Path) -> Path:
        return output / ("model.keras" if self.name == "keras" else "model.pth")

    def result(self, job: Job, epochs: int, output: Path) -> tuple[int, float | None]:
        if not (output / "result.json").exists():
            raise Incomplete("there is no result")
        result = json.loads((output / "result.json").read_text())
        self.version = result["version"]
        if not job.trains and _count_lines(output / "predictions.jsonl") != result["images"]:
            raise Incomplete("predictions are missing")
        return result["images"], result.get("images_per_second")

    def own_files(self) -> Iterable[Path]:
        yield from (self._script, self._weights)
        yield from files_below(self._python.parent.parent)
        yield from files_below(
            Path(sysconfig.get_path("stdlib"))
        )  # the environment has none of its own


def _count_lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)
