"""The jobs, and the pictures that they read."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from peers.environments import HERE


class Frozen(Enum):
    """Which part of the backbone keeps its weights."""

    ALL = "all"
    ALL_BUT_5_BLOCKS = "all-but-5-blocks"
    NONE = "none"


class Pictures(Enum):
    SMALL = "245 photos of ants and bees, 0.2 megapixels"
    JPEGS = "links to the 244 JPEGs among them"
    MANY = "links to the photos of ants and bees"
    LARGE = "40 photos of 12 megapixels"
    HUNDRED = "links to photos of ants and bees, 100 in all"
    THOUSAND = "links to photos of ants and bees, 1,000 in all"
    TEN_THOUSAND = "links to photos of ants and bees, 10,000 in all"


COUNTS = {Pictures.HUNDRED: 100, Pictures.THOUSAND: 1000, Pictures.TEN_THOUSAND: 10000}


@dataclass(frozen=True)
class Job:
    name: str
    title: str
    pictures: Pictures
    frozen: Frozen | None  # None: predicts

    @property
    def trains(self) -> bool:
        return self.frozen is not None


ARTICLE = Job("article", "the article's: head on a frozen backbone", Pictures.SMALL, Frozen.ALL)
LAST_5_BLOCKS = Job(
    "last-5-blocks", "the last 5 blocks unfrozen", Pictures.SMALL, Frozen.ALL_BUT_5_BLOCKS
)
UNFROZEN = Job("unfrozen", "everything unfrozen, batch 32", Pictures.SMALL, Frozen.NONE)
PREDICT = Job("predict", "predict over a folder", Pictures.MANY, None)
MEGAPIXEL_12 = Job(
    "12-megapixel", "head on a frozen backbone, 12-megapixel photos", Pictures.LARGE, Frozen.ALL
)


def prepare_pictures(
    kind: Pictures, shared: Path, scratch: Path, count: int, python: Path | None
) -> Path:
    """The folder of such pictures, made where it is not there; `python` has Pillow, for LARGE."""
    hymenoptera = shared / "data/hymenoptera"
    if kind is Pictures.SMALL:
        return hymenoptera / "train"
    folder = scratch / kind.name.lower()
    if folder.exists():
        return folder
    if kind is Pictures.MANY:
        pictures = sorted(hymenoptera.glob("*/*/*.jpg"))
        _link_pictures(_repeated(pictures, count), folder / "unsorted")
    elif kind is Pictures.JPEGS or kind in COUNTS:
        places = sorted((hymenoptera / "train").iterdir())
        for place in places:
            pictures = sorted(place.glob("*.jp*g"))
            wanted = COUNTS[kind] // len(places) if kind in COUNTS else len(pictures)
            _link_pictures(_repeated(pictures, wanted), folder / place.name)
    else:
        assert python
        subprocess.run([python, HERE / "make_photos.py", hymenoptera / "train", folder], check=True)
    os.sync()  # a page that is not yet on the disk cannot be evicted
    return folder


def _repeated(pictures: list[Path], count: int) -> list[Path]:
    return [pictures[index % len(pictures)] for index in range(count)]


def _link_pictures(pictures: list[Path], folder: Path) -> None:
    """Hard links where the file system allows, so that a name is a file; else symbolic ones."""
    folder.mkdir(parents=True)
    for index, picture in enumerate(pictures):
        name = folder / f"{index:06}.jpg"
        try:
            name.hardlink_to(picture)
        except OSError:
            name.symlink_to(picture)
