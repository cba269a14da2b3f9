"""Strings within files of others, which become names of files, folders and modules: none leads elsewhere.

A folder of one's own, scenarios, documents, lists of calls. The jail is that of `test_paths.py`. The twin writes names
that no schema has looked at. `STUDIO_FULL=1` tries more of everything.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configs.own import OWN_VARIABLE
from configs.yaml_file import YamlProblem
from knowledge.problems import KnowledgeProblem
from tests.configs.test_own import ENGINES, SHEET, TOOL
from tests.hostile.paths import RAN, SECRET, Jail, hostile_names, jail_in
from tools.errors import ToolError
from tools.layout.places.place import PACK

FULL = bool(os.environ.get("STUDIO_FULL"))
TIMES = 1500 if FULL else 25
REFUSED = (ToolError, YamlProblem, KnowledgeProblem)
SCENARIO: dict[str, Any] = {
    "name": "changed",
    "about": "a scenario of somebody else",
    "tags": ["strange"],
    "world": {
        "files": {"note.txt": {"text": "hello"}},
        "own": {"places/tower.yaml": {"text": "name: $OWN"}, "own_tools/loud.py": {"text": "x = 1"}},
        "knowledge": {"note.md": "# A note\n\nThe harbour is quiet in the morning, and the boats are blue."},
        "preferences": ["always in 9:16"],
    },
    "turns": [{"say": "a beach with Luca", "thread": "main", "expect": {"made": False}}],
}
CALLS = [{"id": "a", "tool": "compose_music", "args": {"mood": "calm", "duration_s": 2}, "engine": "score"}]


def mutations(data: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], bool]]:
    """Where strings stand in data: (place, whether it is a key there)."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield (*at, key), True
            yield from mutations(value, (*at, key))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from mutations(value, (*at, number))
    elif isinstance(data, str):
        yield at, False


def changed(data: Any, at: tuple[Any, ...], name: str, *, key: bool) -> Any:
    """The data with another string there."""
    if not at:
        return name
    head, rest = at[0], at[1:]
    if isinstance(data, list):
        return [changed(one, rest, name, key=key) if number == head else one for number, one in enumerate(data)]
    if key and not rest:
        return {name if one == head else one: value for one, value in data.items()}
    return {one: changed(value, rest, name, key=key) if one == head else value for one, value in data.items()}


