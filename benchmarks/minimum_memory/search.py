"""Finds the smallest limit at which a trial passes, by halving."""

from __future__ import annotations

from collections.abc import Callable

FLOOR_MIB = 16


def smallest_limit(
    peak_mib: float, resolution_mib: int, repeats: int, passes: Callable[[int], bool]
) -> int | None:
    """The smallest of 16 MiB, 16 + resolution, ... at which `passes` said yes `repeats` times in a
    row, or None.

    Halves between 16 MiB and the peak without a limit, as though more memory never hurt, then
    repeats what it found: at the edge a trial may pass by luck, so each failure there moves the
    answer up by one step, at most to half again the peak.
    """
    low, high = -1, max(0, -(-int(peak_mib + 1 - FLOOR_MIB) // resolution_mib))
    last = high + high // 2 + 1
    passed_at: set[int] = set()
    while high - low > 1:
        middle = (low + high) // 2
        if passes(FLOOR_MIB + middle * resolution_mib):
            passed_at.add(middle)
            high = middle
        else:
            low = middle
    for step in range(high, last + 1):
        count = repeats - (step in passed_at)
        if all(passes(FLOOR_MIB + step * resolution_mib) for _ in range(count)):
            return FLOOR_MIB + step * resolution_mib
    return None
