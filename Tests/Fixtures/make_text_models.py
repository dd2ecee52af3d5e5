"""Tiny networks of texts as Transformers and torchtext save them, into text_models/: a folder each, and under zoo/ the
models that they are.

Names that aren't today's are written as the published files have them: bert-old those of 2018, gpt2-published those
without the head. expected/ has what such a file is to become, where it isn't what the file says itself.

python make_text_models.py FOLDER: the folder holds torchtext/models, as torchtext 0.18.0 has them.
"""
import importlib
import json
import pathlib
import sys
import types

import torch
import transformers
from safetensors.torch import save_file

OUT = pathlib.Path(__file__).with_name("text_models")
WORDS, WIDTH = 24, 8
ENCODER = {"vocab_size": WORDS, "hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 2,
           "intermediate_size": 12, "max_position_embeddings": 16}
ROBERTA = ENCODER | {"type_vocab_size": 1, "layer_norm_eps": 1e-5, "pad_token_id": 1}
DISTILBERT = {"vocab_size": WORDS, "dim": WIDTH, "n_layers": 2, "n_heads": 2, "hidden_dim": 12,
              "max_position_embeddings": 16}
GPT2 = {"vocab_size": WORDS, "n_embd": WIDTH, "n_layer": 2, "n_head": 2, "n_positions": 16}
T5 = {"vocab_size": WORDS, "d_model": WIDTH, "d_kv": 6, "d_ff": 12, "num_layers": 2, "num_heads": 2}
GATED = T5 | {"d_ff": 10, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}
NETWORKS = {
    "bert-pre-training": ("Bert", "ForPreTraining", ENCODER),
    "bert-masked-lm": ("Bert", "ForMaskedLM", ENCODER),
    "bert": ("Bert", "Model", ENCODER),
    "bert-sequences": ("Bert", "ForSequenceClassification", ENCODER | {"num_labels": 3}),
    "bert-tokens": ("Bert", "ForTokenClassification", ENCODER | {"num_labels": 5}),
    "distilbert-masked-lm": ("DistilBert", "ForMaskedLM", DISTILBERT),
    "distilbert-sequences": ("DistilBert", "ForSequenceClassification", DISTILBERT | {"num_labels": 3}),
    "roberta-masked-lm": ("Roberta", "ForMaskedLM", ROBERTA),
    "roberta-sequences": ("Roberta", "ForSequenceClassification", ROBERTA | {"num_labels": 3}),
    "xlm-roberta-masked-lm": ("XLMRoberta", "ForMaskedLM", ROBERTA),
    "gpt2": ("GPT2", "LMHeadModel", GPT2),
    "gpt2-sequences": ("GPT2", "ForSequenceClassification", GPT2 | {"num_labels": 3}),
    "t5": ("T5", "ForConditionalGeneration", T5),
    "t5-encoder": ("T5", "EncoderModel", T5),
    "t5-gated": ("T5", "ForConditionalGeneration", GATED),
}
TORCHTEXT_LAYERS = {
    "self_attn.in_proj_": "attention.input_projection.", "self_attn.out_proj": "attention.output_projection",
    "linear1": "residual_mlp.mlp.0", "linear2": "residual_mlp.mlp.3", "norm1": "attention_layer_norm",
    "norm2": "final_layer_norm",
}


def seeded(model, seed=7):
    """Values that are everywhere other ones."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
    return model.eval()


def made(kind, name, sizes):
    model = seeded(getattr(transformers, kind + name)(getattr(transformers, f"{kind}Config")(**sizes)))
    if sizes.get("tie_word_embeddings") is False:
        # Transformers 5 ties them until a file has two of them, as the published ones do.
        model.lm_head.weight = torch.nn.Parameter(torch.randn(WORDS, WIDTH, generator=torch.Generator().manual_seed(8)))
    return model


def saved(name, tensors, config):
    (OUT / name).mkdir(parents=True, exist_ok=True)
    torch.save(tensors, OUT / name / "pytorch_model.bin")
    settings = config if isinstance(config, dict) else json.loads(config.to_json_string())
    (OUT / name / "config.json").write_text(json.dumps(settings, indent=1) + "\n")


def expected(name, tensors):
    (OUT / "expected").mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous().clone() for k, v in tensors.items()}, OUT / "expected" / f"{name}.safetensors")


def published_bert():
    """google-bert's: LayerNorm as TensorFlow has it, positions that nobody needs, tied tensors twice."""
    model = made(*NETWORKS["bert-pre-training"])
    tensors = {k.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): v.clone()
               for k, v in model.state_dict().items()}
    tensors["bert.embeddings.position_ids"] = torch.arange(16)[None]
    saved("bert-old", tensors, model.config)
    expected("bert-old", model.state_dict())


