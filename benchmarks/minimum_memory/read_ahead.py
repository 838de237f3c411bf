"""How far the kernel reads ahead on a disk.

Every page of a program's code that is not in memory brings as many of its neighbours with it. In a
small limit these push out code that is needed again, so that the smallest limit at which a program
runs well is a figure of the disk's setting too. The kernel's default is 128 KiB; some virtual disks
come with 8 MiB.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def read_ahead(kib: int, paths: Iterable[Path]) -> Iterator[list[str]]:
    """Sets it on the disks of `paths` meanwhile; yields a line for each disk, to print."""
    before: dict[Path, str] = {}
    said: list[str] = []
    for device in sorted({os.stat(path).st_dev for path in paths}):
        name = f"{os.major(device)}:{os.minor(device)}"
        setting = _setting(name)
        if setting is None:
            said.append(f"disk {name}: its read-ahead is unknown, and left as it is")
            continue
        before.setdefault(setting, setting.read_text().strip())
        said.append(f"disk {name}: read-ahead {kib} KiB in place of its {before[setting]}")
    try:
        for setting in before:
            setting.write_text(str(kib))
        yield said
    finally:
        for setting, value in before.items():
            setting.write_text(value)


def _setting(name: str) -> Path | None:
    """Of a disk, of the disk of a partition, of a file system of its own kind (btrfs, NFS)."""
    block = Path("/sys/dev/block") / name
    for folder in (block / "bdi", block.resolve().parent / "bdi", Path("/sys/class/bdi") / name):
        if (folder / "read_ahead_kb").exists():
            return (folder / "read_ahead_kb").resolve()
    return None
