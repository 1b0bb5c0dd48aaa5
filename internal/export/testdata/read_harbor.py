"""Loads the tasks of an export with Harbor: EXPORT."""
import sys
import tomllib
from pathlib import Path

from harbor.models.task.config import TaskConfig
from harbor.models.task.task import Task

folders = sorted(p.parent for p in Path(sys.argv[1]).glob("*/task.toml"))
assert folders
for folder in folders:
    assert Task.is_valid_dir(folder)
    task = Task(folder)
    assert task.name == "breakfix/" + folder.name and task.config.schema_version == "1.1"
    assert "a test that should pass fails with" in task.instruction
    assert task.paths.solve_path.exists() and task.paths.environment_dir.is_dir()
    # No key is a stranger to the model, which ignores those that it does not know.
    raw = tomllib.loads((folder / "task.toml").read_text())
    assert set(raw) <= set(TaskConfig.model_fields), raw.keys()
    for section in ("task", "verifier", "agent", "environment"):
        part = getattr(task.config, section)
        assert set(raw[section]) <= set(type(part).model_fields), (section, raw[section].keys())
        for key, value in raw[section].items():
            assert getattr(part, key) == value, (section, key)
print("good", len(folders))
