"""Runs one command to its end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from peers.last_words import last_words


class RunFailed(Exception):
    """A command ended badly, or never: one line."""


def run(
    command: Sequence[str], environment: Mapping[str, str], output: Path, time_limit_seconds: float
) -> float:
    """Its seconds. Standard output goes to `output`/stdout, errors to `output`/stderr. Whatever it
    started ends with it, also where this is interrupted.
    """
    with (output / "stdout").open("wb") as stdout, (output / "stderr").open("wb") as stderr:
        begin = time.monotonic()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=environment,
            start_new_session=True,  # Ctrl-C is ours to answer
        )
        try:
            status = process.wait(time_limit_seconds)
            seconds = time.monotonic() - begin
        except subprocess.TimeoutExpired as error:
            raise RunFailed(f"not done after {time_limit_seconds:.0f} s") from error
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if status != 0:
        raise RunFailed(f"status {status}: {last_words(output / 'stderr')}")
    return seconds
