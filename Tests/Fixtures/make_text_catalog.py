"""Names, shapes and cost of the catalogue's networks of texts as Transformers has them: catalog_text_shapes.json.

A model has an entry for its configuration and for each variant, in the file's order: a SHA-256 over its sorted
`name:shape` lines, its parameters, each tensor once, and its multiply-adds for 128 tokens (encoder and decoder both).
The sizes are those of the publishers' config.json, where they aren't Transformers' defaults.
"""
import hashlib
import json
import pathlib

import torch
import transformers
from torch.utils.flop_counter import FlopCounterMode

ROOT = pathlib.Path(__file__).parents[2]
TOKENS = 128
LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
MINI = {"hidden_size": 384, "intermediate_size": 1536}
ROBERTA = {"vocab_size": 50265, "max_position_embeddings": 514, "type_vocab_size": 1, "layer_norm_eps": 1e-5}
XLM = ROBERTA | {"vocab_size": 250002}
T5_BASE = {"d_model": 768, "d_ff": 3072, "num_layers": 12, "num_heads": 12}
T5_LARGE = {"d_model": 1024, "d_ff": 4096, "num_layers": 24, "num_heads": 16}
GATED = {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}
GATED_SMALL = GATED | {"d_ff": 1024, "num_layers": 8, "num_heads": 6}
GATED_BASE = GATED | T5_BASE | {"d_ff": 2048}
PUBLISHED = {
    "bert_base_uncased": ("Bert", {}),
    "bert_base_cased": ("Bert", {"vocab_size": 28996}),
    "bert_large_uncased": ("Bert", LARGE),
    "bert_large_cased": ("Bert", LARGE | {"vocab_size": 28996}),
    "minilm": ("Bert", MINI | {"num_hidden_layers": 6}),
    "minilm_l12": ("Bert", MINI),
    "distilbert_base_uncased": ("DistilBert", {}),
    "distilbert_base_cased": ("DistilBert", {"vocab_size": 28996}),
    "roberta_base": ("Roberta", ROBERTA),
    "roberta_large": ("Roberta", ROBERTA | LARGE),
    "xlm_roberta_base": ("XLMRoberta", XLM),
    "xlm_roberta_large": ("XLMRoberta", XLM | LARGE),
    "gpt2": ("GPT2", {}),
    "gpt2_medium": ("GPT2", {"n_embd": 1024, "n_layer": 24, "n_head": 16}),
    "gpt2_large": ("GPT2", {"n_embd": 1280, "n_layer": 36, "n_head": 20}),
    "gpt2_xl": ("GPT2", {"n_embd": 1600, "n_layer": 48, "n_head": 25}),
    "t5_small": ("T5", {}),
    "t5_base": ("T5", T5_BASE),
    "t5_large": ("T5", T5_LARGE),
    "t5_v1_1_base": ("T5", GATED_BASE),
    "flan_t5_small": ("T5", GATED_SMALL),
    "flan_t5_base": ("T5", GATED_BASE),
    "flan_t5_large": ("T5", GATED | T5_LARGE | {"d_ff": 2816}),
    "mt5_small": ("MT5", GATED_SMALL | {"vocab_size": 250112}),
    "mt5_base": ("MT5", GATED_BASE | {"vocab_size": 250112}),
}
HEADS = {
    "masked-lm": "ForMaskedLM", "pre-training": "ForPreTraining", "causal-lm": "LMHeadModel",
    "sequence-classification": "ForSequenceClassification", "token-classification": "ForTokenClassification",
    "generation": "ForConditionalGeneration", "encoder-decoder": "Model", "encoder": "EncoderModel", None: "Model",
}


def build(kind, sizes, config):
    """The network with the head, or the part, that a configuration of zoo names."""
    is_t5 = kind in ("T5", "MT5")
    head = config.get("part", "generation") if is_t5 else config.get("head")
    options = {} if is_t5 else {"num_labels": 2}
    settings = getattr(transformers, f"{kind}Config")(
        attn_implementation="eager", pad_token_id=None if kind == "GPT2" else 1, **options, **sizes)
    network = getattr(transformers, f"{kind}{HEADS[head]}")
    if is_t5 and head == "generation" and not config["isTied"]:
        # Transformers 5 ties them until a file has two of them, as the published ones do.
        model = network(settings)
        model.lm_head.weight = torch.nn.Parameter(torch.empty_like(model.lm_head.weight))
        return model
    if "pooler" not in config:
        return network(settings)
    if head is None:
        return network(settings, add_pooling_layer=config["pooler"])
    model = network(settings)
    prefix = model.base_model_prefix
    setattr(model, prefix, getattr(transformers, f"{kind}Model")(settings, add_pooling_layer=config["pooler"]))
    model.tie_weights()
    return model


def multiply_adds(model):
    ids = torch.zeros(1, TOKENS, dtype=torch.int64, device="meta")
    inputs = {"input_ids": ids}
    if hasattr(model, "decoder") or hasattr(model, "lm_head") and hasattr(model, "encoder"):
        inputs["decoder_input_ids"] = ids
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model.eval()(**inputs, use_cache=False) if "decoder_input_ids" in inputs else model.eval()(**inputs)
    total = counter.get_total_flops() // 2
    # GPT-2's class is that of the last token, and Transformers computes all tokens'.
    return total - (TOKENS - 1) * model.score.weight.numel() if hasattr(model, "score") else total


def described(kind, sizes, config):
    # Without values: the largest have more than a thousand million of them.
    with torch.device("meta"):
        model = build(kind, sizes, config)
    lines = sorted(f"{k}:{'x'.join(map(str, v.shape))}" for k, v in model.state_dict().items())
    return {
        "sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        "tensors": len(lines),
        "parameters": sum(p.numel() for p in model.parameters()),
        "multiplyAdds": multiply_adds(model),
    }


def main():
    members = [json.loads(path.read_text()) for path in sorted(ROOT.glob("zoo/*/*.json"))
               if path.parent.name not in ("labels", "demo")]
    models = {}
    for member in members:
        if member.get("naming") != "transformers":
            continue
        kind, sizes = PUBLISHED[member["name"]]
        configs = [member["config"]] + [member["config"] | variant for variant in member.get("variants", [])]
        models[member["name"]] = [described(kind, sizes, config) for config in configs]
    out = pathlib.Path(__file__).with_name("catalog_text_shapes.json")
    out.write_text(json.dumps(models, indent=1) + "\n")


if __name__ == "__main__":
    main()
