"""Tiny text networks of Transformers with seeded weights, and what they make of texts of unequal length.

    python Tests/Fixtures/make_sequences.py

Each `sequences/NAME.safetensors` holds a state dict under its own names, and beside it `expected.N`, the outputs for the
texts of `ids` (and `decoder`), the rows of the padding left out. What generation makes of them stands in
`generated`, as settings and ids. `buckets.json` has T5's buckets for distances from -200 to 200."""

import json
import os

import torch
from safetensors.torch import save_file
from transformers import (
    BertConfig, BertForMaskedLM, BertForSequenceClassification, BertForTokenClassification, BertModel, DistilBertConfig,
    DistilBertForMaskedLM, DistilBertForSequenceClassification, GPT2Config, GPT2ForSequenceClassification,
    GPT2LMHeadModel, RobertaConfig, RobertaForMaskedLM, RobertaForSequenceClassification, T5Config, T5EncoderModel,
    T5ForConditionalGeneration)
from transformers.models.t5.modeling_t5 import T5Attention

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sequences")
VOCABULARY, WIDTH, LAYERS, HEADS, MLP, CLASSES = 71, 24, 2, 3, 40, 5
LENGTHS, ANSWERS = [7, 1, 12, 4], [3, 1, 5, 2]


def shared(**more):
    return dict(vocab_size=VOCABULARY, num_hidden_layers=LAYERS, num_attention_heads=HEADS, hidden_size=WIDTH,
                intermediate_size=MLP, max_position_embeddings=40, num_labels=CLASSES, **more)


def gpt2(**more):
    return GPT2Config(vocab_size=VOCABULARY, n_layer=LAYERS, n_head=HEADS, n_embd=WIDTH, n_inner=MLP, n_positions=60,
                      num_labels=CLASSES, bos_token_id=1, eos_token_id=2, pad_token_id=0, **more)


def t5(**more):
    return T5Config(vocab_size=VOCABULARY, num_layers=LAYERS, num_decoder_layers=LAYERS, num_heads=HEADS, d_kv=10,
                    d_model=WIDTH, d_ff=MLP, relative_attention_num_buckets=8, relative_attention_max_distance=20, decoder_start_token_id=0, **more)


def ours(**more):
    return dict(vocabulary=VOCABULARY, layers=LAYERS, heads=HEADS, hiddenSize=WIDTH, mlpSize=MLP, positions=40, **more)


def ours_t5(**more):
    return dict(vocabulary=VOCABULARY, layers=LAYERS, heads=HEADS, headWidth=10,
                hiddenSize=WIDTH, mlpSize=MLP, buckets=8, maximumDistance=20, **more)


def distilbert():
    return DistilBertConfig(vocab_size=VOCABULARY, n_layers=LAYERS, n_heads=HEADS, dim=WIDTH, hidden_dim=MLP,
                            max_position_embeddings=40, num_labels=CLASSES)


GATED = dict(feed_forward_proj="gated-gelu", tie_word_embeddings=False)
GPT = dict(vocabulary=VOCABULARY, layers=LAYERS, heads=HEADS, hiddenSize=WIDTH, mlpSize=MLP, positions=60)
NETWORKS = {
    "bert": (lambda: BertModel(BertConfig(**shared())), "bert", ours()),
    "bert_masked_lm": (lambda: BertForMaskedLM(BertConfig(**shared())), "bert", ours(head="masked-lm")),
    "bert_sequences": (lambda: BertForSequenceClassification(BertConfig(**shared())), "bert",
                       ours(head="sequence-classification")),
    "bert_tokens": (lambda: BertForTokenClassification(BertConfig(**shared())), "bert",
                    ours(head="token-classification")),
    "roberta_masked_lm": (lambda: RobertaForMaskedLM(RobertaConfig(**shared(type_vocab_size=1, pad_token_id=1, layer_norm_eps=1e-5))),
                          "roberta", ours(head="masked-lm", tokenTypes=1)),
    "roberta_sequences": (lambda: RobertaForSequenceClassification(RobertaConfig(**shared(type_vocab_size=1, pad_token_id=1, layer_norm_eps=1e-5))),
                          "roberta", ours(head="sequence-classification", tokenTypes=1)),
    "distilbert_masked_lm": (lambda: DistilBertForMaskedLM(distilbert()), "distilbert", ours(head="masked-lm")),
    "distilbert_sequences": (lambda: DistilBertForSequenceClassification(distilbert()), "distilbert",
                             ours(head="sequence-classification")),
    "gpt2": (lambda: GPT2LMHeadModel(gpt2()), "gpt2", dict(GPT, head="causal-lm")),
    "gpt2_sequences": (lambda: GPT2ForSequenceClassification(gpt2()), "gpt2", dict(GPT, head="sequence-classification")),
    "t5": (lambda: T5ForConditionalGeneration(t5()), "t5", ours_t5()),
    "t5_gated": (lambda: T5ForConditionalGeneration(t5(**GATED)), "t5", ours_t5(isGated=True, isTied=False)),
    "t5_encoder": (lambda: T5EncoderModel(t5()), "t5", ours_t5(part="encoder")),
}
# As the catalogue has them.
TOKENS = {"bert": {"maskToken": "[MASK]"}, "distilbert": {"maskToken": "[MASK]"}, "roberta": {"maskToken": "<mask>"},
          "gpt2": {"endToken": "<|endoftext|>"}, "t5": {"endToken": "</s>", "startToken": "<pad>"}}
GENERATIONS = [
    {"maximum": 12}, {"maximum": 12, "repetitionPenalty": 1.3}, {"maximum": 12, "noRepeatSize": 2},
    {"maximum": 10, "beams": 3}, {"maximum": 10, "beams": 4, "lengthPenalty": 0.4, "stopsEarly": True},
    {"maximum": 9, "beams": 2, "lengthPenalty": 2.0, "noRepeatSize": 2},
]


