"""Models as files: which there are, where they lie, what they are; looked at before anything loads them."""

from tools.models.folder import ModelFolder, RemoteCodeRefused, inspect_folder
from tools.models.header import Header, TensorInfo, WrongFile
from tools.models.inspect import ModelFile, PickleRefused, WrongFamily, inspect_file, require_family
from tools.models.kinds import Family

__all__ = [
    "Family",
    "Header",
    "ModelFile",
    "ModelFolder",
    "PickleRefused",
    "RemoteCodeRefused",
    "TensorInfo",
    "WrongFamily",
    "WrongFile",
    "inspect_file",
    "inspect_folder",
    "require_family",
]
