"""People who lend their voices: recordings by espeak-ng, weights for the server of the tests, records on a shelf."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from tests.tools.voice.servers.rendition import rendition
from tools.artifact import hash_file
from tools.base import EngineContext
from tools.sound import write_wav
from tools.voice.records import Consent, ElevenlabsVoice, GptSovitsVoice, Reference, VoiceRecord, WeightsFile
from tools.voice.shelf import VoiceShelf

SAID = "The old boat was lying in the harbour when the boys came running, and nobody saw them."


class Household:
    """A folder with recordings, weights and a shelf of voices."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.shelf = VoiceShelf(root / "models" / ".voices")

    def recording(self, name: str = "neutral.wav", pitch: float = 210.0, seconds: float = 0.0) -> Path:
        """Somebody speaks; `seconds` cuts or repeats it to a length."""
        path = self.root / name
        sound = rendition(SAID, 32_000, pitch=pitch)
        if seconds:
            sound = np.resize(sound, round(seconds * 32_000))
        write_wav(path, sound, 32_000)
        return path

    def reference(self, path: Path, emotion: Any = "neutral", seconds: float = 4.5) -> Reference:
        return Reference(emotion=emotion, file=path, sha256=hash_file(path), said=SAID, seconds=seconds)

    def weights(self, name: str, kind: str, pitch: float) -> WeightsFile:
        path = self.root / name
        path.write_text(json.dumps({"weights": kind, "pitch": pitch}))
        status = path.stat()
        return WeightsFile(file=str(path), sha256=hash_file(path), size=status.st_size, changed_ns=status.st_mtime_ns)

    def sovits_voice(
        self,
        character: str = "luca",
        pitch: float = 260.0,
        emotions: tuple[str, ...] = ("neutral",),
        consent: bool = True,
    ) -> GptSovitsVoice:
        """A voice on the shelf, with the consent of who it belongs to."""
        references = tuple(
            self.reference(self.recording(f"{character}-{emotion}.wav", pitch=200 + 15 * number), emotion)
            for number, emotion in enumerate(emotions)
        )
        voice = GptSovitsVoice(
            character=character,
            gpt=self.weights(f"{character}.ckpt", "gpt", pitch),
            sovits=self.weights(f"{character}.pth", "sovits", pitch),
            references=references,
        )
        return self.agreed(voice) if consent else self.placed(voice)

    def eleven_voice(
        self, character: str = "luca", voice_id: str = "v0iceOfLuca", consent: bool = True
    ) -> ElevenlabsVoice:
        reference = self.reference(self.recording(f"{character}-sample.wav"))
        voice = ElevenlabsVoice(character=character, voice_id=voice_id, references=(reference,))
        return self.agreed(voice) if consent else self.placed(voice)

    def placed(self, voice: Any) -> Any:
        self.shelf.put(voice)
        return voice

    def agreed(self, voice: Any) -> Any:
        """With a consent that covers all of it."""
        return self.placed(voice.model_copy(update={"consent": agreement(voice)}))

    def context(self, name: str = "out", seed: int = 1, **more: Any) -> EngineContext:
        out = self.root / name
        out.mkdir()
        return EngineContext(out=out, seed=seed, open_artifact=lambda _key: None, **more)  # type: ignore[arg-type,return-value]


def agreement(voice: VoiceRecord) -> Consent:
    return Consent(
        whose="Jacopo T.",
        source="read for us on 3 May",
        allowed_for="this film and its trailer",
        given_by="his mother",
        given_on=date(2026, 5, 3),
        covers=voice.made_from,
    )
