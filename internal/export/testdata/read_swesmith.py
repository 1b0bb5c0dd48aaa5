"""Loads an export with SWE-smith's registry, and grades it: EXPORT LOGS."""
import json
import sys
from pathlib import Path

folder, logs = Path(sys.argv[1]), Path(sys.argv[2])
sys.path.insert(0, str(folder))

import breakfix_profiles
from swesmith.harness.grading import get_eval_report, get_valid_report
from swesmith.profiles import registry

rows = [json.loads(line) for line in (folder / "instances.jsonl").read_text().splitlines()]
assert rows
for row in rows:
    profile = registry.get_from_inst(row)
    assert isinstance(profile, breakfix_profiles.BreakfixProfile)
    assert profile.image_name == row["image_name"] and profile.mirror_name == row["repo"] and profile.commit == row["base_commit"]
    assert "FROM python:" in profile.dockerfile and profile.install_cmds == []
    command, _ = profile.get_test_cmd(row)
    assert "-m pytest" in command, command
    assert profile.get_test_files(row)[0]
    bug, repaired = (str(logs / f"{row['instance_id']}.{state}.log") for state in ("bug", "repaired"))
    report = get_valid_report(bug, repaired, row)
    assert set(row["FAIL_TO_PASS"]) <= set(report["FAIL_TO_PASS"]), report
    assert set(row["PASS_TO_PASS"]) <= set(report["PASS_TO_PASS"]) and not report["PASS_TO_FAIL"], report
    for log, resolved in ((bug, False), (repaired, True)):
        assert get_eval_report({"model_patch": "x"}, row, log)["resolved"] is resolved, (log, resolved)
print("good", len(rows))
