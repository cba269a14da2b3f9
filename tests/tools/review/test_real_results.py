"""The embedded engines make a small scene, and the judge is content with every piece of it, to the film."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tools.review.fabricate import Shelf
from tests.tools.review.paper_stage import write_rgb
from tools.artifact import Artifact
from tools.base import ArtifactRef, Engine
from tools.image.draft import DraftImage
from tools.image.tool import GenerateImage
from tools.music.ambience import Nature
from tools.music.mix import Mixer
from tools.music.score import Score
from tools.music.tool import Bed, ComposeMusic, MakeAmbience, MixSound, ShotSound
from tools.review.fixes import propose
from tools.review.limits import default_limits
from tools.review.measure import Measure
from tools.review.pixels import read_rgb
from tools.review.scoring import base_name
from tools.review.tool import ReviewArtifact
from tools.storyboard import CastMember, Line, Placement, Shot
from tools.transcription.subtitles import Subtitles
from tools.transcription.subtitles_tool import WriteSubtitles
from tools.video.animatic import AnimaticShot
from tools.video.join import JoinVideo
from tools.video.probe import probe
from tools.video.tool import AnimateShot, EditVideo
from tools.voice.espeak import EspeakSpeech
from tools.voice.tool import SynthesizeSpeech

SIZE = (480, 270)
CAST = [CastMember(id="luca", name="Luca", known=True), CastMember(id="alberto", name="Alberto", known=True)]
PLACEMENTS = [Placement(character="luca", x=0.33), Placement(character="alberto", x=0.67, pose="wave")]
SHOTS = [
    Shot(
        id="s1",
        framing="medium",
        duration_s=2.5,
        placements=PLACEMENTS,
        dialogue=[Line(character="luca", text="Silenzio, Bruno!", emotion="excited", language="it")],
    ),
    Shot(id="s2", framing="full", time_of_day="sunset", duration_s=1.5, placements=PLACEMENTS),
]


class Studio:
    """Runs engines onto a shelf, and reviews what they made."""

    def __init__(self, root: Path) -> None:
        self.shelf = Shelf(root)

    def make(self, call: str, engine: Engine[Any, Any], args: Any, seed: int = 0) -> ArtifactRef:
        engine.load()
        context = self.shelf.context(call, seed)
        output = engine.run(args, context)
        return self.shelf.store(call, engine.tool.name, context.out, output, args.model_dump(mode="json"))

    def review(self, kind: Any, ref: ArtifactRef, **args: Any) -> ReviewArtifact.Output:
        given = ReviewArtifact.Input(kind=kind, subject=ref, **args)
        found = Measure().run(given, self.shelf.context(f"{ref.call}-review"))
        assert {base_name(check.name) for check in found.checks} <= default_limits().weights.keys()
        return found

    def path(self, ref: ArtifactRef) -> Path:
        return self.shelf.paths[ref.key]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="module")
def scene(studio: Studio) -> dict[str, ArtifactRef]:
    line = SHOTS[0].dialogue[0]
    spoken = SynthesizeSpeech.Input(
        text=line.text, character=line.character, emotion=line.emotion, language=line.language
    )
    made = {"speech": studio.make("speech", EspeakSpeech(), spoken)}
    sounds = [ShotSound(duration_s=2.5, speech=[made["speech"]]), ShotSound(duration_s=1.5)]
    made["music"] = studio.make("music", Score(), ComposeMusic.Input(mood="cheerful", duration_s=7))
    made["ambience"] = studio.make("ambience", Nature(), MakeAmbience.Input(place="beach", duration_s=7))
    beds = {kind: [Bed(sound=made[kind], first=0, last=1)] for kind in ("music", "ambience")}
    made["sound"] = studio.make("sound", Mixer(), MixSound.Input(fps=12, shots=sounds, **beds))
    made["subtitles"] = studio.make("subtitles", Subtitles(), WriteSubtitles.Input(fps=12, shots=sounds))
    size: dict[str, Any] = {"width": SIZE[0], "height": SIZE[1]}
    for shot in SHOTS:
        made[f"still-{shot.id}"] = studio.make(
            f"still-{shot.id}", DraftImage(), GenerateImage.Input(shot=shot, cast=CAST, **size)
        )
        speech = [made["speech"]] if shot.dialogue else []
        motion = AnimateShot.Input(shot=shot, cast=CAST, fps=12, speech=speech, **size)
        made[f"motion-{shot.id}"] = studio.make(f"motion-{shot.id}", AnimaticShot(), motion)
    film = EditVideo.Input(
        title="The beach",
        shots=[made["motion-s1"], made["motion-s2"]],
        sound=made["sound"],
        subtitles=made["subtitles"],
        language="it",
    )
    made["film"] = studio.make("film", JoinVideo(), film)
    return made


def wrong(found: ReviewArtifact.Output) -> list[str]:
    return [f"{check.name}: {check.detail}" for check in found.checks if check.status == "failed"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "name"), [("speech", "speech"), ("music", "music"), ("music", "ambience"), ("sound", "sound")]
)
def test_what_is_heard_passes(studio: Studio, scene: dict[str, ArtifactRef], kind: str, name: str) -> None:
    assert wrong(studio.review(kind, scene[name])) == []


@pytest.mark.slow
def test_what_is_read_passes(studio: Studio, scene: dict[str, ArtifactRef]) -> None:
    found = studio.review("subtitles", scene["subtitles"], speech=[scene["speech"], scene["sound"]])
    assert wrong(found) == []
    assert not [check for check in found.checks if check.status == "not_run"]


@pytest.mark.slow
@pytest.mark.parametrize("shot", SHOTS, ids=lambda shot: shot.id)
def test_what_is_seen_passes(studio: Studio, scene: dict[str, ArtifactRef], shot: Shot) -> None:
    still = studio.review("image", scene[f"still-{shot.id}"], shot=shot, cast=CAST, expect_size=SIZE)
    assert wrong(still) == []
    speech = [scene["speech"]] if shot.dialogue else []
    motion = studio.review("shot", scene[f"motion-{shot.id}"], shot=shot, cast=CAST, speech=speech, expect_size=SIZE)
    assert wrong(motion) == []


@pytest.mark.slow
def test_the_film_passes_and_is_what_its_parts_are(studio: Studio, scene: dict[str, ArtifactRef]) -> None:
    parts = [Artifact.open(studio.path(scene[f"motion-{shot.id}"])).output for shot in SHOTS]
    found = studio.review(
        "film",
        scene["film"],
        speech=[scene["sound"]],
        expect_duration_s=sum(part["duration_s"] for part in parts),
        expect_streams=["video", "audio", "subtitles"],
        expect_size=SIZE,
    )
    assert wrong(found) == []
    assert {"in_sync", "subtitle_track"} <= {check.name for check in found.checks if check.status == "passed"}
    info = probe(studio.path(scene["film"]) / "film.mp4", decode=True)
    assert info.video is not None
    assert info.subtitles is not None
    assert info.video.decoded == sum(part["frames"] for part in parts)
    assert "".join(text for _, _, text in info.subtitles.cues).endswith("Bruno!")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dark", "grey", "blurred"])
def test_a_real_still_that_is_spoilt_fails(
    studio: Studio, scene: dict[str, ArtifactRef], tmp_path: Path, name: str
) -> None:
    from scipy.ndimage import gaussian_filter

    spoilt = Studio(tmp_path)
    folder = spoilt.shelf.folder("still")
    shutil.copytree(studio.path(scene["still-s1"]), folder, dirs_exist_ok=True)
    (folder / "artifact.json").unlink()
    picture = read_rgb(folder / "still.png")
    broken = {
        "dark": (picture * 0.2).astype(np.uint8),
        "grey": np.full_like(picture, 128),
        "blurred": gaussian_filter(picture, (4, 4, 0)),
    }[name]
    write_rgb(folder / "still.png", broken)
    output = GenerateImage.Output.model_validate(Artifact.open(studio.path(scene["still-s1"])).output)
    ref = spoilt.shelf.store("still", "generate_image", folder, output, {})
    found = spoilt.review("image", ref, shot=SHOTS[0], cast=CAST)
    assert wrong(found)


@pytest.mark.slow
@pytest.mark.parametrize(
    "placements",
    [
        [Placement(character="luca", x=0.0)],
        [Placement(character="luca", x=0.5), Placement(character="alberto", x=0.52, depth=0.5)],
    ],
)
def test_bad_staging_is_mended_within_three_attempts(tmp_path: Path, placements: list[Placement]) -> None:
    studio = Studio(tmp_path)
    shot = Shot(id="s1", framing="medium", placements=placements)
    args = GenerateImage.Input(shot=shot, cast=CAST, width=SIZE[0], height=SIZE[1], maps=["depth"]).model_dump(
        mode="json"
    )
    scores = []
    seed = 0
    for attempt in (1, 2, 3):
        ref = studio.make(f"try{attempt}", DraftImage(), GenerateImage.Input.model_validate(args), seed)
        found = studio.review("image", ref, shot=shot, cast=CAST, expect_size=SIZE)
        scores.append(found.score)
        fix = propose("image", args, found.checks, attempt)
        if found.passed or fix is None:
            break
        args, seed = fix.args, seed + fix.seed_step
    assert found.passed, wrong(found)
    assert len(scores) == 1 or scores[-1] > scores[0]
