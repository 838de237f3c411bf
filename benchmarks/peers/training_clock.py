"""Times a training: its first step since the process began, its epochs, and all of them."""

from __future__ import annotations

import os
import time
from pathlib import Path


def seconds_since_start() -> float:
    """Since this process began, imports included; to a tick of the kernel, 10 ms."""
    fields = Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()
    started = int(fields[19]) / os.sysconf("SC_CLK_TCK")  # field 22 of proc(5), since the boot
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


class TrainingClock:
    """Told of each step and each epoch's end; the training begins where the clock is made."""

    def __init__(self) -> None:
        self._ends = [time.monotonic()]
        self._first_step_seconds: float | None = None

    def step(self) -> None:
        if self._first_step_seconds is None:
            self._first_step_seconds = seconds_since_start()

    def epoch_end(self) -> None:
        self._ends.append(time.monotonic())

    def result(self, images_an_epoch: int) -> dict[str, float | None]:
        """`later_images_per_second` is of all epochs but the first; None where there is one."""
        first, second, last = self._ends[0], self._ends[1], self._ends[-1]
        epochs = len(self._ends) - 1
        images = images_an_epoch * epochs
        later = images_an_epoch * (epochs - 1) / (last - second) if epochs > 1 else None
        return {
            "images": images,
            "images_per_second": images / (last - first),
            "later_images_per_second": later,
            "first_step_seconds": self._first_step_seconds,
        }
