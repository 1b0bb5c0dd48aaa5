"""tiny.py FOLDER: a tiny random Llama with a byte-level tokenizer, to try an engine with.

The head is drawn with a standard deviation of 0.2, ten times what is usual: SkyRL does not
train it, and reinforcement learning cannot move a model whose head is small. The two
commands that make a change by its number are one token each: drawn among 320 they are
written now and then by a model that knows nothing.
"""
import glob
import json
import os
import sys
import sysconfig

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

folder = sys.argv[1]
HIDDEN, LAYERS, HEADS, KV, INNER, VOCABULARY = 64, 2, 4, 2, 128, 320
COMMANDS = ["choose ", "mutate "]
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
os.makedirs(folder, exist_ok=True)

tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
library = sorted(glob.glob(os.path.join(sysconfig.get_paths()["stdlib"], "*.py")))[:150]
tokenizer.train(library, trainers.BpeTrainer(vocab_size=VOCABULARY - len(COMMANDS), special_tokens=SPECIAL, show_progress=False,
                                             initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
tokenizer.add_tokens(COMMANDS)
tokenizer.save(f"{folder}/tokenizer.json")
vocabulary = tokenizer.get_vocab_size()


def write(name, value):
    with open(f"{folder}/{name}", "w") as f:
        json.dump(value, f, indent=1)


write("tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "model_max_length": 2048})
write("config.json", {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": HIDDEN, "intermediate_size": INNER, "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS, "num_key_value_heads": KV, "head_dim": HIDDEN // HEADS, "vocab_size": vocabulary, "max_position_embeddings": 2048,
    "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}, "hidden_act": "silu",
    "attention_bias": False, "mlp_bias": False, "tie_word_embeddings": False, "torch_dtype": "float32", "dtype": "float32", "bos_token_id": 0, "eos_token_id": 2,
})
random = np.random.default_rng(0)


def drawn(*shape, scale=0.02):
    return (random.standard_normal(shape) * scale).astype(np.float32)


one = np.ones(HIDDEN, np.float32)
head = HIDDEN // HEADS
weights = {"model.embed_tokens.weight": drawn(vocabulary, HIDDEN), "model.norm.weight": one, "lm_head.weight": drawn(vocabulary, HIDDEN, scale=0.2)}
for i in range(LAYERS):
    layer = {
        "self_attn.q_proj": drawn(HEADS * head, HIDDEN), "self_attn.k_proj": drawn(KV * head, HIDDEN), "self_attn.v_proj": drawn(KV * head, HIDDEN),
        "self_attn.o_proj": drawn(HIDDEN, HEADS * head), "mlp.gate_proj": drawn(INNER, HIDDEN), "mlp.up_proj": drawn(INNER, HIDDEN),
        "mlp.down_proj": drawn(HIDDEN, INNER), "input_layernorm": one, "post_attention_layernorm": one,
    }
    weights |= {f"model.layers.{i}.{name}.weight": w for name, w in layer.items()}
save_file(weights, f"{folder}/model.safetensors", metadata={"format": "pt"})
