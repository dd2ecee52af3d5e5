"""Text networks in float32, batch 1, two threads: zoo beside Transformers, medians of alternating pairs.

`text` is one run of 128 tokens through an encoder alone; `token` is one further token of a greedy answer
or continuation, over TOKENS of them behind a text of 16. The ratio is the median over the pairs. bfloat16 and int8 are
zoo alone."""

import argparse
import statistics
import subprocess
import sys
import tempfile

import torch
from transformers import (
    BertConfig, BertModel, GPT2Config, GPT2LMHeadModel, T5Config, T5EncoderModel, T5ForConditionalGeneration)

ZOO, RUNNER = ".build/release/zoo", ".build/release/parity-runner"
LENGTH, PROMPT, TOKENS, THREADS, RUNS = 128, 16, 32, 2, 7
def t5():
    return T5Config(d_model=768, d_ff=3072, num_layers=12, num_heads=12, d_kv=64, decoder_start_token_id=0, eos_token_id=None)


# The network, its name in the catalogue, what is timed, and the bound of zoo's time over Transformers'.
CASES = [
    (lambda: BertModel(BertConfig()), "bert_base_uncased", "text", 0.65),
    (lambda: GPT2LMHeadModel(GPT2Config()), "gpt2", "token", 1 / 2.5),
    (lambda: T5EncoderModel(t5()), "t5_base", "text", 0.5),
    (lambda: T5ForConditionalGeneration(t5()), "t5_base", "token", 1 / 3),
]
THEIRS = """
import sys, time, torch, transformers
torch.set_num_threads(int(sys.argv[4]))
kind, length, tokens, runs = sys.argv[2], int(sys.argv[3]), int(sys.argv[5]), int(sys.argv[6])
model = getattr(transformers, kind).from_pretrained(sys.argv[1]).eval()
ids = torch.tensor([[5 + place % 500 for place in range(length)]])
mask = torch.ones_like(ids)
with torch.no_grad():
    for run in range(runs + 2):
        start = time.perf_counter()
        if tokens == 0:
            model(input_ids=ids, attention_mask=mask)
        else:
            made = model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=1, do_sample=False, pad_token_id=0)
            first = time.perf_counter() - start
            start = time.perf_counter()
            made = model.generate(input_ids=ids, attention_mask=mask, min_new_tokens=tokens + 1,
                                  max_new_tokens=tokens + 1, do_sample=False, pad_token_id=0)
        seconds = time.perf_counter() - start
        if run >= 2:
            print((seconds - first) / tokens if tokens else seconds)
"""


def ours(checkpoint, kind, precision="float32"):
    length, tokens = (LENGTH, 0) if kind == "text" else (PROMPT, TOKENS)
    command = [RUNNER, "sequences-time", checkpoint, length, tokens, THREADS, RUNS, precision]
    out = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True).stdout
    return statistics.median(float(line.split()[1]) for line in out.splitlines() if line.startswith(kind))


def theirs(source, name, kind):
    length, tokens = (LENGTH, 0) if kind == "text" else (PROMPT, TOKENS)
    command = [sys.executable, "-W", "ignore", "-c", THEIRS, source, name, length, THREADS, tokens, RUNS]
    out = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return statistics.median(map(float, out.split()))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--names", nargs="*", default=[name for _, name, _, _ in CASES])
    arguments = parser.parse_args()
    missed = False
    for build, name, kind, bound in CASES:
        if name not in arguments.names:
            continue
        torch.manual_seed(0)
        model = build().eval()
        with tempfile.TemporaryDirectory() as folder:
            source, checkpoint = f"{folder}/source", f"{folder}/model.safetensors"
            model.save_pretrained(source)
            subprocess.run([ZOO, "convert", source, "--model", name, "-o", checkpoint, "--quiet"], check=True)
            pairs = [(ours(checkpoint, kind), theirs(source, type(model).__name__, kind)) for _ in range(arguments.pairs)]
            ratio = statistics.median(a / b for a, b in pairs)
            missed |= ratio > bound
            print(f"{name} {kind}: zoo {statistics.median(a for a, _ in pairs) * 1e3:.1f} ms, "
                  f"Transformers {statistics.median(b for _, b in pairs) * 1e3:.1f} ms, ratio {ratio:.2f} (bound {bound:.2f})"
                  + ("   MISSED" if ratio > bound else ""), flush=True)
            rounded = {precision: ours(checkpoint, kind, precision) for precision in ("bfloat16", "int8")}
            print("  " + ", ".join(f"{precision} {seconds * 1e3:.1f} ms" for precision, seconds in rounded.items()), flush=True)
    sys.exit(missed)


if __name__ == "__main__":
    main()
