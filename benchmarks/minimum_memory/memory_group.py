"""A cgroup of our own that limits the memory of one trial: v1 (memory.limit_in_bytes) or v2
(memory.max).

Everything that the trial touches first is charged to it: its private memory, the page cache of the
files that it reads, the code that it maps, kernel memory. Swap is shut off or limited too, so that
nothing hides there. Needs root.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20


class Unavailable(Exception):
    """There is no cgroup to be had: one line that says why, one with the remedy."""


@dataclass(frozen=True)
class Hierarchy:
    """Where groups are made, and the names of the files in them."""

    version: int
    parent: Path

    @property
    def limit_file(self) -> str:
        return "memory.limit_in_bytes" if self.version == 1 else "memory.max"

    @property
    def swap_file(self) -> str:
        return "memory.memsw.limit_in_bytes" if self.version == 1 else "memory.swap.max"

    @property
    def usage_files(self) -> tuple[str, str]:
        """The peak, and for kernels that do not keep it the usage of now."""
        if self.version == 1:
            return "memory.max_usage_in_bytes", "memory.usage_in_bytes"
        return "memory.peak", "memory.current"

    @property
    def kills_file(self) -> str:
        return "memory.oom_control" if self.version == 1 else "memory.events"


def find_hierarchy() -> Hierarchy:
    """The memory controller that this process is under; v2 groups go below the nearest group that
    hands it on.
    """
    if os.geteuid() != 0:
        raise Unavailable("limiting memory by cgroup needs root; run it with sudo")
    groups = dict(_own_groups())
    if "memory" in groups:
        mount, root = _mount("cgroup", "memory")
        return _checked(Hierarchy(1, _below(mount, root, groups["memory"])))
    mount, root = _mount("cgroup2", "")
    group = _below(mount, root, groups.get("", "/"))
    while group != mount and not _hands_on_memory(group):
        group = group.parent
    if not _hands_on_memory(group):
        try:
            (group / "cgroup.subtree_control").write_text("+memory")
        except OSError as error:
            raise Unavailable(
                f"{group} does not hand the memory controller on ({error.strerror}); run it "
                "outside the container, or where the topmost group has no process of its own"
            ) from error
    return _checked(Hierarchy(2, group))


def _own_groups() -> list[tuple[str, str]]:
    lines = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    return [(controller, path) for _, names, path in lines for controller in names.split(",")]


def _mount(kind: str, option: str) -> tuple[Path, str]:
    """The mount point of a cgroup file system, and which of its groups is seen there."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        file_system, _, options = after.split(" ")[:3]
        if file_system == kind and (not option or option in options.split(",")):
            return Path(before.split(" ")[4]), before.split(" ")[3]
    raise Unavailable(
        "no cgroup file system with the memory controller is mounted; mount one on /sys/fs/cgroup"
    )


def _below(mount: Path, root: str, group: str) -> Path:
    path = mount / group.removeprefix(root).lstrip("/")
    return path if path.is_dir() else mount


def _hands_on_memory(group: Path) -> bool:
    return "memory" in (group / "cgroup.subtree_control").read_text().split()


def _checked(hierarchy: Hierarchy) -> Hierarchy:
    with MemoryGroup(hierarchy, None) as probe:
        can_limit_swap = (probe.path / hierarchy.swap_file).exists()
    if not can_limit_swap and len(Path("/proc/swaps").read_text().splitlines()) > 1:
        raise Unavailable(
            "swap is on and this kernel does not limit it by cgroup; run `swapoff -a` first"
        )
    return hierarchy


class MemoryGroup:
    """One cgroup, made on entry; on exit what is left in it is killed and it is removed."""

    _numbers = itertools.count()

    def __init__(self, hierarchy: Hierarchy, limit_mib: int | None) -> None:
        self._hierarchy = hierarchy
        self._limit_mib = limit_mib
        self.path = hierarchy.parent / f"weir-minimum-memory-{os.getpid()}-{next(self._numbers)}"

    def __enter__(self) -> MemoryGroup:
        try:
            self.path.mkdir()
        except OSError as error:
            raise Unavailable(
                f"cannot make a group in {self._hierarchy.parent} ({error.strerror}); "
                "run it as root where /sys/fs/cgroup can be written"
            ) from error
        if self._limit_mib is not None:
            self._limit(self._limit_mib * MIB)
        return self

    def __exit__(self, *exception: object) -> None:
        while pids := self.pids():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
        for _ in range(100):  # a group may stay busy for a moment after its last process
            with contextlib.suppress(OSError):
                self.path.rmdir()
                return
            time.sleep(0.02)
        self.path.rmdir()

    def _limit(self, size: int) -> None:
        (self.path / self._hierarchy.limit_file).write_text(str(size))
        swap = self.path / self._hierarchy.swap_file
        if swap.exists():
            swap.write_text(str(size) if self._hierarchy.version == 1 else "0")

    def command(self, command: list[str]) -> list[str]:
        """The command so that it is in the group before its first page is read."""
        enter = 'echo $$ > "$0" && exec "$@"'
        return ["sh", "-c", enter, str(self.path / "cgroup.procs"), *command]

    def pids(self) -> list[int]:
        return [int(pid) for pid in (self.path / "cgroup.procs").read_text().split()]

    def usage_bytes(self) -> int:
        """The most that was charged so far where the kernel keeps it, else what is charged now."""
        for name in self._hierarchy.usage_files:
            if (self.path / name).exists():
                return int((self.path / name).read_text())
        return 0

    def kills(self) -> int:
        """How many processes the kernel killed here for want of memory."""
        return self._count(self._hierarchy.kills_file, "oom_kill")

    def major_faults(self) -> int:
        """How often a page was read from the disk: what makes a run slow at a tight limit."""
        return self._count("memory.stat", "pgmajfault")

    def _count(self, file: str, name: str) -> int:
        lines = [line.split() for line in (self.path / file).read_text().splitlines()]
        return next((int(value) for key, value in lines if key == name), 0)
