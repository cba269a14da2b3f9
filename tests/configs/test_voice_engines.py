"""voice_engines.yaml says what the person's own values are, and refuses what a service would choke on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from configs.voice_engines import VOICE_ENGINES_YAML, load_voice_engines
from configs.voices import DELIVERIES, EMOTIONS
from configs.yaml_file import YamlProblem


def test_the_values_are_those_that_were_asked_for() -> None:
    engines = load_voice_engines()
    sovits, eleven = engines.gpt_sovits, engines.elevenlabs
    told = {name: sovits.emotions[name].temperature for name in ("neutral", "happy", "sad", "excited")}
    assert told == {"neutral": 1.0, "happy": 1.2, "sad": 0.8, "excited": 1.3}
    assert (sovits.top_k, sovits.top_p, sovits.speed) == (15, 1.0, 1.0)
    assert (eleven.model, eleven.stability, eleven.similarity) == ("eleven_multilingual_v2", 0.5, 0.75)
    assert set(sovits.emotions) == set(eleven.emotions) == set(EMOTIONS)
    assert set(sovits.deliveries) == set(eleven.deliveries) == set(DELIVERIES)
    assert "it" not in sovits.languages
    assert "it" in eleven.languages


@pytest.mark.parametrize(
    ("engine", "field", "value"),
    [
        ("gpt_sovits", "batch_size", 0), ("gpt_sovits", "streaming", 4), ("gpt_sovits", "top_p", 0),
        ("gpt_sovits", "cut", "cut9"), ("gpt_sovits", "languages", {}), ("gpt_sovits", "emotions", {}),
        ("gpt_sovits", "more", 1), ("elevenlabs", "price_per_1000", -1), ("elevenlabs", "output", "mp3_44100_128"),
        ("elevenlabs", "url", "http://example.com"), ("elevenlabs", "url", "https://a@b.com"),
        ("elevenlabs", "most_per_run", float("nan")), ("elevenlabs", "tries", 0), ("elevenlabs", "stability", 2),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_its_line(tmp_path: Path, engine: str, field: str, value: Any) -> None:
    data = yaml.safe_load(VOICE_ENGINES_YAML.read_text())
    data[engine][field] = value
    path = tmp_path / "voice_engines.yaml"
    path.write_text(yaml.safe_dump(data))
    with pytest.raises(YamlProblem, match=rf"voice_engines\.yaml:\d+.*{field}"):
        load_voice_engines(path)
