#!/usr/bin/env python3
"""`weir serve` beside FastAPI with ONNX Runtime (fastapi_peer.py), with the same model and the same
pictures: pictures a second, the median and the 99th percentile of the time to an answer, and the
memory that the servers hold, at 1, 8 and 64 clients. The two take turns; figures are medians of
--repeats. Both are given all processors of this machine, and share them with wrk, which sends.

  ./measure.py RUN PICTURES_DIR --python VENV/bin/python

Needs wrk, a build of weir, and a Python with what peer.txt lists. RUN is a trained run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CLIENTS = (1, 8, 64)
PORT = 8391


def private_bytes(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    found = re.findall(r"^Rss(?:Anon|Shmem):\s+(\d+) kB", status, re.MULTILINE)
    return 1024 * sum(map(int, found))


def resident_bytes(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return 1024 * int(re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)[1])


@contextlib.contextmanager
def server(words: list[str], environment: dict[str, str]) -> Iterator[int]:
    """Runs it until it answers, and ends it behind; gives its process."""
    with subprocess.Popen(words, cwd=HERE, env={**os.environ, **environment},
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(600):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{PORT}/").read()
                except urllib.error.HTTPError:
                    break
                except OSError:
                    time.sleep(0.05)
                else:
                    break
            yield process.pid
        finally:
            process.terminate()


def load(clients: int, seconds: int, pictures: Path) -> dict[str, Any]:
    words = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "30s", "-s", "pictures.lua",
             f"http://127.0.0.1:{PORT}"]
    run = subprocess.run(words, cwd=HERE, env={**os.environ, "PICTURES": str(pictures)}, check=True,
                         stdout=subprocess.PIPE, text=True)
    return json.loads(run.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--build", type=Path, default=HERE.parent.parent / "build")
    parser.add_argument("--memory", default="192MiB", help="the ceiling of weir")
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    weir = options.build / "weir"
    with tempfile.TemporaryDirectory() as scratch:
        model, listed = Path(scratch) / "model.onnx", Path(scratch) / "pictures"
        subprocess.run([weir, "export", options.run, "--to", "onnx", "--out", model], check=True,
                       stdout=subprocess.DEVNULL)
        listed.write_text("".join(f"{path.resolve()}\n" for path in
                                  sorted(options.pictures.rglob("*.jpg"))), encoding="utf-8")
        described = json.loads((options.run / "model/model.json").read_text(encoding="utf-8"))
        servers = {
            "weir": ([weir, "serve", options.run.resolve(), "--port", PORT, "--memory",
                      options.memory], {}),
            "FastAPI": ([options.python, "-m", "uvicorn", "fastapi_peer:app", "--port", PORT,
                         "--log-level", "error"],
                        {"MODEL": str(model), "CLASSES": ",".join(described["classes"])}),
        }
        for clients in CLIENTS:
            measured: dict[str, list[dict[str, Any]]] = {name: [] for name in servers}
            for _ in range(options.repeats):
                for name, (words, environment) in servers.items():
                    with server([str(word) for word in words], environment) as process:
                        load(clients, 1, listed)
                        figures = load(clients, options.seconds, listed)
                        figures["private_mib"] = private_bytes(process) / 2**20
                        figures["resident_mib"] = resident_bytes(process) / 2**20
                        measured[name].append(figures)
            for name, each in measured.items():
                def median(key: str) -> float:
                    return statistics.median(figures[key] for figures in each)
                rate = statistics.median(f["answered"] / f["seconds"] for f in each)
                print(f"{clients:3} clients  {name:8} {rate:7.1f} pictures/s  p50 {median('p50_ms'):8.1f} ms  "
                      f"p99 {median('p99_ms'):8.1f} ms  {median('private_mib'):6.0f} MiB private, "
                      f"{median('resident_mib'):.0f} MiB resident at most, "
                      f"{sum(figures['failed'] for figures in each)} failed")


if __name__ == "__main__":
    main()
