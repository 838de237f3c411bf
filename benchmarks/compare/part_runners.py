"""The runners of parts of a job: input pipelines, forward passes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from peers.environments import HERE
from peers.jobs import Pictures
from peers.machine import instructions
from peers.programs import Incomplete
from runners import Reading, Runner, Skipped
from supplies import Supplies

BATCH = 32


class ScriptRunner(Runner):
    """A peer's script that leaves its figure in a file: SCRIPT --NAME VALUE... --result JSON."""

    def __init__(
        self,
        program: str,
        environment: str,
        script: str,
        arguments: Callable[[Supplies], dict[str, object]],
        images: Callable[[Supplies], int] | None = None,
    ) -> None:
        super().__init__(program)
        self._environment, self._script = environment, script
        self._arguments, self._images = arguments, images

    def prepare(self, supplies: Supplies) -> None:
        supplies.python(self._environment)
        self._arguments(supplies)

    def run(self, supplies: Supplies, output: Path) -> Reading:
        words = [supplies.python(self._environment), "-B", HERE / self._script]
        for name, value in self._arguments(supplies).items():
            words += [f"--{name}", value]
        supplies.run([str(word) for word in (*words, "--result", output / "result.json")], output)
        result = json.loads((output / "result.json").read_text())
        self.version = result["version"]
        if self._images:
            check_images(result["images"], self._images(supplies))
        return Reading(result["images_per_second"], result["setting"])


class InputRunner(Runner):
    """weir's pipeline without a model, by its benchmark program."""

    def __init__(self, pictures: Pictures, passes: int, threads: int, label: str = "") -> None:
        super().__init__("weir", label)
        self._pictures, self._passes, self._threads = pictures, passes, threads

    def prepare(self, supplies: Supplies) -> None:
        supplies.binary("input_pipeline_benchmark")
        self.version = supplies.weir_version()

    def run(self, supplies: Supplies, output: Path) -> Reading:
        folder, binary = supplies.pictures(self._pictures), "input_pipeline_benchmark"
        words = [supplies.binary(binary), folder, self._passes, self._threads]
        supplies.run([str(word) for word in words], output)
        result = json.loads((output / "stdout").read_text())
        check_images(result["images"], count_pictures(folder) * self._passes)
        return Reading(result["images_per_second"])


class ForwardRunner(Runner):
    """weir's frozen backbone by itself, by its benchmark program."""

    def __init__(self, precision: str, threads: int, seconds: float) -> None:
        super().__init__("weir")
        self._name = f"FrozenPrefixRun/{precision}/real_time/threads:{threads}"
        self._seconds = seconds

    def prepare(self, supplies: Supplies) -> None:
        supplies.binary("frozen_prefix_benchmark")
        self.version = supplies.weir_version()

    def run(self, supplies: Supplies, output: Path) -> Reading:
        words = [
            str(supplies.binary("frozen_prefix_benchmark")),
            f"--benchmark_filter=^{self._name}$",
            f"--benchmark_min_time={self._seconds}",
            "--benchmark_format=json",
        ]
        supplies.run(words, output)
        found = json.loads((output / "stdout").read_text() or "{}").get("benchmarks", [])
        if len(found) != 1:
            raise Incomplete(f"there is no benchmark {self._name}")
        if "error_message" in found[0]:
            raise Incomplete(found[0]["error_message"])
        return Reading(found[0]["items_per_second"])


BFLOAT16 = {"avx512_bf16", "amx_bf16"}
INT8 = {"avx512_vnni", "avx_vnni"}


class WithInstructions(Runner):
    """A runner that only makes sense where the processor has one of these extensions."""

    def __init__(self, runner: Runner, wanted: set[str]) -> None:
        super().__init__(runner.program, runner.label)
        self._runner = runner
        self._wanted = wanted

    def prepare(self, supplies: Supplies) -> None:
        if not instructions() & self._wanted:
            names = ", ".join(sorted(self._wanted))
            raise Skipped(f"the processor has no instructions for it ({names})")
        self._runner.prepare(supplies)
        self.version = self._runner.version

    def run(self, supplies: Supplies, output: Path) -> Reading:
        reading = self._runner.run(supplies, output)
        self.version = self._runner.version
        return reading


def count_pictures(folder: Path) -> int:
    return sum(1 for _ in folder.glob("*/*"))


def check_images(images: int, expected: int) -> None:
    """A batch less is right where whole batches are counted."""
    if not expected - BATCH < images <= expected:
        raise Incomplete(f"{images} images instead of {expected}")
