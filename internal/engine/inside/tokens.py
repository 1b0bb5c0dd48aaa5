"""Chat templates and tokenisation of one model's folder, over a pipe.

Requests and answers are one JSON object a line. It needs `tokenizers` and
`jinja2`; the template is run in jinja2's sandbox, as transformers does.
"""
import json
import os
import sys

from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MARK = "\x02breakfix-%d\x03"  # stands for what the model itself wrote


def read(folder, name):
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as f:
        return f.read() if name.endswith(".jinja") else json.load(f)


def text_of(token):
    return token.get("content") if isinstance(token, dict) else token


def refuse(message):
    raise ValueError(message)


class Folder:
    def __init__(self, folder):
        self.tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        config = read(folder, "tokenizer_config.json") or {}
        self.names = {k: text_of(v) for k, v in config.items() if k.endswith("_token") and v}
        self.stops = self.find_stops(folder)
        env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
        env.filters["tojson"] = lambda x, indent=None: json.dumps(x, ensure_ascii=False, indent=indent)
        env.globals["raise_exception"] = refuse
        env.globals["strftime_now"] = lambda form: "2026-01-01"  # the same prompt every day
        plain, tools = self.find_templates(folder, config)
        self.plain = env.from_string(plain)
        self.with_tools = env.from_string(tools)

    def find_templates(self, folder, config):
        found = read(folder, "chat_template.jinja") or config.get("chat_template")
        if isinstance(found, list):
            named = {t["name"]: t["template"] for t in found}
            plain = named.get("default") or next(iter(named.values()))
            return plain, named.get("tool_use", plain)
        if found:
            return found, found
        if self.tokenizer.token_to_id("<|im_start|>") is None:
            raise ValueError("the folder has no chat template (chat_template in tokenizer_config.json, or chat_template.jinja)")
        return CHATML, CHATML

    def find_stops(self, folder):
        ids = []
        if "eos_token" in self.names:
            ids.append(self.tokenizer.token_to_id(self.names["eos_token"]))
        for name in ("generation_config.json", "config.json"):
            eos = (read(folder, name) or {}).get("eos_token_id")
            ids += eos if isinstance(eos, list) else [eos]
        ids = sorted({i for i in ids if isinstance(i, int)})
        if not ids:
            raise ValueError("the folder does not say which token ends an answer (eos_token)")
        return ids

    def encode(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def render(self, messages, tools):
        shown, own = [], []
        for m in messages:
            m = dict(m)
            tokens = m.pop("tokens", None)
            if tokens:
                m["content"] = MARK % len(own)
                m.pop("tool_calls", None)
                own.append(tokens[:-1] if tokens[-1] in self.stops else tokens)
            shown.append(m)
        template = self.with_tools if tools else self.plain
        text = template.render(messages=shown, tools=tools or None, add_generation_prompt=True, **self.names)
        ids = []
        for n, tokens in enumerate(own):
            before, found, text = text.partition(MARK % n)
            if not found:
                raise ValueError("the chat template leaves out what the model wrote in an earlier turn")
            ids += self.encode(before)
            ids += tokens
        return ids + self.encode(text)

    def answer(self, q):
        op = q["op"]
        if op == "render":
            return {"ids": self.render(q["messages"], q.get("tools"))}
        if op == "encode":
            return {"ids": self.encode(q["text"])}
        if op == "decode":
            return {"text": self.tokenizer.decode(q["ids"], skip_special_tokens=True)}
        raise ValueError("unknown request " + op)


def main():
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer
    say = lambda answer: (out.write(json.dumps(answer) + "\n"), out.flush())
    try:
        folder = Folder(sys.argv[1])
        say({"vocabulary": folder.tokenizer.get_vocab_size(), "stops": folder.stops})
    except Exception as e:
        say({"error": f"{type(e).__name__}: {e}"})
        return
    for line in sys.stdin.buffer:
        try:
            say(folder.answer(json.loads(line)))
        except Exception as e:
            say({"error": f"{type(e).__name__}: {e}"})


main()
