"""The peers' virtual environments: what NAME.txt pins, installed at first use."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent


class SetUpFailed(Exception):
    """A program cannot be had here: one line that says why, and the remedy."""


def ensure_environment(name: str, venvs: Path) -> Path:
    """The Python of a virtual environment with what NAME.txt pins; made at first use, made anew
    where that changed.

    It has a copy of the interpreter, so that its code is charged to a trial and not to the process
    that measures.
    """
    folder, wanted = venvs / name, (HERE / f"{name}.txt").read_text()
    python, stamp = folder / "bin/python", folder / "requirements.txt"
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"{name}: installing into {folder}", flush=True)
    try:
        venv.create(folder, clear=True, symlinks=False, with_pip=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "-r", HERE / f"{name}.txt"], check=True
        )
    except subprocess.CalledProcessError as error:
        raise SetUpFailed(
            f"what {name}.txt names could not be installed into {folder}; the lines above say why"
        ) from error
    except OSError as error:
        raise SetUpFailed(f"{folder} could not be made ({error})") from error
    stamp.write_text(wanted)
    return python


def packages_of(python: Path) -> Path:
    """Where an environment's packages lie, so that another Python can be given them."""
    return next((python.parents[1] / "lib").glob("python3.*/site-packages"))
