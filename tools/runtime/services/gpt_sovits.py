"""GPT-SoVITS (`api_v2.py`): no health page, no sleep, and it writes into its own configuration.

Read and run in its version of August 2026. It is ready in 10 to 14 s, when `/openapi.json` answers; a failed change of
weights writes the bad path into its YAML, so each start gets a fresh copy. It answers on the loop that computes:
while it speaks, probes wait, and are given time for that.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tools.errors import MissingPrerequisite
from tools.runtime.services.owned_process import OwnedProcess
from tools.runtime.services.server import Launch, Server, Timeouts
from tools.runtime.services.sovits_answer import SovitsTimes, Spoken
from tools.runtime.services.sovits_speech import SovitsSpeech
from tools.runtime.storage.disk import storage_errors

__all__ = ["GptSovitsServer", "gpt_sovits_launch"]


def gpt_sovits_launch(
    root: Path, port: int, private: Path, *, python: str = "python", config: Path | None = None
) -> Launch:
    """How to start it, on this machine alone.

    Args:
        root: folder of the checkout.
        private: folder that this server alone uses; a fresh copy of the configuration lies there at each start.
        python: interpreter of its environment.
        config: the configuration to begin with; None is the one that comes with it.

    Raises:
        MissingPrerequisite: it is not there.
    """
    source = config or root / "GPT_SoVITS" / "configs" / "tts_infer.yaml"
    copy = private / f"tts_infer-{port}.yaml"
    for path in (root / "api_v2.py", source):
        if not path.is_file():
            raise MissingPrerequisite(f"GPT-SoVITS: there is no {path}.", command="studio doctor")

    def prepare() -> None:
        with storage_errors(f"cannot copy {source}"):
            private.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)

    command = [python, "api_v2.py", "-a", "127.0.0.1", "-p", str(port), "-c", str(copy.absolute())]
    return Launch(command, cwd=root, prepare=prepare)


class GptSovitsServer(Server):
    """One server. It cannot sleep: `sleep` ends it, `wake` starts it again."""

    can_sleep = False
    how_to_start = "python api_v2.py -a 127.0.0.1 -p 9880 -c GPT_SoVITS/configs/tts_infer.yaml"

    def __init__(
        self,
        name: str,
        url: str = "http://127.0.0.1:9880",
        launch: Launch | None = None,
        timeouts: Timeouts = Timeouts(start=90.0, probe=30.0),  # noqa: B008 - it is frozen
        *,
        remote: bool = False,
    ) -> None:
        super().__init__(name, url, launch, timeouts, remote=remote)
        self._known: tuple[OwnedProcess | None, str] = (None, "")

    def is_ready(self) -> bool:
        """`/openapi.json`, the only page that does nothing."""
        return self.http.ask("GET", "/openapi.json", timeout_s=self.timeouts.probe).status == 200

    @property
    def identity(self) -> str:
        """Names this process of it, where we started it; empty for one whose restart we would not see."""
        if self._process is None:
            return ""
        if self._known[0] is not self._process:
            self._known = (self._process, secrets.token_hex(8))
        return self._known[1]

    def give_up(self) -> None:
        """It hangs, or broke: it is ended where it is ours, and started again when it is wanted."""
        self._end()

    def speak(
        self,
        gpt: str,
        sovits: str,
        request: Mapping[str, Any],
        beat: Callable[[float], None] = lambda _seconds: None,
        times: SovitsTimes = SovitsTimes(),  # noqa: B008 - it is frozen
    ) -> Spoken:
        """Say a text with a pair of weights; see `SovitsSpeech.speak`. It is started first where it does not run."""
        return SovitsSpeech(self, times).speak(gpt, sovits, request, beat)