def randomize(model, seed):
    """Weights that make every part of the network matter."""
    chance = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=chance)
            is_scale = parameter.dim() == 1 and name.endswith("weight")
            parameter.copy_(1 + 0.2 * noise if is_scale else noise * (0.3 if parameter.dim() > 1 else 0.1))


def texts(chance, lengths):
    return [torch.randint(3, VOCABULARY, (length,), generator=chance).tolist() for length in lengths]


def padded(ids, value, is_left=False):
    longest = max(map(len, ids))
    rows = [[value] * (longest - len(row)) + row if is_left else row + [value] * (longest - len(row)) for row in ids]
    mask = [[0] * (longest - len(row)) + [1] * len(row) if is_left else [1] * len(row) + [0] * (longest - len(row)) for row in ids]
    return torch.tensor(rows), torch.tensor(mask)


def rows_of(output, lengths):
    """Without the padding's rows."""
    return torch.cat([output[index, :length] for index, length in enumerate(lengths)]) if output.dim() == 3 else output


def generated(model, ids, settings, is_decoder, end):
    if {"repetitionPenalty", "noRepeatSize"} & set(settings) and len(ids) > 1:
        # Padding would count as tokens that were there.
        return [generated(model, [row], settings, is_decoder, end)[0] for row in ids]
    tokens, mask = padded(ids, 0, is_left=is_decoder)
    options = dict(max_new_tokens=settings["maximum"], do_sample=False, num_beams=settings.get("beams", 1), pad_token_id=0,
                   eos_token_id=end, repetition_penalty=settings.get("repetitionPenalty", 1.0),
                   no_repeat_ngram_size=settings.get("noRepeatSize", 0))
    if "beams" in settings:
        options.update(length_penalty=settings.get("lengthPenalty", 1.0), early_stopping=settings.get("stopsEarly", False))
    made = model.generate(input_ids=tokens, attention_mask=mask, **options)
    start = tokens.shape[1] if is_decoder else 1
    return [row[start:].tolist() for row in made]


def made(number, name):
    """The network of that number and name, always with the same weights."""
    build, family, config = NETWORKS[name]
    model = build().eval()
    if config.get("isTied") is False:
        # Transformers 5 ties them until a checkpoint has both.
        model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
    randomize(model, number)
    if "sequences" in name and family == "gpt2":
        model.config.pad_token_id = 0
    return model


def types_of(ids):
    return [[int(place >= len(row) // 2) for place in range(len(row))] for row in ids]


def called(ids, family):
    """What a network is called with for texts of unequal length."""
    tokens, mask = padded(ids, 1 if family == "roberta" else 0)
    call = dict(input_ids=tokens, attention_mask=mask)
    if family == "bert":
        call["token_type_ids"] = padded(types_of(ids), 0)[0]
    return call


def main():
    os.makedirs(HERE, exist_ok=True)
    for number, (name, (build, family, config)) in enumerate(NETWORKS.items()):
        model = made(number, name)
        chance = torch.Generator().manual_seed(100 + number)
        ids = texts(chance, LENGTHS)
        call = called(ids, family)
        types = types_of(ids) if family == "bert" else None
        metadata = {"zoo.config": json.dumps({"family": family, "config": config, "classes": CLASSES}), "ids": json.dumps(ids)}
        metadata["zoo.input"] = json.dumps(TOKENS[family])
        lengths = LENGTHS
        if family == "t5" and config.get("part") != "encoder":
            answers = [[0] + row for row in texts(chance, ANSWERS)]
            call["decoder_input_ids"] = padded(answers, 0)[0]
            lengths = [length + 1 for length in ANSWERS]
            metadata["decoder"] = json.dumps(answers)
        if types:
            metadata["types"] = json.dumps(types)
        with torch.no_grad():
            output = model(**call)
            outputs = [output.logits] if hasattr(output, "logits") else [output.last_hidden_state]
            if name == "bert":
                outputs.append(output.pooler_output)
            if name in ("gpt2", "t5", "t5_gated"):
                # A token that some texts come to, and not all at once, ends them.
                free = generated(model, ids, {"maximum": 12}, family == "gpt2", None)
                metadata["end"] = str(free[0][4])
                runs = [{"settings": settings, "ids": generated(model, ids, settings, family == "gpt2", free[0][4])}
                        for settings in GENERATIONS]
                print([[row.index(free[0][4]) if free[0][4] in row else None for row in run["ids"]] for run in runs])
                metadata["generated"] = json.dumps(runs)
        tensors = {}
        pointers = set()
        for key, value in model.state_dict().items():
            if value.data_ptr() in pointers or "position_ids" in key or key.endswith(".attn.bias"):
                continue
            pointers.add(value.data_ptr())
            tensors[key] = value.clone()
        for index, value in enumerate(outputs):
            tensors[f"expected.{index}"] = rows_of(value, lengths).contiguous()
        save_file(tensors, os.path.join(HERE, name + ".safetensors"), metadata=metadata)
        print(name, len(tensors), [tuple(value.shape) for value in outputs])
    distances = torch.arange(-200, 201)
    buckets = {}
    for is_bidirectional in (True, False):
        made = T5Attention._relative_position_bucket(distances, bidirectional=is_bidirectional, num_buckets=32, max_distance=128)
        buckets["bidirectional" if is_bidirectional else "causal"] = made.tolist()
    json.dump(buckets, open(os.path.join(HERE, "buckets.json"), "w"))


if __name__ == "__main__":
    main()