def try_all(jail: Jail, data: Any, look: Callable[[str], None], dump: Callable[[Any], str]) -> None:
    """Put hostile strings into every place of the data, and look at what becomes of it: no secret is told."""
    seen = {"taken": 0, "refused": 0}
    places = list(mutations(data))

    @settings(max_examples=TIMES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(place=st.sampled_from(places), name=hostile_names(jail))
    def tried(place: tuple[tuple[Any, ...], bool], name: str) -> None:
        plain = name.encode("utf-8", "replace").decode()
        text = dump(changed(data, place[0], plain, key=place[1]))
        told = "taken"
        try:
            look(text)
        except REFUSED as error:
            told = str(error)
        assert SECRET not in told
        seen["taken" if told == "taken" else "refused"] += 1

    look(dump(data))
    tried()
    assert seen["refused"] > 3, f"the control: some are refused: {seen}"


def as_yaml(data: Any) -> str:
    return yaml.safe_dump(data, allow_unicode=True)


def open_own() -> None:
    """All that is read of a folder of one's own."""
    from configs.characters import load_characters
    from tools.layout.casting import known_looks
    from tools.layout.places import own_place_words, place_ids
    from tools.registry import Registry
    from tools.voice.shelf import VoiceShelf

    sheets = load_characters()
    known_looks()
    assert place_ids()
    own_place_words()
    Registry.load()
    for one in sheets.values():
        VoiceShelf(Path("voices")).get(one.voice or one.id, "xtts")


@pytest.mark.parametrize("file", ["characters.yaml", "places/tower.yaml", "engines.yaml"])
def test_no_string_of_a_folder_of_ones_own_leads_elsewhere(
    file: str, jail: Jail, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = jail.studio / "mine"
    for one in ("places", "own_tools"):
        (folder / one).mkdir(parents=True)
    (folder / "own_tools" / "loud.py").write_text(TOOL)
    monkeypatch.setenv(OWN_VARIABLE, str(folder))
    place = yaml.safe_load((PACK / "beach.yaml").read_text(encoding="utf-8"))
    place["layers"] = place["layers"][:1]
    texts = {"characters.yaml": SHEET, "places/tower.yaml": as_yaml(place), "engines.yaml": ENGINES}

    def look(text: str) -> None:
        (folder / file).write_text(text, encoding="utf-8")
        os.utime(folder / file, ns=(1, hash(text) & 0xFFFF_FFFF))
        open_own()

    try_all(jail, yaml.safe_load(texts[file]), look, as_yaml)


def test_no_name_of_a_place_of_ones_own_leads_elsewhere(jail: Jail, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its id is the name of its file, and stands in storyboards."""
    from agent.publishing import keep_storyboard
    from tests.agent.boards import beach, shot
    from tools.runtime.storage.production import Production
    from tools.storyboard import slugify

    folder = jail.studio / "mine"
    (folder / "places").mkdir(parents=True)
    monkeypatch.setenv(OWN_VARIABLE, str(folder))
    production = Production.claim(jail.productions, "beach", "r")

    @settings(max_examples=TIMES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(name=hostile_names(jail))
    def tried(name: str) -> None:
        plain = name.encode("utf-8", "replace").decode().replace("/", "").replace("\0", "")[:60]
        path = folder / "places" / f"{plain}.yaml"
        path.write_bytes((PACK / "beach.yaml").read_bytes())
        with suppress(*REFUSED, ValueError):
            open_own()
            keep_storyboard(production, beach(shot("s1", "luca", location=plain)))
            Production.claim(jail.productions, slugify(plain), "r2")
        path.unlink()

    tried()


def play(text: str, folder: Path) -> None:
    """All that becomes of a scenario on disk before its first turn."""
    from evals.scenario import load_scenario
    from evals.world.files import lay_out, lay_out_own
    from evals.world.opened import _teach, settings_of

    path = folder / "changed.yaml"
    path.write_text(text, encoding="utf-8")
    scenario = load_scenario(path)
    home = folder / "evals" / scenario.name / "1"
    lay_out(home / "desk", scenario.world.files)
    lay_out_own(home / "own", scenario.world.own)
    with suppress(ValueError):
        _teach(settings_of(scenario.world, home), home, scenario.world)


def test_no_string_of_a_scenario_leads_elsewhere(jail: Jail) -> None:
    try_all(jail, SCENARIO, lambda text: play(text, jail.studio), as_yaml)


def test_no_string_of_a_document_leads_elsewhere(jail: Jail) -> None:
    from knowledge.added import AddedDocuments
    from knowledge.ingest.adding import add_files

    kept = AddedDocuments(jail.studio / "knowledge")
    taken = 0

    @settings(max_examples=TIMES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(name=hostile_names(jail), field=st.sampled_from(["title", "id", "kind", "about", "source", "name"]))
    def tried(name: str, field: str) -> None:
        nonlocal taken
        plain = name.encode("utf-8", "replace").decode()
        path = jail.studio / f"{plain.replace('/', '').replace(chr(0), '')[:60] or 'note'}.md"
        path.write_text(f"---\n{as_yaml({field: plain})}---\n# {plain}\n\nThe boats in the harbour are blue.\n")
        (found,) = add_files(kept, [path])
        assert SECRET not in str(found)
        documents, damaged = kept.all()
        assert not damaged
        taken += len(documents)
        with suppress(KnowledgeProblem):
            kept.remove(plain)
        for one in documents:
            kept.remove(one.id)
        path.unlink()

    tried()
    assert taken > TIMES / 4, "the control: some are taken in"


def test_no_string_of_a_list_of_calls_leads_elsewhere(jail: Jail) -> None:
    from agent.jobs_cli import _read_calls
    from tools.runtime.jobs.calls import CallsJob
    from tools.runtime.jobs.queue import JobQueue, JobSpec
    from tools.runtime.storage.production import Production

    queue = JobQueue(jail.studio / "jobs")
    base: dict[str, Any] = {"payload": {"production": "calls"}, "kind": "calls", "title": "one", "job": "j1"}
    base["calls"] = CALLS

    def look(text: str) -> None:
        data = {**base, **json.loads(text)}
        (jail.studio / "calls.json").write_text(json.dumps(data["calls"]), encoding="utf-8")
        calls = _read_calls(jail.studio / "calls.json")
        try:
            production = CallsJob.model_validate(data["payload"]).production
            spec = JobSpec(kind=data["kind"], title=data["title"], payload=data["payload"])
        except ValueError as error:
            raise YamlProblem(str(error), where="job") from None
        job = queue.submit(spec, calls, data["job"])
        assert queue.views()
        queue.ask(job, "cancel")
        Production.claim(jail.productions, production, job)

    try_all(jail, base, look, json.dumps)


def test_the_twin_that_asks_no_schema_is_found_out(tmp_path: Path) -> None:
    from evals.world.files import FileMade, lay_out

    made = jail_in(tmp_path)
    before = made.outside()
    lay_out(made.studio / "desk", {"../../../../outside/evil": FileMade(text="here I am")})
    assert made.outside() != before
    before = made.outside()
    exec(compile(RAN, str(made.root / "outside" / "secret.py"), "exec"), {"__file__": str(made.root / "a" / "x.py")})
    assert made.outside() != before, "a module that is run is seen, too"
