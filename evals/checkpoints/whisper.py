"""Tiny Whispers in CTranslate2's format, of large-v3's layout: 128 mel bands, 51,866 tokens, 100 languages.

`make_whisper` is random. `make_listener` has learnt a few lines by heart: its encoder stays random, its decoder is
trained on them (some seconds), with one attention head shown when each word is said; so its answers mean something.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tools.sound import FloatArray, resample

__all__ = ["LINES", "make_listener", "make_whisper", "said", "spoken"]

TOKENS, EOT, SOT, TRANSCRIBE, NO_TIMES, ZERO = 51_866, 50_257, 50_258, 50_360, 50_364, 50_365
LINES = (
    ("We found the old boat.", "en"),
    ("Silenzio, Bruno!", "it"),
    ("Where is my friend?", "en"),
    ("Andiamo al mare, amico.", "it"),
)
"""What `make_listener` knows, with their languages."""
RATE = 16_000
MERGES = (("Ġ", "-"), ("Ġ", "'"), ("Ġ", "â"))
"""So that the library, which forbids signs that nobody says by the first token of " -" and the like, allows spaces."""


def said(text: str, language: str) -> tuple[FloatArray, list[tuple[str, float, float]]]:
    """A line as the listener knows it: samples at 16 kHz, silence around it; words with their times."""
    from configs.voices import EspeakVoice, Prosody
    from tools.voice.espeak import record_line
    from tools.voice.speakable import spoken_form, time_words, words_of

    words = words_of(text)
    form = spoken_form(words, {})
    voice = EspeakVoice(description="of the tests", timbre="modal", pitch=130)
    spoken = record_line(form.text, voice, Prosody(), language)
    starts = [(form.word_of[position - 1], at) for position, at in spoken.words if 0 < position <= len(form.word_of)]
    timed = time_words(words, starts, [(start, end) for start, end, ipa in spoken.sounds if ipa])
    silence = np.zeros(RATE // 2, dtype=np.float32)
    sound = np.concatenate([silence, resample(spoken.samples, spoken.rate, RATE), silence])
    return sound, [(word.text, word.start + 0.5, word.end + 0.5) for word in timed]


def spoken(text: str, language: str, character: str) -> tuple[FloatArray, list[tuple[str, float, float]]]:
    """A line as a character says it by the embedded engine, coloured and padded: as `said`."""
    from tools.base import EngineContext
    from tools.sound import read_wav
    from tools.voice.espeak import EspeakSpeech

    def none_of_these(key: str) -> Any:
        raise KeyError(key)

    with tempfile.TemporaryDirectory(prefix="said_") as folder:
        engine = EspeakSpeech()
        args = engine.tool.Input(text=text, character=character, language=language)
        clip = engine.run(args, EngineContext(out=Path(folder), seed=1, open_artifact=none_of_these))
        samples, rate = read_wav(Path(folder) / clip.file)
    return resample(samples, rate, RATE), [(word.text, word.start, word.end) for word in clip.words]


def _languages() -> list[str]:
    from transformers.models.whisper.tokenization_whisper import LANGUAGES

    return list(LANGUAGES)


def _tokens() -> list[str]:
    """Names of all tokens by id: bytes, fillers, and Whisper's own in the order of large-v3."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    plain = list(bytes_to_unicode().values())
    plain += ["".join(pair) for pair in MERGES]
    plain += [f"<filler{index}>" for index in range(EOT - len(plain) - 1)]
    # The empty token before the end of text is what CTranslate2 knows a multilingual model by.
    plain.append("")
    own = ["<|endoftext|>", "<|startoftranscript|>", *(f"<|{code}|>" for code in _languages())]
    own += ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    own += [f"<|{index * 0.02:.2f}|>" for index in range(1501)]
    names = plain + own
    assert len(names) == TOKENS, len(names)
    assert names.index("<|notimestamps|>") == NO_TIMES
    return names


