"""Profiles of the repositories of instances.jsonl, for SWE-smith's own tools.

Import this module beside `swesmith.profiles`: each base registers itself, and
`registry.get(instance["repo"])` finds it. The images are built from the folders
in `images/`: `registry.get(...).build_image()`.
"""
import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from swesmith.profiles import registry
from swesmith.profiles.python import PythonProfile

HERE = Path(__file__).resolve().parent


@dataclass
class BreakfixProfile(PythonProfile):
    """A base whose code does not come from a mirror on GitHub."""

    org_dh: str = "breakfix"
    org_gh: str = "breakfix"
    arch: str = "x86_64"
    timeout: int = 600

    def _is_repo_private(self) -> bool:
        return False

    @property
    def folder(self) -> Path:
        return HERE / "images" / self.repo_name

    @property
    def dockerfile(self) -> str:
        return (self.folder / "Dockerfile").read_text()

    def build_image(self):
        subprocess.run(["docker", "build", "--platform", self.pltf, "-t", self.image_name, str(self.folder)], check=True)


def _profile(entry):
    fields = {name: entry[name] for name in ("owner", "repo", "commit", "python_version", "test_cmd")}
    space = {"__annotations__": {name: str for name in fields}, "__module__": __name__}
    space.update(fields)
    # There is no mirror to install from: the image's recipe installs.
    space["install_cmds"] = field(default_factory=list)
    space["__annotations__"]["install_cmds"] = list
    return dataclass(type(entry["class"], (BreakfixProfile,), space))


for _entry in json.loads((HERE / "profiles.json").read_text()):
    globals()[_entry["class"]] = _profile(_entry)
    registry.register_profile(globals()[_entry["class"]])
