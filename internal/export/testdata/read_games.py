"""Loads each form of games with datasets, as trainers do."""
import sys

from datasets import load_dataset

messages, trl, slime, verl = sys.argv[1:]


def rows(kind, path):
    got = load_dataset(kind, data_files=path, split="train")
    assert len(got) == 2, (path, len(got))
    return got


first = rows("json", messages)[0]
assert [m["role"] for m in first["messages"]] == ["system", "user", "assistant", "tool", "tool", "assistant", "tool"], first
assert first["messages"][2]["tool_calls"][0]["function"]["name"] == "read", first
first = rows("json", trl)[0]
assert first["label"] is True and len(first["prompt"]) == 2 and len(first["completion"]) == 5, first
first = rows("json", slime)[0]
assert first["label"] == "--- a\n" and first["metadata"]["problem_statement"] == "A test is red.", first
first = rows("parquet", verl)[0]
assert first["prompt"][1] == {"role": "user", "content": "A test is red."}, first
assert first["reward_model"] == {"style": "rule", "ground_truth": "--- a\n"} and first["extra_info"]["index"] == 0, first
print("good")
