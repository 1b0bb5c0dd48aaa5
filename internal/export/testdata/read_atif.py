"""Reads trajectories with Harbor's own models of ATIF."""
import json
import sys

from harbor.models.trajectories import Trajectory

for path in sys.argv[1:]:
    with open(path) as f:
        got = Trajectory.model_validate(json.load(f))
    assert got.steps[-1].source == "agent", path
print("good")
