"""Puts files out of the page cache, so that a trial that reads or maps them is charged for them.

The kernel charges a page of a file to the group that touches it first. Without this, the first
trial would pay for the code and the data, and all later ones would have them for nothing. What
other processes have mapped at the time (libc, mostly) stays where it is and is charged to none of
them; held_mib says how much that is.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Iterable
from pathlib import Path


def files_below(folder: Path) -> Iterable[Path]:
    """Or the path itself where it is a file."""
    if folder.is_file():
        yield folder
    for root, _, names in os.walk(folder):
        yield from (Path(root, name) for name in names)


def evict(paths: Iterable[Path]) -> None:
    """Files only; what is no longer there is passed over."""
    for path in paths:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            continue
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def held_mib(paths: Iterable[Path]) -> float:
    """How much of these files is in the page cache now, by mincore(2)."""
    libc = ctypes.CDLL(None, use_errno=True)
    pages = 0
    for path in paths:
        if path.is_file() and (size := path.stat().st_size):
            pages += _resident_pages(libc, path, size)
    return pages * mmap.PAGESIZE / (1 << 20)


def _resident_pages(libc: ctypes.CDLL, path: Path, size: int) -> int:
    with path.open("rb") as file, mmap.mmap(file.fileno(), size, flags=mmap.MAP_PRIVATE) as mapping:
        view = (ctypes.c_char * size).from_buffer(mapping)
        state = ctypes.create_string_buffer(-(-size // mmap.PAGESIZE))
        failed = libc.mincore(ctypes.c_void_p(ctypes.addressof(view)), ctypes.c_size_t(size), state)
        del view  # or the mapping could not be closed
        if failed:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(path))
    return sum(byte & 1 for byte in state.raw)
