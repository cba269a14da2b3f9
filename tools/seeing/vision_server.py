"""`see_picture` by the vision model that the settings name, at whatever server it is.

Which model looks is no argument of a call, so that nobody who may call tools can send pictures elsewhere: it is what
`Settings.vision` says, in the worker as in the studio. Its name and provider are part of the engine's fingerprint.
"""

from __future__ import annotations

import hashlib
from typing import ClassVar

from configs.chat_models import Endpoint, find_endpoint
from configs.settings import Settings
from configs.yaml_file import YamlProblem
from tools.artifact import canonical_json
from tools.base import Engine, EngineContext
from tools.errors import InvalidInput, MissingPrerequisite
from tools.seeing.looking import look
from tools.seeing.server import VisionServer
from tools.seeing.tool import SeePicture

__all__ = ["VisionServerLook"]


class VisionServerLook(Engine[SeePicture.Input, SeePicture.Output]):
    """Looks by the model of the role `vision`.

    Args:
        settings: None reads the environment and agent.yaml when they are wanted.
    """

    tool: ClassVar = SeePicture
    name: ClassVar[str] = "vision_server"
    version: ClassVar[str] = "1"

    def __init__(self, settings: Settings | None = None) -> None:
        self._given = settings

    def check(self) -> None:
        self._endpoint()

    def fingerprint(self, args: SeePicture.Input) -> str:  # noqa: ARG002
        """Of the model and how its server is asked: another model's judgement is another result."""
        endpoint = self._endpoint()
        known = {"model": endpoint.name, "url": endpoint.shown_url, "entry": endpoint.entry.model_dump(mode="json")}
        return hashlib.sha256(canonical_json(known)).hexdigest()

    def run(self, args: SeePicture.Input, ctx: EngineContext) -> SeePicture.Output:
        """Look at the picture.

        Raises:
            MissingPrerequisite: no model is named, its key is not accepted, or it is not at the server.
            InvalidInput: no picture; or the model takes none.
            EngineHung, EngineFailed: the server did not answer, or was too busy.
            BadOutput: it declined, or gave no usable judgement, also when asked to mend it.
        """
        endpoint = self._endpoint()
        server = VisionServer(endpoint, self._settings().model_timeout_s, lambda: ctx.progress(0.3, "looking"))
        return look(args, ctx, endpoint.name, server.asker)

    def _settings(self) -> Settings:
        return self._given or Settings()

    def _endpoint(self) -> Endpoint:
        settings = self._settings()
        if not settings.vision:
            raise MissingPrerequisite(
                "no vision model is named.", command="export STUDIO_VISION=ollama/qwen2.5vl:7b (after ollama pull)"
            )
        try:
            endpoint = find_endpoint(settings.vision, network=settings.network)
        except YamlProblem as problem:
            raise MissingPrerequisite(problem.message, command="studio doctor") from None
        if not endpoint.entry.images:
            raise InvalidInput(f"{endpoint.provider} takes no pictures (configs/chat_models.yaml)", where="vision")
        return endpoint
