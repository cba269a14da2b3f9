"""What a file is, found by decoding all of it; who is seen in a picture, by the masks that were drawn with it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evals.expect.seen import Seen
    from tools.artifact import Artifact

__all__ = ["LEAST_SEEN", "measure_file", "people_seen", "still_of"]

LEAST_SEEN = 0.0005
"""Part of the picture that a character's mask must fill to be seen: 450 of 1280 x 720 pixels."""
_TEXTS = {".srt", ".vtt", ".md", ".yaml", ".json", ".txt"}


def measure_file(path: Path) -> dict[str, Any]:
    """Measure a file.

    Returns:
        `kind` (image, audio, video, text), `decodes`, `streams` (kinds), `pixels` ([width, height]), `seconds`, `fps`,
        `loudness` (LUFS by ITU-R BS.1770-4, gated; None: silence), `luma` (mean of a picture, 0..255, Rec. 709), as
        far as it has them.
    """
    if path.suffix in _TEXTS:
        return {"kind": "text", "decodes": bool(path.read_text(encoding="utf-8")), "streams": []}
    if path.suffix == ".png":
        return _picture(path)
    return _sounding(path)


def _picture(path: Path) -> dict[str, Any]:
    import av
    import numpy as np

    with av.open(str(path), options={"protocol_whitelist": "file"}) as file:
        pixels = next(file.decode(video=0)).to_ndarray(format="rgb24").astype(np.float64)
    luma = float((pixels @ np.array([0.2126, 0.7152, 0.0722])).mean())
    size = [pixels.shape[1], pixels.shape[0]]
    return {"kind": "image", "decodes": True, "pixels": size, "luma": round(luma, 1), "streams": ["video"]}


def _sounding(path: Path) -> dict[str, Any]:
    import av
    import numpy as np

    from tools.review.waveform import SoundMeter

    found: dict[str, Any] = {"decodes": True}
    meter: SoundMeter | None = None
    frames, samples, rate = 0, 0, 0
    with av.open(str(path), options={"protocol_whitelist": "file"}) as file:
        found["streams"] = [stream.type for stream in file.streams]
        video = file.streams.video[0] if file.streams.video else None
        resampler = av.AudioResampler(format="fltp", layout="stereo")
        try:
            for frame in file.decode(*[one for one in file.streams if one.type in ("video", "audio")]):
                if not isinstance(frame, av.AudioFrame):
                    frames += isinstance(frame, av.VideoFrame)
                    continue
                samples, rate = samples + frame.samples, frame.sample_rate
                for piece in resampler.resample(frame):
                    meter = meter or SoundMeter(piece.sample_rate, 2)
                    meter.add(piece.to_ndarray().astype(np.float32))
        except av.FFmpegError as error:
            found |= {"decodes": False, "problem": str(error)[:200]}
        if video is not None:
            fps = float(video.average_rate or 0)
            size = [video.codec_context.width, video.codec_context.height]
            found |= {"pixels": size, "fps": round(fps, 3), "frames": frames}
            found["seconds"] = round(frames / fps, 3) if fps else None
    found["kind"] = "video" if video is not None else "audio"
    if meter is not None:
        lufs = meter.result().lufs
        found["loudness"] = round(lufs, 2) if math.isfinite(lufs) else None
        found.setdefault("seconds", round(samples / rate, 3))
    return found


def still_of(seen: Seen, shot: str) -> Artifact | None:
    """The stored picture of a shot that was kept, looked up by what is published."""
    from tools.artifact import hash_file
    from tools.runtime.storage.store import ArtifactStore

    published = seen.production / "stills" / f"{shot}.png"
    if not published.is_file():
        return None
    store, digest = ArtifactStore(seen.production / "artifacts"), hash_file(published)
    for key in dict.fromkeys(call.key for call in reversed(seen.calls) if call.id == f"{shot}.still" and call.key):
        artifact = store.get(key)
        if artifact is not None and artifact.record.files[str(artifact.output["image"])].sha256 == digest:
            return artifact
    return None


def people_seen(seen: Seen, file: str) -> list[str]:
    """Ids of those whose mask fills at least `LEAST_SEEN` of the picture.

    Raises:
        ValueError: the file is no still that was made in what was seen.
    """
    import av
    import numpy as np

    artifact = still_of(seen, Path(file).stem)
    if artifact is None:
        raise ValueError(f"{file} is no still of this scenario")
    found = []
    for name, mask in dict(artifact.output["masks"]).items():
        with av.open(str(artifact.file(mask)), options={"protocol_whitelist": "file"}) as picture:
            pixels = next(picture.decode(video=0)).to_ndarray(format="gray").astype(np.uint8)
        if float((pixels > 127).mean()) >= LEAST_SEEN:
            found.append(name)
    return found
