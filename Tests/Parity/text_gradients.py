"""Gradients of every parameter of full-size text networks against torch's, for texts of unequal length: padded, with
attention masks, for Transformers, as they are for zoo. Of each family one network with classes and one that predicts
tokens, where it has both. The truth is torch in float64; a tensor's difference is a Euclidean norm relative to its
gradient. Holds when it is <= 1e-3, or within four times of what torch's own float32 misses by; gradients below 1e-4 of the
network's largest count as zero (those of a key's bias are nothing but rounding)."""

import argparse
import json
import sys
import tempfile

import torch
from safetensors.torch import load_file
from transformers import (
    BertConfig, BertForSequenceClassification, DistilBertConfig, DistilBertForMaskedLM, DistilBertForSequenceClassification,
    GPT2Config, GPT2ForSequenceClassification, RobertaConfig, RobertaForSequenceClassification, XLMRobertaConfig,
    XLMRobertaForSequenceClassification)

from gradients import distance
from networks import RUNNER, ZOO, run
from texts import NETWORKS, padded, texts_of

BOUND, FLOOR = 1e-3, 1e-4
LENGTHS, ANSWERS = [64, 7, 31], [17, 4, 9]
ROBERTA = dict(vocab_size=50265, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5)
CASES = {
    "bert_base_uncased": NETWORKS["bert_base_uncased"],
    "bert_base_uncased, classes": lambda: BertForSequenceClassification(BertConfig(num_labels=5)),
    "roberta_base": NETWORKS["roberta_base"],
    "roberta_base, classes": lambda: RobertaForSequenceClassification(RobertaConfig(num_labels=5, **ROBERTA)),
    "xlm_roberta_base": NETWORKS["xlm_roberta_base"],
    "xlm_roberta_base, classes": lambda: XLMRobertaForSequenceClassification(XLMRobertaConfig(
        num_labels=5, **dict(ROBERTA, vocab_size=250002))),
    "distilbert_base_uncased": lambda: DistilBertForMaskedLM(DistilBertConfig()),
    "distilbert_base_uncased, classes": lambda: DistilBertForSequenceClassification(DistilBertConfig(num_labels=5)),
    "gpt2": NETWORKS["gpt2"],
    "gpt2, classes": lambda: GPT2ForSequenceClassification(GPT2Config(num_labels=5, pad_token_id=0)),
    "t5_base": NETWORKS["t5_base"],
    "flan_t5_base": NETWORKS["flan_t5_base"],
}


def batch_of(name, model, lengths, answers):
    """Random texts as torch takes them and as the runner does, and the lengths of what comes out."""
    ids = texts_of(lengths, model.config.vocab_size)
    tokens, mask = padded(ids, model.config.pad_token_id or 0)
    call, task = dict(input_ids=tokens, attention_mask=mask), {"ids": ids}
    if "t5" not in name:
        return call, task, lengths
    task["decoder"] = texts_of(answers, model.config.vocab_size)
    call["decoder_input_ids"] = padded(task["decoder"], 0)[0]
    return call, task, answers


def logits_of(model, call, lengths):
    """[rows, columns], without what only fills texts up."""
    logits = model(**call).logits
    return logits if logits.dim() == 2 else torch.cat([logits[index, :length] for index, length in enumerate(lengths)])


def torch_gradients(model, call, lengths, targets, dtype):
    model = model.to(dtype)
    model.zero_grad()
    loss = torch.nn.functional.cross_entropy(logits_of(model, call, lengths), targets, ignore_index=-1)
    loss.backward()
    # Never copied: XLM-RoBERTa's are gigabytes.
    return loss.item(), {name: torch.zeros_like(p) if p.grad is None else p.grad for name, p in model.named_parameters()}


def renamed(found, model):
    """Tensors that share memory have more names than one: torch's own choice of them."""
    first = {id(p): name for name, p in model.named_parameters()}
    others = {name: first[id(p)] for name, p in model.named_parameters(remove_duplicate=False)}
    return {others.get(name, name): tensor for name, tensor in found.items()}


def check(name):
    torch.manual_seed(1)
    model = CASES[name]().eval()
    call, asked, lengths = batch_of(name, model, LENGTHS, ANSWERS)
    is_classes = "classes" in name
    rows = len(lengths) if is_classes else sum(lengths)
    targets = torch.randint(0, 5 if is_classes else model.config.vocab_size, (rows,))
    targets[1] = -1
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(f"{folder}/source")
        run(ZOO, "convert", f"{folder}/source", "--model", name.split(",")[0], "-o", f"{folder}/model.safetensors", "--quiet")
        json.dump(dict(asked, targets=targets.tolist()), open(f"{folder}/task.json", "w"))
        run(RUNNER, "sequence-gradients", f"{folder}/model.safetensors", f"{folder}/task.json", f"{folder}/g.safetensors")
        found = renamed(load_file(f"{folder}/g.safetensors"), model)
    _, single = torch_gradients(model, call, lengths, targets, torch.float32)
    loss, exact = torch_gradients(model, call, lengths, targets, torch.float64)
    if set(exact) != set(found) - {"loss"}:
        raise SystemExit(f"{name}: gradients of other tensors: {sorted(set(exact) ^ set(found))}")
    floor = FLOOR * max(g.abs().max().item() for g in exact.values())
    ours = {key: distance(found[key].double(), expected, floor) for key, expected in exact.items()}
    theirs = max(distance(single[key].double(), expected, floor) for key, expected in exact.items())
    worst = max(ours, key=ours.get)
    off = abs(found["loss"].item() - loss) / loss
    held = ours[worst] <= max(BOUND, 4 * theirs) and off < 1e-5
    print(f"{name:33} {len(ours)} tensors, worst {ours[worst]:.1e} {worst} (torch float32 {theirs:.1e}), loss {off:.0e}"
          f"{'' if held else '   DOES NOT HOLD'}", flush=True)
    return held


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--names", nargs="*", default=list(CASES))
    held = all([check(name) for name in parser.parse_args().names])
    print("text gradients: all hold" if held else "text gradients: NOT all hold")
    sys.exit(0 if held else 1)