def _write_tokenizer(folder: Path) -> Any:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    names = _tokens()
    tokenizer = Tokenizer(
        models.BPE(vocab={name: index for index, name in enumerate(names[:EOT])}, merges=list(MERGES))
    )
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in names[EOT:]])
    tokenizer.save(str(folder / "tokenizer.json"))
    return tokenizer


def _model(seed: int) -> Any:
    import torch
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    torch.manual_seed(seed)
    config = WhisperConfig(
        vocab_size=TOKENS, num_mel_bins=128, d_model=64, encoder_layers=1, decoder_layers=2, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=128, max_source_positions=1500,
        max_target_positions=448, pad_token_id=EOT, bos_token_id=EOT, eos_token_id=EOT, decoder_start_token_id=SOT,
        dropout=0.0, attention_dropout=0.0, activation_dropout=0.0, attn_implementation="eager",
    )  # fmt: skip
    model = WhisperForConditionalGeneration(config).eval()
    # As it begins, a Whisper hears next to nothing: its places of time are a hundred times as loud.
    for conv in (model.model.encoder.conv1, model.model.encoder.conv2):
        torch.nn.init.normal_(conv.weight, std=2.0 / float(conv.weight[0].numel()) ** 0.5)
    return model


def _write(folder: Path, model: Any) -> Path:
    """Convert as `ct2-transformers-converter` does, and write what its users have."""
    from ctranslate2.converters import TransformersConverter

    names = _tokens()
    source, made = folder / "transformers", folder / "ctranslate2"
    model.generation_config.alignment_heads = [[1, 0]]
    model.generation_config.suppress_tokens = []
    model.generation_config.begin_suppress_tokens = [EOT]
    model.generation_config.lang_to_id = {f"<|{code}|>": names.index(f"<|{code}|>") for code in _languages()}
    model.generation_config.no_timestamps_token_id = NO_TIMES
    model.save_pretrained(source, safe_serialization=True)
    (source / "tokenizer.json").write_text((folder / "tokenizer.json").read_text(encoding="utf-8"), encoding="utf-8")
    (source / "tokenizer_config.json").write_text('{"tokenizer_class": "WhisperTokenizerFast"}', encoding="utf-8")
    (source / "preprocessor_config.json").write_text(
        json.dumps({"feature_extractor_type": "WhisperFeatureExtractor", "feature_size": 128, "chunk_length": 30}),
        encoding="utf-8",
    )
    spec = TransformersConverter(str(source))._load()
    made.mkdir()
    spec.register_vocabulary(names)
    spec.validate()
    spec.optimize(quantization="float16")
    spec.save(str(made))
    config = json.loads((made / "config.json").read_text(encoding="utf-8"))
    config["lang_ids"] = sorted(model.generation_config.lang_to_id.values())
    config["suppress_ids"], config["suppress_ids_begin"] = [], [EOT]
    config["alignment_heads"] = [[1, 0]]
    (made / "config.json").write_text(json.dumps(config), encoding="utf-8")
    for name in ("tokenizer.json", "preprocessor_config.json"):
        (made / name).write_bytes((source / name).read_bytes())
    return made


def make_whisper(folder: Path, *, seed: int = 1) -> Path:
    """A random one."""
    _write_tokenizer(folder)
    return _write(folder, _model(seed))


def make_listener(folder: Path, *, seed: int = 1, steps: int = 320, character: str = "") -> Path:
    """One that knows `LINES`.

    Args:
        character: whose voice it knows the English ones in, too. A voice that is new to it it hears by chance alone:
            the last bits of its training differ from machine to machine.
    """
    tokenizer = _write_tokenizer(folder)
    model = _model(seed)
    _teach(model, tokenizer, steps, character)
    return _write(folder, model)


