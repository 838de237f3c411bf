#!/usr/bin/env python3
"""page_test.py WEIR: the page of `weir serve` in a browser. Pictures that are chosen, and
dropped, get their classes as `weir predict` has them; what is no picture gets its reason; nothing
is wider than a phone, in light and in dark.

Skipped where chromium or chromedriver is not installed. --screenshots DIR keeps what it looked like.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True
from server_process import Server, draw, skip, train, weir
from web_driver import Browser, missing

# What stands on the page for each picture, the newest first.
SHOWN = """
return [...document.querySelectorAll('#answers article')].map(each => ({
  name: each.querySelector('h2').textContent,
  classes: [...each.querySelectorAll('dt')].map(one => one.textContent),
  values: [...each.querySelectorAll('dd')].map(one => one.textContent),
  bars: [...each.querySelectorAll('meter')].map(one => one.value),
  reason: each.querySelector('.bad')?.textContent ?? null,
  has_image: each.querySelector('img') !== null,
}));
"""

# A drop on the page, as an operating system would make it.
DROP = """
const transfer = new DataTransfer();
for (const [name, text] of arguments[0]) {
  const bytes = Uint8Array.from(atob(text), each => each.charCodeAt(0));
  transfer.items.add(new File([bytes], name, {type: 'image/jpeg'}));
}
const at = document.querySelector(arguments[1]);
let left = true;
for (const kind of ['dragenter', 'dragover', 'drop']) {
  const event = new DragEvent(kind, {dataTransfer: transfer, bubbles: true, cancelable: true});
  left = at.dispatchEvent(event) && left;
}
return left;
"""

# Elements that stick out of the window, to the right or to the left.
TOO_WIDE = """
const width = document.documentElement.clientWidth;
const wide = [...document.querySelectorAll('body *')].filter(each => {
  const box = each.getBoundingClientRect();
  return box.width > 1 && (box.right > width + 0.5 || box.left < -0.5);
}).map(each => each.tagName + ' ' + each.className + ' ' + each.textContent.slice(0, 40));
if (document.documentElement.scrollWidth > width) wide.push('the page scrolls sideways');
return wide;
"""

# The contrast of each text to the page (WCAG 2.2, section 1.4.3).
CONTRASTS = """
const light = color => {
  const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map(each => {
    const part = each / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const paper = light(getComputedStyle(document.body).backgroundColor);
return [...document.querySelectorAll('h1, h2, label, dt, dd, .bad, footer, code')].map(each => {
  const ink = light(getComputedStyle(each).color);
  const [high, low] = ink > paper ? [ink, paper] : [paper, ink];
  return [each.tagName, (high + 0.05) / (low + 0.05)];
});
"""
LEAST_CONTRAST = 4.5

SIZES = {"desk": (1280, 900), "phone": (390, 844), "narrow": (320, 568)}


class PageTest:
    def __init__(self, browser: Browser, url: str, expected: dict[str, Any], screenshots: Path | None) -> None:
        self._browser, self._url, self._expected, self._screenshots = browser, url, expected, screenshots
        self.complaints: list[str] = []

    def expect(self, is_so: bool, what: str) -> None:
        if not is_so:
            self.complaints.append(what)

    def screenshot(self, name: str) -> None:
        if self._screenshots:
            self._screenshots.mkdir(parents=True, exist_ok=True)
            (self._screenshots / f"{name}.png").write_bytes(self._browser.screenshot())

    def open(self, size: str = "desk", is_dark: bool = False) -> None:
        self._browser.emulate(*SIZES[size], is_dark)
        self._browser.open(self._url)

    def answers(self, count: int) -> list[dict[str, Any]]:
        """When so many stand there, and none is waited for."""

        def are_there() -> list[dict[str, Any]] | None:
            found = self._browser.run(SHOWN)
            is_done = len(found) == count and all(each["classes"] or each["reason"] for each in found)
            return found if is_done else None

        return self._browser.wait_for(f"{count} answers on the page", are_there)

    def expect_picture(self, shown: dict[str, Any], picture: Path) -> None:
        expected = self._expected[str(picture)]
        classes = [each["class"] for each in expected]
        values = [f"{100 * each['probability']:.1f} %" for each in expected]
        self.expect(shown["name"] == picture.name, f"{picture.name} is called {shown['name']}")
        self.expect(shown["classes"] == classes, f"{picture.name}: {shown['classes']}, not {classes}")
        self.expect(shown["values"] == values, f"{picture.name}: {shown['values']}, not {values}")
        bars = [abs(bar - each["probability"]) for bar, each in zip(shown["bars"], expected)]
        self.expect(len(bars) == len(expected) and max(bars) < 1e-6, f"{picture.name}: bars {shown['bars']}")
        self.expect(shown["has_image"], f"{picture.name} itself is not shown")

    def expect_reason(self, shown: dict[str, Any], file: Path) -> None:
        self.expect(shown["name"] == file.name, f"{file.name} is called {shown['name']}")
        self.expect(bool(shown["reason"]) and "picture" in shown["reason"], f"{file.name}: {shown['reason']}")
        self.expect(not shown["has_image"], f"{file.name} shows a picture")

    def choose(self, pictures: list[Path], no_picture: Path) -> None:
        self.open()
        self._browser.choose_files("#file", pictures[:1])
        self.expect_picture(self.answers(1)[0], pictures[0])
        self.screenshot("chosen")
        # The same again, as a person may want after a change.
        self._browser.choose_files("#file", pictures[:1])
        self.answers(2)
        self._browser.choose_files("#file", [no_picture])
        self.expect_reason(self.answers(3)[0], no_picture)
        # The last one is on top.
        self._browser.choose_files("#file", [pictures[1], pictures[2]])
        found = self.answers(5)
        self.expect_picture(found[1], pictures[1])
        self.expect_picture(found[0], pictures[2])
        self.screenshot("several")

    def drop(self, pictures: list[Path], no_picture: Path) -> None:
        self.open()
        files = [[each.name, base64.b64encode(each.read_bytes()).decode()] for each in (*pictures[:2], no_picture)]
        for number, where in enumerate(["#drop", "body"]):
            left = self._browser.run(DROP, files, where)
            self.expect(not left, f"a drop on {where} is left to the browser, which goes to the picture")
            found = self.answers(3 * (number + 1))
            self.expect_picture(found[2], pictures[0])
            self.expect_picture(found[1], pictures[1])
            self.expect_reason(found[0], no_picture)
        over = self._browser.run("return document.getElementById('drop').classList.contains('over')")
        self.expect(not over, "the field looks as if something were above it yet")

    def looks(self, pictures: list[Path], long_name: Path, no_picture: Path) -> None:
        papers = set()
        for size in SIZES:
            for is_dark in (False, True):
                name = f"{size}-{'dark' if is_dark else 'light'}"
                self.open(size, is_dark)
                self.screenshot(f"{name}-empty")
                self._browser.choose_files("#file", [pictures[0], long_name, no_picture])
                self.answers(3)
                wide = self._browser.run(TOO_WIDE)
                self.expect(not wide, f"{name}: {wide}")
                faint = [each for each in self._browser.run(CONTRASTS) if each[1] < LEAST_CONTRAST]
                self.expect(not faint, f"{name}: too little contrast: {faint}")
                papers.add(self._browser.run("return getComputedStyle(document.body).backgroundColor"))
                self.screenshot(name)
        self.expect(len(papers) == 2, f"light and dark look alike: {papers}")

    def without_server(self, server: Server, picture: Path) -> None:
        self.open()
        server.terminate()
        self.expect(server.status(10) == 0, "the server does not end")
        self._browser.choose_files("#file", [picture])
        reason = self.answers(1)[0]["reason"]
        self.expect(bool(reason) and "server" in reason, f"without a server it says {reason}")

    def console(self) -> None:
        """Nothing is complained of in the browser's console, beside what was refused."""
        found = [each for each in self._browser.complaints() if "422" not in each]
        self.expect(not found, f"the browser's console has {found}")


def predictions(binary: Path, run: Path, pictures: list[Path]) -> dict[str, Any]:
    """Of each picture, as `weir predict` says."""
    lines = weir(binary, "predict", run, *pictures, "--json", "--top", 5).splitlines()
    return {each["path"]: each["predictions"] for each in map(json.loads, lines)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weir", type=Path)
    parser.add_argument("--run", type=Path, help="a trained run (default: one of its own)")
    parser.add_argument("--screenshots", type=Path, metavar="DIR")
    options = parser.parse_args()
    if lacks := missing():
        skip(lacks)
    binary = options.weir.resolve()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        scratch = Path(folder)
        pictures = draw(binary, scratch)
        run = options.run.resolve() if options.run else train(binary, scratch)
        no_picture = scratch / "notes.txt"
        no_picture.write_text("These are notes, and no picture.\n")
        long_name = scratch / ("a_name_without_a_place_to_break_it" * 5 + ".jpg")
        long_name.write_bytes(pictures[3].read_bytes())
        expected = predictions(binary, run, pictures)
        with Server(binary, run) as server, Browser(scratch / "profile") as browser:
            test = PageTest(browser, f"http://127.0.0.1:{server.port}/", expected, options.screenshots)
            test.choose(pictures, no_picture)
            test.drop(pictures, no_picture)
            test.looks(pictures, long_name, no_picture)
            test.console()
            test.without_server(server, pictures[0])
    for each in test.complaints:
        print(f"wrong: {each}")
    return 1 if test.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
