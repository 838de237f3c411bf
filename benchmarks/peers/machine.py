"""The machine, for the record that a harness leaves."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    return {
        "processor": _of_cpuinfo("model name") or platform.machine(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "memory_mib": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20,
    }


def instructions() -> set[str]:
    """The extensions that the processor has, by the kernel's names."""
    return set(_of_cpuinfo("flags").split())


def _of_cpuinfo(key: str) -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), "")