def _lessons(tokenizer: Any, character: str) -> list[tuple[FloatArray, list[int], list[tuple[int, float, float]]]]:
    """(sound, tokens from <|startoftranscript|> to the end, (position, start, end) of the token's word), as heard
    with its silence cut off, with and without times."""
    from faster_whisper.vad import VadOptions, collect_chunks, get_speech_timestamps

    names = _tokens()
    lessons = []
    heard_lines = [(text, language, *said(text, language)) for text, language in LINES]
    if character:
        heard_lines += [(text, "en", *spoken(text, "en", character)) for text, language in LINES if language == "en"]
    for text, language, sound, words in heard_lines:
        spans = get_speech_timestamps(sound, VadOptions(min_silence_duration_ms=500, speech_pad_ms=200))
        heard, shift = np.concatenate(collect_chunks(sound, spans)[0]), -spans[0]["start"] / RATE
        ids = tokenizer.encode(f" {text}").ids
        owner = [word for word in words for _ in tokenizer.encode(f" {word[0]}").ids]
        head = [SOT, names.index(f"<|{language}|>"), TRANSCRIBE]
        end = ZERO + min(1500, round(len(heard) / RATE / 0.02))
        for before, after in (([NO_TIMES], []), ([ZERO], [end])):
            tokens = [*head, *before, *ids, *after, EOT]
            shown = [
                (len(head) + len(before) - 1 + index, start + shift, stop + shift)
                for index, (_, start, stop) in enumerate(owner)
            ]
            lessons.append((heard, tokens, shown))
    return lessons


def _teach(model: Any, tokenizer: Any, steps: int, character: str) -> None:
    import torch
    from faster_whisper.audio import pad_or_trim
    from faster_whisper.feature_extractor import FeatureExtractor
    from torch.nn.functional import cross_entropy

    lessons = _lessons(tokenizer, character)
    longest = max(len(tokens) for _, tokens, _ in lessons)
    batch = torch.full((len(lessons), longest), EOT)
    known = torch.zeros(len(lessons), longest - 1, dtype=torch.bool)
    shown = torch.zeros(len(lessons), longest - 1, 1500)
    extract = FeatureExtractor(feature_size=128)
    mel = []
    for row, (sound, tokens, where) in enumerate(lessons):
        batch[row, : len(tokens)] = torch.tensor(tokens)
        known[row, : len(tokens) - 1] = True
        # As the library does it: what lies behind the sound is zeros, not silence.
        features = pad_or_trim(extract(sound)[:, :-1], 3000)
        mel.append(torch.from_numpy(np.asarray(features, dtype=np.float32)))
        for position, start, stop in where:
            low, high = max(0, int(start * 50)), min(1500, int(stop * 50) + 1)
            shown[row, position, low:high] = 1.0 / max(1, high - low)
    taught = shown.sum(dim=-1) > 0
    with torch.no_grad():
        heard = torch.cat([model.model.encoder(one[None]).last_hidden_state for one in mel])
    # Only tokens that occur are reckoned with; all others stay at zero, and count as one class of that many.
    used = torch.unique(batch)
    inside = torch.searchsorted(used, batch)
    table = torch.nn.Parameter(model.proj_out.weight.detach()[used].clone())
    others = torch.full((int(known.sum()), 1), float(np.log(TOKENS - len(used))))
    decoder = model.model.decoder
    optimiser = torch.optim.Adam([table, *(w for name, w in decoder.named_parameters() if "embed_tokens" not in name)])
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 3e-3 * min(1.0, step / 20, 1.5 * (1 - step / steps))
        out = decoder(
            inputs_embeds=table[inside[:, :-1]], encoder_hidden_states=heard, use_cache=False, output_attentions=True
        )
        logits = torch.cat([out.last_hidden_state[known] @ table.T, others], dim=1)
        head = out.cross_attentions[1][:, 0][taught]
        loss = cross_entropy(logits, inside[:, 1:][known]) - (shown[taught] * torch.log(head + 1e-6)).sum(-1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        model.proj_out.weight.zero_()
        model.proj_out.weight[used] = table
        decoder.embed_tokens.weight.copy_(model.proj_out.weight)
