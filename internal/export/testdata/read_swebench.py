"""Loads an export with swebench 5 and datasets, and grades it: EXPORT LOGS."""
import json
import sys
from pathlib import Path

from datasets import load_dataset
from swebench.harness.grading import get_eval_report
from swebench.harness.utils import load_swebench_dataset, make_test_spec
from swebench.image_builder.image_spec import get_image_specs_from_dataset
from swebench.task.checks import check_task_repo
from swebench.task.publish import compile_datasets
from swebench.task.repo import load_dockerfiles, load_task_repo, task_paths

folder, logs = Path(sys.argv[1]), Path(sys.argv[2])

problems = check_task_repo(folder)
assert not problems, [str(p) for p in problems]
tasks = {t["instance_id"]: t for t in load_task_repo(folder)}
rows = load_swebench_dataset(str(folder / "instances.jsonl"))
assert len(rows) == len(tasks) > 0

published = compile_datasets(folder)["breakfix/bugs"]["test"]
for row in rows:
    other = next(r for r in published if r["instance_id"] == row["instance_id"])
    for column, value in row.items():
        if column in ("FAIL_TO_PASS", "PASS_TO_PASS"):
            value = json.loads(value)
        assert other[column] == value, (row["instance_id"], column)

table = load_dataset("json", data_files=str(folder / "instances.jsonl"), split="train")
assert sorted(table["instance_id"]) == sorted(tasks) and table.features["FAIL_TO_PASS"].dtype == "string"

images = get_image_specs_from_dataset(rows, load_dockerfiles(folder), "swebench", context_dirs=task_paths(folder))
assert sorted(i.name for i in images) == sorted(r["image"] for r in rows)

for row in rows:
    spec = make_test_spec(row)
    prediction = {"instance_id": row["instance_id"], "model_name_or_path": "gold", "model_patch": row["patch"]}
    for state, resolved in (("bug", False), ("repaired", True)):
        report = get_eval_report(spec, prediction, str(logs / f"{row['instance_id']}.{state}.log"), True)[row["instance_id"]]
        assert report["patch_successfully_applied"] and report["resolved"] is resolved, (state, report)
        if not resolved:
            assert not report["tests_status"]["FAIL_TO_PASS"]["success"], report
            assert not report["tests_status"]["PASS_TO_PASS"]["failure"], report
print("good", len(rows))
