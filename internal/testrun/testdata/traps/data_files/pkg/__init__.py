import json
import os

HERE = os.path.dirname(__file__)

with open(os.path.join(HERE, "words.json")) as f:
    WORDS = json.load(f)

def word(n):
    return WORDS[n]

def template():
    with open(os.path.join(HERE, "page.txt")) as f:
        return f.read().strip()
