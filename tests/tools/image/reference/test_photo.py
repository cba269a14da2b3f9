"""Pictures that people give: read upright, or refused by one typed error, however they are damaged."""

from __future__ import annotations

import io
import random
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from tools.errors import InvalidInput
from tools.image.reference.photo import FORMATS, decode_photo

pytestmark = pytest.mark.filterwarnings("ignore")


def a_picture(kind: str, orientation: int = 1, mode: str = "RGB") -> bytes:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 56, 3), dtype=np.uint8)
    notes = Image.Exif()
    notes[0x0112], notes[0x010E] = orientation, "by hand"
    more = {"exif": notes} if kind in ("PNG", "JPEG", "WEBP") else {}
    out = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(out, kind, **more)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_it_is_turned_upright_by_its_own_note(kind: str, orientation: int, mode: str) -> None:
    turned = decode_photo(a_picture(kind, orientation, mode), "it")
    plain = np.asarray(Image.open(io.BytesIO(a_picture(kind, 1, mode))).convert("RGB"))
    # TIFF 6.0, Orientation: how rows and columns lie, as steps that bring them back.
    flipped = plain[:, ::-1] if orientation in (2, 4, 5, 7) else plain
    quarters = {1: 0, 2: 0, 3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}[orientation]
    np.testing.assert_array_equal(turned, np.rot90(flipped, quarters))


def test_a_note_of_the_wrong_kind_is_a_typed_error() -> None:
    # Orientation as a text: what turns it writes the notes anew, and struct refuses.
    rng = random.Random(5)
    data = a_picture("JPEG", 6)
    start = data.index(b"Exif")
    for _ in range(1500):
        damaged = bytearray(data)
        for _ in range(rng.randint(1, 6)):
            damaged[rng.randrange(start, start + 80)] = rng.choice([0, 1, 2, 5, 127, 255])
        _read_or_refused(bytes(damaged))


@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_files_are_read_or_refused_and_nothing_else(kind: str) -> None:
    rng = random.Random(kind)
    data = a_picture(kind, 6)
    for _ in range(250):
        damaged = bytearray(data)
        for _ in range(rng.randint(1, 6)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        cut = rng.randrange(1, len(damaged)) if rng.random() < 0.3 else len(damaged)
        _read_or_refused(bytes(damaged[:cut]))


def _read_or_refused(data: bytes) -> None:
    with suppress(InvalidInput):
        pixels = decode_photo(data, "it")
        assert pixels.ndim == 3
        assert pixels.dtype == np.uint8
