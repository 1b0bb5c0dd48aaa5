"""Loads files of lines with datasets: FILE COLUMN ROWS for each."""
import sys

from datasets import load_dataset

for name, column, rows in zip(*[iter(sys.argv[1:])] * 3):
    table = load_dataset("json", data_files=name, split="train")
    assert len(table) == int(rows) and column in table.column_names, (name, table)
    if column == "messages":
        assert [m["role"] for m in table[0]["messages"]] == ["system", "user", "assistant"]
print("good")
