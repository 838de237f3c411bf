"""A browser without a window, driven as https://www.w3.org/TR/webdriver2/ says: JSON over HTTP to
chromedriver. Only what a page with a file input needs.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Callable

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key that stands for an element
WAIT = 30.0  # seconds for what the page does by itself


def missing() -> str | None:
    """What of the browser is not installed."""
    if not shutil.which("chromedriver"):
        return "chromedriver is not installed"
    if not browser():
        return "chromium is not installed"
    return None


def browser() -> str | None:
    names = ["chromium", "chromium-browser", "google-chrome", "chrome"]
    return next(filter(None, map(shutil.which, names)), None)


class Browser:
    def __init__(self, profile: Path) -> None:
        self._driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True)
        self._session = ""
        try:
            self._url = f"http://127.0.0.1:{self._port()}"
            self._session = "/session/" + self._begin(profile)["sessionId"]
        except BaseException:
            self._driver.kill()
            raise

    def _port(self) -> int:
        for line in self._driver.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                return int(found[1])
        raise RuntimeError(f"chromedriver: status {self._driver.wait()}")

    def _begin(self, profile: Path) -> Any:
        words = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={profile}"]
        if os.geteuid() == 0:
            words.append("--no-sandbox")
        options = {"binary": browser(), "args": words}
        return self._call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}})

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._call("DELETE", self._session)
        finally:
            self._driver.terminate()
            self._driver.wait()

    def _call(self, method: str, path: str, given: Any = None) -> Any:
        body = None if method != "POST" else json.dumps(given or {}).encode()
        request = urllib.request.Request(self._url + path, body, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{path}: {json.load(error)['value']['message']}") from error

    def post(self, path: str, **given: Any) -> Any:
        return self._call("POST", self._session + path, given)

    def open(self, url: str) -> None:
        self.post("/url", url=url)

    def run(self, script: str, *given: Any) -> Any:
        """The value of a script's `return`."""
        return self.post("/execute/sync", script=script, args=list(given))

    def find(self, selector: str) -> dict[str, str]:
        return self.post("/element", using="css selector", value=selector)

    def choose_files(self, selector: str, files: list[Path]) -> None:
        """In an input of files, as a person does in the dialogue that it opens."""
        element = self.find(selector)[ELEMENT]
        self.post(f"/element/{element}/value", text="\n".join(map(str, files)))

    def emulate(self, width: int, height: int, is_dark: bool) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self._devtools("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        self._devtools("Emulation.setEmulatedMedia", {"features": [scheme]})

    def _devtools(self, command: str, parameters: dict[str, Any]) -> None:
        self.post("/goog/cdp/execute", cmd=command, params=parameters)

    def complaints(self) -> list[str]:
        """What the browser has written to its console since it was asked last."""
        return [each["message"] for each in self.post("/se/log", type="browser")]

    def screenshot(self) -> bytes:
        return base64.b64decode(self._call("GET", self._session + "/screenshot"))

    def wait_for(self, what: str, condition: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + WAIT
        while not (found := condition()):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{what}: not within {WAIT:g} s")
            time.sleep(0.02)
        return found
