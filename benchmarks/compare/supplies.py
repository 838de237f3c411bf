"""What runs need: pictures, environments, an ONNX file. Each is made when it is first asked for."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
from pathlib import Path

from peers.environments import HERE, SetUpFailed, ensure_environment, packages_of
from peers.jobs import Pictures, prepare_pictures
from peers.options import KERAS_WEIGHTS, PYTORCH_WEIGHTS
from process import run


class Supplies:
    """`scratch` is empty in the beginning, and is removed by the caller."""

    def __init__(self, options: argparse.Namespace, scratch: Path) -> None:
        self.options, self._scratch = options, scratch
        self.keras_weights = options.shared / KERAS_WEIGHTS
        self.pytorch_weights = options.shared / PYTORCH_WEIGHTS

    def pictures(self, kind: Pictures) -> Path:
        python = self.python("photos") if kind is Pictures.LARGE else None
        return prepare_pictures(
            kind, self.options.shared, self._scratch, self.options.files, python
        )

    def python(self, environment: str) -> Path:
        return ensure_environment(environment, self.options.venv)

    def binary(self, name: str) -> Path:
        """A benchmark program of weir's build."""
        path = Path(self.options.benchmarks, name)
        if not os.access(path, os.X_OK):
            raise SetUpFailed(
                f"{path} is not there; build it with ./bootstrap.sh test, or name its folder with "
                "--benchmarks"
            )
        return path

    def weir_version(self) -> str:
        return subprocess.check_output([self.options.weir, "--version"], text=True).strip()

    def onnx_model(self) -> Path:
        """torchvision's backbone and its pooling, with the weights of the .pth."""
        model = self._scratch / "backbone.onnx"
        if not model.exists():
            command = [self.python("pytorch"), "-B", HERE / "onnx_export.py"]
            packages = packages_of(self.python("onnx_export"))
            environment = {**os.environ, "PYTHONPATH": str(packages)}
            words = [str(word) for word in (*command, self.pytorch_weights, model)]
            run(words, environment, self.new_folder("onnx"), self.options.time_limit)
        return model

    def new_folder(self, name: str) -> Path:
        """Empty; another one of the same name is removed."""
        folder = self._scratch / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def run(self, command: list[str], output: Path) -> float:
        """Its seconds. What torch.compile made is kept from run to run, as it is for a user."""
        kept = {"TORCHINDUCTOR_CACHE_DIR": str(self._scratch / "inductor")}
        return run(command, {**os.environ, **kept}, output, self.options.time_limit)
