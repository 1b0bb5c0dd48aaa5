"""smollm2.py GGUF FOLDER: a GGUF file of the llama architecture as a folder of safetensors, config and tokenizer.

llama.cpp keeps the rows of query and key in another order (it rotates neighbours, not halves); they are put
back. Quantised weights are taken as they are: the model is the one that llama.cpp serves.
"""
import json
import os
import sys

import numpy as np
from gguf import GGUFReader, dequantize
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

path, folder = sys.argv[1:]
reader = GGUFReader(path)
os.makedirs(folder, exist_ok=True)


def field(name, default=None):
    found = reader.fields.get(name)
    return default if found is None else found.contents()


if field("general.architecture") != "llama":
    sys.exit(f"smollm2.py: {path} is of the architecture {field('general.architecture')}, not llama")
hidden, layers, heads = field("llama.embedding_length"), field("llama.block_count"), field("llama.attention.head_count")
kv = field("llama.attention.head_count_kv", heads)
NAMES = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
}
TOP = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}


def halves(w, n):
    return w.reshape(n, len(w) // n // 2, 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


weights = {}
for t in reader.tensors:
    w = dequantize(t.data, t.tensor_type).reshape([int(n) for n in t.shape][::-1]).astype(np.float32)
    name = t.name.removesuffix(".weight")
    if name in TOP:
        weights[f"{TOP[name]}.weight"] = np.ascontiguousarray(w)
    elif name.startswith("blk."):
        _, layer, kind = name.split(".", 2)
        if kind in ("attn_q", "attn_k"):
            w = halves(w, heads if kind == "attn_q" else kv)
        weights[f"model.layers.{layer}.{NAMES[kind]}.weight"] = np.ascontiguousarray(w)
save_file(weights, f"{folder}/model.safetensors", metadata={"format": "pt"})

theta = float(field("llama.rope.freq_base", 10000.0))
bos, eos = field("tokenizer.ggml.bos_token_id"), field("tokenizer.ggml.eos_token_id")
length = field("llama.context_length")


def write(name, value):
    with open(f"{folder}/{name}", "w") as f:
        json.dump(value, f, indent=1)


write("config.json", {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": hidden, "intermediate_size": field("llama.feed_forward_length"),
    "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": kv, "head_dim": hidden // heads,
    "vocab_size": len(weights["model.embed_tokens.weight"]), "max_position_embeddings": length,
    "rms_norm_eps": float(field("llama.attention.layer_norm_rms_epsilon")), "rope_theta": theta,
    "rope_parameters": {"rope_type": "default", "rope_theta": theta}, "hidden_act": "silu", "attention_bias": False, "mlp_bias": False,
    "tie_word_embeddings": "lm_head.weight" not in weights, "torch_dtype": "float32", "dtype": "float32", "bos_token_id": bos, "eos_token_id": eos,
})
tokens, kinds = field("tokenizer.ggml.tokens"), field("tokenizer.ggml.token_type")
merges = [tuple(m.split(" ")) for m in field("tokenizer.ggml.merges")]
tokenizer = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=merges))
tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
tokenizer.decoder = decoders.ByteLevel()
CONTROL = 3  # a kind of token in GGUF
tokenizer.add_special_tokens([AddedToken(t, special=True) for t, kind in zip(tokens, kinds) if kind == CONTROL])
tokenizer.save(f"{folder}/tokenizer.json")
write("tokenizer_config.json", {
    "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": tokens[bos], "eos_token": tokens[eos],
    "model_max_length": length, "chat_template": field("tokenizer.chat_template"),
})
