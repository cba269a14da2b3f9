"""Files that tell a decoder to read others, and names that mean something to it: only the file itself is ever read.

What is referred to is a good recording beside it, and a server on this machine that hears who asks. The twin opens
by name, with whatever demuxer fits.
"""

from __future__ import annotations

import http.server
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.hostile.media import whole
from tools.errors import BadOutput, InvalidInput
from tools.seeing.pictures import read_picture
from tools.transcription.recordings import read_recording
from tools.video.probe import probe, read_cues

FULL = bool(os.environ.get("STUDIO_FULL"))


class Asked(http.server.BaseHTTPRequestHandler):
    """Writes down who asked."""

    def do_GET(self) -> None:
        assert isinstance(self.server, Listening)
        self.server.asked.append(self.path)
        self.send_error(404)

    def log_message(self, *_args: object) -> None:
        """Says nothing."""


class Listening(http.server.ThreadingHTTPServer):
    """A server on this machine that nobody ought to ask."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.asked: list[str] = []


@pytest.fixture
def server() -> Iterator[Listening]:
    with Listening() as up:
        threading.Thread(target=up.serve_forever, daemon=True).start()
        yield up
        up.shutdown()


def lists(folder: Path, port: int) -> dict[str, str]:
    """Playlists and the like, that name a neighbour, a file elsewhere, and a server."""
    near, far, web = "neighbour.wav", str(folder / "neighbour.wav"), f"http://127.0.0.1:{port}/"
    return {
        "m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:4,\n{near}\n#EXTINF:4,\n{web}a.ts\n#EXT-X-ENDLIST\n",
        "m3u8 absolute": f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:4,\nfile://{far}\n#EXT-X-ENDLIST\n",
        "ffconcat": f"ffconcat version 1.0\nfile {near}\nfile '{far}'\nfile {web}b.wav\n",
        "ffconcat unsafe": f"ffconcat version 1.0\nfile {near}\n",
        "sdp": f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP 0\n",
        "asx": f'<asx version="3.0"><entry><ref href="{web}c.wav"/></entry></asx>',
        "dash": f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet>'
        f'<Representation id="1" bandwidth="1"><BaseURL>{web}d.mp4</BaseURL></Representation>'
        "</AdaptationSet></Period></MPD>",
        "imf": f'<?xml version="1.0"?><CompositionPlaylist><Id>{web}e</Id></CompositionPlaylist>',
        "redirect": f"[Reference]\nRef1={web}f.wav\n",
    }


def openers(path: Path) -> list[Callable[[], object]]:
    each: list[Callable[[], object]] = [
        lambda: read_recording(path),
        lambda: probe(path, kind="mp4" if path.suffix == ".mp4" else "wav", decode=True),
        lambda: read_cues(path),
    ]
    return [*each, lambda: read_picture(path)] if path.suffix == ".mp4" else each


@pytest.mark.parametrize("suffix", [".mp4", ".wav"])
def test_no_playlist_is_followed(suffix: str, tmp_path: Path, server: Listening) -> None:
    shutil.copy(whole("wav", tmp_path), tmp_path / "neighbour.wav")
    told = lists(tmp_path, server.server_port)
    # By default two of the first four for a film, the other two for a sound.
    chosen = [*told.items()] if FULL else [*told.items()][suffix == ".wav" : 4 : 2]
    for number, (name, text) in enumerate(chosen):
        path = tmp_path / f"list{number}{suffix}"
        path.write_text(text)
        for opening in openers(path):
            with suppress(InvalidInput, BadOutput):
                # What knows no such format at all sees a text without cues in it.
                assert opening() == [], f"{name} was read"
    assert server.asked == []


def test_the_twin_that_opens_whatever_it_is_reads_the_neighbour(tmp_path: Path, server: Listening) -> None:
    import av

    shutil.copy(whole("wav", tmp_path), tmp_path / "neighbour.wav")
    told = lists(tmp_path, server.server_port)
    read = []
    for name in ("ffconcat unsafe", "m3u8"):
        path = tmp_path / "list.mp4"
        path.write_text(told[name])
        with suppress(av.FFmpegError), av.open(str(path), timeout=5) as media:
            read += [name for _ in media.decode(audio=0)][:1]
    assert read == ["ffconcat unsafe"] or server.asked, "neither the neighbour nor the server was read"


NAMES = [
    "pipe:0", "concat:neighbour.wav|neighbour", "http:127.0.0.1", "subfile,,start,0,end,9,,:neighbour",
    "crypto:neighbour", "-i", "-y", "a%03d", "$(touch evil)", "`touch evil`", "it's; touch evil", "a|touch evil",
    "new\nline", "[in]scale=1[out]", "drawtext=textfile=secret",
    "é ü 漢 🎬", "file:neighbour", "data:audio", "async:neighbour",
    "~", "*", "a\\'b", "\u202egpj",
]  # fmt: skip


def test_names_mean_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of such a name is read as itself, and is not there where it is not."""
    good = whole("wav", tmp_path).read_bytes()
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in NAMES if FULL else NAMES[:5]:
        path = Path(f"{name}.wav")
        with pytest.raises(InvalidInput):
            read_recording(path)
        if "/" in name:
            continue
        path.write_bytes(good)
        assert len(read_recording(path)) == 64_000, name
        path.unlink()
    assert list(folder.iterdir()) == []


def test_captions_and_titles_mean_nothing_to_the_film(tmp_path: Path) -> None:
    """Words of a storyboard go into the film as they are: as a title, and as subtitles, whatever they say."""
    from fractions import Fraction

    import av

    from tools.video.probe import open_media

    words = ["%{metadata:title}", "';:\\[in]drawtext=textfile=/etc/passwd", "{\\pos(0,0)\\p1}m 0 0", "--> 00:00:01,000"]
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w", format="mp4") as film:
        film.metadata["title"] = words[1]
        picture = film.add_stream("libx264", rate=8)
        picture.width, picture.height, picture.pix_fmt, picture.time_base = 64, 48, "yuv420p", Fraction(1, 8)
        for _ in range(8):
            film.mux(picture.encode(av.VideoFrame(64, 48, "yuv420p")))
        film.mux(picture.encode(None))
    with open_media(path, "mp4") as made:
        assert made.metadata["title"] == words[1]
    for number, text in enumerate(words):
        cues = tmp_path / f"{number}.srt"
        cues.write_text(f"1\n00:00:00,000 --> 00:00:01,000\n{text}\n", encoding="utf-8")
        found = read_cues(cues)
        assert len(found) <= 1
        assert all("root:" not in said for _, _, said in found)
