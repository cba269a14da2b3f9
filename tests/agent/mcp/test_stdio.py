"""`studio mcp` over standard input and output, by the SDK's own client and by hand."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from agent.mcp.progress import ProgressMeter
from agent.mcp.resources import ShownFiles, bounded_picture
from agent.mcp.server import OUTPUT_SCHEMA
from tests.agent.boards import beach
from tools.errors import InvalidInput
from tools.storyboard import save_storyboard

ROOT = Path(__file__).parents[3]
REQUEST = "Luca on the beach at night, 1 second"


def parameters(productions: Path, *more: str) -> Any:
    from mcp import StdioServerParameters

    return StdioServerParameters(
        command=sys.executable,
        args=["-m", "agent", "mcp", *more],
        env={"STUDIO_PRODUCTIONS": str(productions), "STUDIO_PROFILE": "cpu", "PYTHONPATH": str(ROOT)},
        cwd=str(productions),
    )


def with_client(productions: Path, talk: Any, *more: str, mode: str = "auto") -> None:
    from mcp import Client

    async def run() -> None:
        with anyio.fail_after(300):
            async with Client(parameters(productions, *more), mode=mode, cache=None) as client:
                await talk(client)

    anyio.run(run)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_client_lists_plans_reads_and_is_told_what_is_wrong(mode: str, tmp_path: Path) -> None:
    import jsonschema

    save_storyboard(beach(), tmp_path / "old_beach" / "storyboard.yaml")

    async def talk(client: Any) -> None:
        assert client.server_info.name == "animation-studio"
        assert "plan_scene" in client.instructions
        tools = {one.name: one for one in (await client.list_tools()).tools}
        assert {"plan_scene", "make_scene", "search_knowledge", "why"} <= set(tools)
        assert "generate_image" not in tools, "the low-level tools are offered when asked for"
        for one in tools.values():
            jsonschema.Draft202012Validator.check_schema(one.input_schema)
            assert one.output_schema == OUTPUT_SCHEMA
            assert one.description
        assert tools["list_cast"].annotations.read_only_hint
        assert not tools["make_scene"].annotations.read_only_hint

        planned = await client.call_tool("plan_scene", {"request": REQUEST})
        assert not planned.is_error
        jsonschema.validate(planned.structured_content, OUTPUT_SCHEMA)
        assert planned.structured_content["data"]["storyboard"]["shots"][0]["time_of_day"] == "night"
        changed = await client.call_tool("change_scene", {"request": "make it day"})
        assert changed.structured_content["data"]["storyboard"]["shots"][0]["time_of_day"] == "day"

        for name, arguments, says in (
            ("plan_scene", {"reqest": "x"}, "did you mean 'request'"),
            ("plan_scene", {"request": {"a": 1}}, "must be text"),
            ("no_such_tool", {}, "There is no function"),
            ("why", {"scene": "../../etc"}, "there is no scene"),
            ("transcribe_recording", {"file": "/etc/passwd"}, "may be read"),
        ):
            refused = await client.call_tool(name, arguments)
            assert refused.is_error
            assert says in refused.content[0].text
            jsonschema.validate(refused.structured_content, OUTPUT_SCHEMA)
        listed = [str(one.uri) for one in (await client.list_resources()).resources]
        assert listed == ["studio://production/old_beach/storyboard.yaml"]
        read = await client.read_resource(listed[0])
        assert "Test beach" in read.contents[0].text
        for uri in ("file:///etc/passwd", "studio://production/old_beach/../old_beach/storyboard.yaml", "studio://x"):
            with pytest.raises(Exception, match="no resource"):
                await client.read_resource(uri)

    with_client(tmp_path, talk, mode=mode)


@pytest.mark.slow
def test_a_tiny_scene_is_made_with_progress_and_another_is_cancelled(tmp_path: Path) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    async def talk(client: Any) -> None:
        made = await client.call_tool("make_scene", {"request": REQUEST}, progress_callback=hear)
        assert not made.is_error, made.content[0].text
        fractions = [one[0] for one in told]
        assert len(fractions) > 3
        assert fractions == sorted(set(fractions)), "progress only grows"
        assert all(one[1] == 1.0 and one[2] for one in told)
        assert 0 < fractions[0] <= fractions[-1] < 1
        kinds = [one.type for one in made.content]
        assert kinds[0] == "text"
        assert "image" in kinds
        links = {str(one.uri).rpartition("/")[2] for one in made.content if one.type == "resource_link"}
        assert "film.mp4" in links
        picture = next(one for one in made.content if one.type == "image")
        assert len(base64.b64decode(picture.data)) < 300_000
        assert str(tmp_path) not in made.content[0].text
        film = next(one for one in made.content if getattr(one, "uri", "").endswith("film.mp4"))
        read = await client.read_resource(str(film.uri))
        assert base64.b64decode(read.contents[0].blob)[4:8] == b"ftyp"

        begun = anyio.Event()

        async def begin(_progress: float, _total: float | None, _message: str | None) -> None:
            begun.set()

        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:

                async def stop() -> None:
                    await begun.wait()
                    scope.cancel()

                group.start_soon(stop)
                long = {"request": "Luca, Alberto and Giulia in the kitchen in the rain, 60 seconds"}
                await client.call_tool("make_scene", long, progress_callback=begin)
        assert scope.cancelled_caught
        after = await client.call_tool("list_scenes", {})
        assert not after.is_error, "the server goes on"

    with_client(tmp_path, talk)
    assert not list(tmp_path.glob("*kitchen*/film.mp4")), "the cancelled film was not made"


@pytest.mark.slow
def test_low_level_tools_take_results_of_one_another_by_key(tmp_path: Path) -> None:
    async def talk(client: Any) -> None:
        tools = {one.name for one in (await client.list_tools()).tools}
        assert {"generate_image", "compose_music", "mix_sound", "review_artifact"} <= tools
        music = await client.call_tool("compose_music", {"mood": "Calm", "duration_s": "2"})
        assert not music.is_error, music.content[0].text
        key = music.structured_content["data"]["key"]
        sound = {
            "fps": 24,
            "shots": {"duration_s": 1},
            "music": [{"sound": {"call": "", "key": key}, "first": 0, "last": 0}],
        }
        mixed = await client.call_tool("mix_sound", sound)
        assert not mixed.is_error, mixed.content[0].text
        for bad in ("", "0" * 40, "../../../etc/passwd"):
            sound["music"][0]["sound"]["key"] = bad  # type: ignore[index]
            refused = await client.call_tool("mix_sound", sound)
            assert refused.is_error
            assert "no result with the key" in refused.content[0].text
        outside = await client.call_tool("transcribe", {"file": "/etc/passwd"})
        assert outside.is_error
        assert "may be read" in outside.content[0].text

    with_client(tmp_path, talk, "--tools")


def test_nothing_but_the_protocol_is_on_standard_output(tmp_path: Path) -> None:
    """By hand: whatever is sent, each line that comes back is JSON-RPC, and the end of input ends the process."""
    lines = [
        "no json at all", "[]", "{}", '{"jsonrpc": "2.0"}', "[" * 20_000,
        '{"jsonrpc": "2.0", "id": 1, "method": "nope"}',
        json.dumps({"jsonrpc": "2.0", "id": 2, "method": "initialize", "params": {"protocolVersion": "2025-06-18",
                    "capabilities": {}, "clientInfo": {"name": "by hand", "version": "0"}}}),
        json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        json.dumps({"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": "list_cast"}}),
        json.dumps({"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": {"name": 7, "arguments": "x"}}),
    ]  # fmt: skip
    environment = {**os.environ, "STUDIO_PRODUCTIONS": str(tmp_path), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "agent", "mcp"], cwd=tmp_path, env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    answered: dict[Any, Any] = {}
    try:
        process.stdin.write("".join(line + "\n" for line in lines))
        process.stdin.flush()
        while not {3, 4} <= set(answered):
            line = process.stdout.readline()
            assert line, "it ended before it had answered"
            message = json.loads(line)
            assert message["jsonrpc"] == "2.0"
            answered[message.get("id")] = message
        process.stdin.close()
        assert process.stdout.read() == ""
        process.wait(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0
    assert "luca" in answered[3]["result"]["content"][0]["text"]
    assert "error" in answered[4] or answered[4]["result"]["isError"]


def test_printing_while_it_serves_goes_to_the_other_stream(tmp_path: Path) -> None:
    """The broken twin of the test above: something prints in a call, in Python and below it."""
    script = (
        "import os, sys\n"
        "from agent.mcp.serving import serve_stdio, studio_server\n"
        "from configs.settings import Settings\n"
        "served = studio_server(Settings())\n"
        "run = served._run\n"
        "def loud(*args):\n"
        "    print('stray words', flush=True); os.system('echo stray child'); return run(*args)\n"
        "served._run = loud\n"
        "serve_stdio(served)\n"
    )
    from mcp import Client, StdioServerParameters

    async def run() -> None:
        given = StdioServerParameters(
            command=sys.executable, args=["-c", script], cwd=str(ROOT), env={"STUDIO_PRODUCTIONS": str(tmp_path)}
        )
        with anyio.fail_after(200):
            async with Client(given) as client:
                found = await client.call_tool("list_cast", {})
                assert "luca" in found.content[0].text

    anyio.run(run)


def test_progress_only_grows_and_ends_below_one() -> None:
    meter = ProgressMeter()
    board = beach().model_dump(mode="json")
    told = [meter.take({"node": "reason", "storyboard": board})]
    for number in range(100):
        for status, fraction in (("running", 0.1), ("running", 0.9), ("done", 1.0)):
            event = {
                "node": "act",
                "call_id": f"c{number}",
                "tool": "generate_image",
                "status": status,
                "fraction": fraction,
            }
            told.append(meter.take(event))
    told.append(meter.take({"node": "judge", "verdicts": []}))
    fractions = [one[0] for one in told if one]
    assert fractions == sorted(set(fractions))
    assert fractions[-1] <= 0.99


def test_only_what_a_production_made_is_shown(tmp_path: Path) -> None:
    save_storyboard(beach(), tmp_path / "beach" / "storyboard.yaml")
    (tmp_path / "beach" / "notes.md").write_text("private")
    (tmp_path / ".studio").mkdir()
    save_storyboard(beach(), tmp_path / ".studio" / "storyboard.yaml")
    outside = tmp_path.parent / f"{tmp_path.name}_outside"
    save_storyboard(beach(), outside / "storyboard.yaml")
    (tmp_path / "linked").symlink_to(outside)
    (tmp_path / "beach" / "script.md").symlink_to(outside / "storyboard.yaml")
    files = ShownFiles(tmp_path)
    assert [one.name for one in files.all()] == ["beach/storyboard.yaml"]
    for name in (
        "beach/notes.md",
        "beach/script.md",
        ".studio/storyboard.yaml",
        "linked/storyboard.yaml",
        "beach",
        "",
        "%2e%2e/x",
    ):
        with pytest.raises(InvalidInput):
            files.find(f"studio://production/{name}")


def test_pictures_are_shown_small_and_what_is_none_is_refused(tmp_path: Path) -> None:
    import numpy as np
    import skia

    noise = np.random.default_rng(0).integers(0, 255, (1200, 2400, 4), dtype=np.uint8)
    path = tmp_path / "a.png"
    path.write_bytes(bytes(skia.Image.fromarray(noise).encodeToData()))
    data, mime = bounded_picture(path)
    shown = skia.Image.MakeFromEncoded(skia.Data.MakeWithCopy(data))
    assert (shown.width(), shown.height(), mime) == (768, 384, "image/jpeg")
    assert len(data) < path.stat().st_size / 4
    path.write_bytes(b"\x89PNG no picture")
    with pytest.raises(InvalidInput):
        bounded_picture(path)