def published_gpt2():
    model = made(*NETWORKS["gpt2"])
    tensors = dict(model.transformer.state_dict())
    for layer in range(2):
        tensors[f"h.{layer}.attn.bias"] = torch.tril(torch.ones(1, 1, 16, 16))
        tensors[f"h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
    saved("gpt2-published", tensors, model.config)
    expected("gpt2-published", model.transformer.state_dict(prefix="transformer."))
    (OUT / "gpt2-untied").mkdir(parents=True, exist_ok=True)
    untied = {k: v.clone() for k, v in model.state_dict().items()}
    untied["lm_head.weight"] += 1
    torch.save(untied, OUT / "gpt2-untied" / "pytorch_model.bin")


def torchtext(folder):
    for package in ("torchtext", "torchtext.models", "torchtext.models.t5", "torchtext.models.roberta"):
        module = types.ModuleType(package)
        module.__path__ = [f"{folder}/{package.replace('.', '/')}"]
        sys.modules[package] = module
    roberta, t5 = (importlib.import_module(f"torchtext.models.{name}.model") for name in ("roberta", "t5"))
    model = seeded(roberta.RobertaModel(roberta.RobertaEncoderConf(
        vocab_size=WORDS, embedding_dim=WIDTH, ffn_dimension=12, max_seq_len=16, num_attention_heads=2,
        num_encoder_layers=2)))
    torchtext_roberta(model)
    torchtext_t5(t5)


def torchtext_roberta(model):
    tensors = model.state_dict()
    old = {}
    for name, tensor in tensors.items():
        for new_part, old_part in TORCHTEXT_LAYERS.items():
            if ".layers.layers." in name and new_part in name:
                name = name.replace("layers.layers", "layers").replace(new_part, old_part)
        old[name] = tensor
    for name, own in (("torchtext-roberta", tensors), ("torchtext-roberta-old", old)):
        (OUT / name).mkdir(parents=True, exist_ok=True)
        torch.save(own, OUT / name / "model.pt")
    # The same weights in Transformers' network, which has to give the same.
    theirs = transformers.RobertaModel(
        transformers.RobertaConfig(**ROBERTA, attn_implementation="eager"), add_pooling_layer=False).eval()
    target = theirs.state_dict()
    own = "encoder.transformer."
    target["embeddings.word_embeddings.weight"] = tensors[own + "token_embedding.weight"]
    target["embeddings.position_embeddings.weight"] = tensors[own + "positional_embedding.embedding.weight"]
    target["embeddings.token_type_embeddings.weight"] = torch.zeros(1, WIDTH)
    for leaf in ("weight", "bias"):
        target[f"embeddings.LayerNorm.{leaf}"] = tensors[own + f"embedding_layer_norm.{leaf}"]
        for layer in range(2):
            a, b = own + f"layers.layers.{layer}.", f"encoder.layer.{layer}."
            parts = tensors[a + f"self_attn.in_proj_{leaf}"].chunk(3)
            for name, part in zip(("query", "key", "value"), parts):
                target[b + f"attention.self.{name}.{leaf}"] = part
            for mine, theirs_name in (("self_attn.out_proj", "attention.output.dense"), ("linear1", "intermediate.dense"),
                                      ("linear2", "output.dense"), ("norm1", "attention.output.LayerNorm"),
                                      ("norm2", "output.LayerNorm")):
                target[b + f"{theirs_name}.{leaf}"] = tensors[a + f"{mine}.{leaf}"]
    theirs.load_state_dict(target)
    ids = torch.tensor([[0, 5, 9, 20, 2]])
    with torch.no_grad():
        assert torch.allclose(model(ids), theirs(ids).last_hidden_state, atol=1e-5)
    expected("torchtext-roberta", target)


def torchtext_t5(t5):
    """Each of torchtext's tensors by the place that it has in Transformers' network."""
    for name, sizes, gated in (("t5", T5, False), ("t5-gated", GATED, True)):
        theirs = made(*NETWORKS[name])
        model = t5.T5Model(t5.T5Conf(
            encoder_only=False, linear_head=True, vocab_size=WORDS, embedding_dim=WIDTH, qkv_dim=6,
            ffn_dimension=sizes["d_ff"], num_attention_heads=2, num_encoder_layers=2, num_decoder_layers=2,
            feed_forward_proj="gated-gelu" if gated else "relu")).eval()
        own = {}
        for key, value in theirs.state_dict().items():
            own[torchtext_name(key)] = value.clone()
        own.pop("decoder.token_embeddings.weight", None)
        if gated:
            # torchtext scales what its head reads, Transformers doesn't here.
            missing = model.load_state_dict(own | {"lm_head.weight": own["lm_head.weight"] * WIDTH ** 0.5})
        else:
            missing = model.load_state_dict(own)
        assert not missing.missing_keys and not missing.unexpected_keys, missing
        ids, answer = torch.tensor([[5, 9, 20, 3, 1]]), torch.tensor([[0, 7, 8]])
        with torch.no_grad():
            ours = theirs(input_ids=ids, decoder_input_ids=answer).logits
            assert torch.allclose(model(ids, answer)["decoder_output"], ours, atol=1e-4), name
        (OUT / f"torchtext-{name}").mkdir(parents=True, exist_ok=True)
        torch.save(own, OUT / f"torchtext-{name}" / "model.pt")
        # The decoder's second name for the embedding is Transformers' alone.
        expected(f"torchtext-{name}", {k: v for k, v in theirs.state_dict().items() if k != "decoder.embed_tokens.weight"})


def torchtext_name(key):
    """As T5Bundle.build_model_from_huggingface_ckpt has them."""
    side, rest = key.split(".", 1)
    if key == "shared.weight":
        return "token_embeddings.weight"
    if rest == "embed_tokens.weight":
        return f"{side}.token_embeddings.weight"
    if rest == "final_layer_norm.weight":
        return f"{side}.norm.weight"
    if side == "lm_head":
        return key
    _, block, _, layer, module, *leaf = rest.split(".")
    last = "1" if side == "encoder" else "2"
    to = f"{side}.layers.{block}."
    if module == "layer_norm":
        return to + {"0": "norm1", last: "norm2"}.get(layer, "norm3") + ".weight"
    if module == "DenseReluDense":
        return to + {"wi": "linear1", "wi_0": "linear1_0", "wi_1": "linear1_1", "wo": "linear2"}[leaf[0]] + ".weight"
    to += "self_attn." if module == "SelfAttention" else "cross_attn."
    if leaf[0] == "relative_attention_bias":
        return to + "relative_attention_bias.weight"
    return to + ("out_proj.weight" if leaf[0] == "o" else f"{leaf[0]}_proj_weight")


def member(name, family, task, config, variants):
    folder = OUT / "zoo" / family
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps({
        "name": name, "title": name, "family": family, "task": task, "naming": "transformers", "config": config,
        "variants": variants, "classes": 0 if family == "t5" else 2, "input": {"maximumLength": 16}, "parameters": 0,
        "gflops": 0, "weights": []}, indent=1) + "\n")


