"""Runs one command in a memory cgroup and says how it ended and what it held."""

from __future__ import annotations

import contextlib
import re
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from memory_group import MIB, Hierarchy, MemoryGroup
from peers.last_words import last_words

_SAMPLE_SECONDS = 0.01
_WAIT_SECONDS = (
    0.05  # a limited trial is watched less closely, so that the watching costs it nothing
)
_MAPS_EVERY = 10  # samples


@dataclass
class Ending:
    """How a command ended. `status` is None where it was stopped for taking too long."""

    status: int | None
    seconds: float
    out_of_memory_kills: int
    major_faults: int
    last_words: str
    peak_mib: float
    peak_rss_anon_mib: float = 0
    mapped: set[Path] = field(default_factory=set)


class _Watch:
    """The peaks of a group's processes while they run."""

    def __init__(self, group: MemoryGroup, samples: bool) -> None:
        self._group = group
        self._samples = samples
        self._count = 0
        self.usage = 0
        self.rss_anon_kib = 0
        self.mapped: set[Path] = set()

    def look(self) -> None:
        self.usage = max(self.usage, self._group.usage_bytes())
        if not self._samples:
            return
        pids = self._group.pids()
        self.rss_anon_kib = max(self.rss_anon_kib, sum(_rss_anon_kib(pid) for pid in pids))
        if self._count % _MAPS_EVERY == 0:
            for pid in pids:
                self.mapped |= _mapped_files(pid)
        self._count += 1


def _rss_anon_kib(pid: int) -> int:
    with contextlib.suppress(OSError):
        found = re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) if found else 0
    return 0


def _mapped_files(pid: int) -> set[Path]:
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
        return {Path(line.split(maxsplit=5)[5]) for line in lines if " /" in line}
    return set()


def run_in_group(
    command: list[str],
    hierarchy: Hierarchy,
    limit_mib: int | None,
    time_limit_seconds: float | None,
    output: Path,
    environment: dict[str, str],
) -> Ending:
    """Standard output goes to `output`/stdout, errors to `output`/stderr. RssAnon is sampled where
    there is no limit.
    """
    with (
        MemoryGroup(hierarchy, limit_mib) as group,
        (output / "stdout").open("wb") as stdout,
        (output / "stderr").open("wb") as stderr,
    ):
        watch = _Watch(group, samples=limit_mib is None)
        begin = time.monotonic()
        process = subprocess.Popen(
            group.command(command),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=environment,
            start_new_session=True,  # Ctrl-C is ours to answer: leaving the group ends it
        )
        in_time = _wait(process, watch, begin, time_limit_seconds)
        seconds = time.monotonic() - begin
        watch.look()
        kills, faults = group.kills(), group.major_faults()
    status = process.wait()
    return Ending(
        status=status if in_time else None,
        seconds=seconds,
        out_of_memory_kills=kills,
        major_faults=faults,
        last_words=last_words(output / "stderr"),
        peak_mib=watch.usage / MIB,
        peak_rss_anon_mib=watch.rss_anon_kib / 1024,
        mapped=watch.mapped,
    )


def _wait(
    process: subprocess.Popen[bytes], watch: _Watch, begin: float, time_limit_seconds: float | None
) -> bool:
    """False where the time ran out first."""
    pause = _SAMPLE_SECONDS if time_limit_seconds is None else _WAIT_SECONDS
    while process.poll() is None:
        if time_limit_seconds is not None and time.monotonic() - begin > time_limit_seconds:
            return False
        watch.look()
        time.sleep(pause)
    return True
