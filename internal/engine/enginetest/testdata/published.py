"""The published client, through everything that breakfix's own client uses too."""
import logging
import math
import os
import sys
import warnings

import tinker
from tinker import types

logging.disable(logging.ERROR)
warnings.simplefilter("ignore")
url, model = sys.argv[1:3]
service = tinker.ServiceClient(base_url=url, api_key="tml-test")
assert model in [m.model_name for m in service.get_server_capabilities().supported_models]
training = service.create_lora_training_client(base_model=model, rank=4, seed=3)
assert training.get_info().model_data.model_name == model

TOKENS = [2, 105, 106, 107, 108, 105, 106, 107]


def datum(tokens=TOKENS, **arrays):
    n = len(tokens) - 1
    inputs = {"target_tokens": types.TensorData(data=tokens[1:], dtype="int64", shape=[n])}
    for name, value in arrays.items():
        value = value if isinstance(value, list) else [value] * n
        inputs[name] = types.TensorData(data=value, dtype="float32", shape=[n])
    return types.Datum(model_input=types.ModelInput.from_ints(tokens[:-1]), loss_fn_inputs=inputs)


def logprobs(result):
    return [list(o["logprobs"].to_numpy()) for o in result.loss_fn_outputs]


before = logprobs(training.forward([datum(weights=1.0)], "cross_entropy").result())[0]
assert len(before) == len(TOKENS) - 1 and all(math.isfinite(p) and p <= 0 for p in before)
for _ in range(3):  # submitted before the first is done: the server keeps the order
    pass_ = training.forward_backward([datum(weights=1.0)], "cross_entropy")
    step = training.optim_step(types.AdamParams(learning_rate=0.01))
    pass_.result(), step.result()
after = logprobs(training.forward([datum(weights=1.0)], "cross_entropy").result())[0]
assert sum(after) > sum(before) + 0.1, (before, after)

for loss in ("importance_sampling", "ppo", "cispo"):
    got = training.forward_backward([datum(logprobs=[float(p) for p in after], advantages=0.0)] * 2, loss).result()
    assert logprobs(got) == [after, after], loss
training.optim_step(types.AdamParams(learning_rate=0.01, weight_decay=0.0)).result()

kept = training.save_state("kept").result().path
sampler_path = training.save_weights_for_sampler("sampler").result().path
sampler = service.create_sampling_client(model_path=sampler_path)
params = types.SamplingParams(max_tokens=6, temperature=1.0, seed=5, stop=[5])
prompt = types.ModelInput.from_ints(TOKENS)
got = sampler.sample(prompt=prompt, num_samples=3, sampling_params=params).result()
assert len(got.sequences) == 3
for s in got.sequences:
    assert len(s.tokens) == len(s.logprobs) and 0 < len(s.tokens) <= 6 and s.stop_reason in ("stop", "length")
    again = logprobs(training.forward([datum(TOKENS + list(s.tokens), weights=1.0)], "cross_entropy").result())[0]
    for p, q in zip(s.logprobs, again[len(TOKENS) - 1 :]):
        assert abs(p - q) < 1e-4, (p, q)
shown = sampler.compute_logprobs(prompt).result()
assert shown[0] is None and len(shown) == len(TOKENS) and all(abs(p - q) < 1e-4 for p, q in zip(shown[1:], logprobs(training.forward([datum(weights=1.0)], "cross_entropy").result())[0]))

training.forward_backward([datum(weights=1.0)], "cross_entropy").result()
training.optim_step(types.AdamParams(learning_rate=0.1)).result()
training.load_state(kept).result()
back = training.save_weights_and_get_sampling_client().sample(prompt=prompt, num_samples=3, sampling_params=params).result()
assert [list(s.tokens) for s in back.sequences] == [list(s.tokens) for s in got.sequences]
base = service.create_sampling_client(base_model=model).sample(prompt=prompt, num_samples=1, sampling_params=params).result()
assert len(base.sequences) == 1
print("good", tinker.__version__, flush=True)
os._exit(0)  # not waiting for its telemetry
