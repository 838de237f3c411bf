"""What a program said last."""

from __future__ import annotations

from pathlib import Path


def last_words(stderr: Path) -> str:
    """weir's message where there is one, else the last line with a letter; 200 characters."""
    lines = [line.strip() for line in stderr.read_text(errors="replace").splitlines()]
    messages = [line for line in lines if line.startswith("weir: ")]
    words = messages or [line for line in lines if any(map(str.isalpha, line))]
    return words[-1][:200] if words else ""
