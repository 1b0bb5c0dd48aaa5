"""Stands in for peft, of which SkyRL's JAX back end writes the configuration of an adapter."""
import json
import os


class LoraConfig:
    def __init__(self, **fields):
        self.fields = {"peft_type": "LORA", **fields}

    def save_pretrained(self, folder, **_):
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "adapter_config.json"), "w") as f:
            json.dump(self.fields, f, indent=2, default=str)