def members():
    sizes = {"vocabulary": WORDS, "layers": 2, "heads": 2, "hiddenSize": WIDTH, "mlpSize": 12, "positions": 16}
    heads = [{"head": None}, {"head": None, "pooler": False}, {"head": "sequence-classification"},
             {"head": "token-classification"}]
    member("tiny_bert", "bert", "fill-mask", sizes | {"head": "pre-training"}, [{"head": "masked-lm"}] + heads)
    member("tiny_roberta", "roberta", "fill-mask", sizes | {"head": "masked-lm"}, heads)
    member("tiny_distilbert", "distilbert", "fill-mask", sizes | {"head": "masked-lm"}, [heads[0]] + heads[2:])
    member("tiny_gpt2", "gpt2", "text-generation", sizes | {"mlpSize": 32, "head": "causal-lm"}, [heads[0], heads[2]])
    t5 = {"vocabulary": WORDS, "layers": 2, "heads": 2, "headWidth": 6, "hiddenSize": WIDTH, "mlpSize": 12}
    parts = [{"part": "encoder-decoder"}, {"part": "encoder"}]
    member("tiny_t5", "t5", "text2text-generation", t5, parts)
    member("tiny_t5_gated", "t5", "text2text-generation", t5 | {"mlpSize": 10, "isGated": True, "isTied": False}, parts)


def main():
    for name, network in NETWORKS.items():
        model = made(*network)
        settings = json.loads(model.config.to_json_string())
        if network[2].get("tie_word_embeddings") is False:
            # As the published files say it, which Transformers 5 rewrites.
            settings["tie_word_embeddings"] = False
            settings.pop("scale_decoder_outputs", None)
        saved(name, model.state_dict(), settings)
    published_bert()
    published_gpt2()
    torchtext(sys.argv[1])
    members()


if __name__ == "__main__":
    main()
