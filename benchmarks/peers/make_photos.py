"""Makes 40 baseline JPEGs of 4000x3000 in two classes out of small pictures, with noise as a camera
leaves it.

usage: make_photos.py FROM TO
"""

import sys
from pathlib import Path

from PIL import Image

SIZE = (4000, 3000)
A_CLASS = 20


def make_photo(source: Path, target: Path) -> None:
    noise = Image.effect_noise(SIZE, 32).convert("RGB")
    with Image.open(source) as picture:
        enlarged = picture.convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)
    Image.blend(enlarged, noise, 0.15).save(target, quality=90, progressive=False)


def main(source: Path, target: Path) -> None:
    for folder in sorted(path for path in source.iterdir() if path.is_dir()):
        (target / folder.name).mkdir(parents=True)
        for index, picture in enumerate(sorted(folder.glob("*.jpg"))[:A_CLASS]):
            make_photo(picture, target / folder.name / f"{index:02}.jpg")


main(Path(sys.argv[1]), Path(sys.argv[2]))
