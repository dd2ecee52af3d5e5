"""What Hugging Face's PEFT makes of LoRA on tiny networks: its files, its gradients, its steps and its merged model.

    python Tests/Fixtures/make_lora.py

Each folder of `lora/` has adapter_config.json and adapter_model.safetensors as `save_pretrained` writes them, for a network
of `sequences/` (metadata `base`) or for `base.safetensors` beside them. Its expected.safetensors has, under our names,
`logits` of the merged model; `gradient.X`, of the mean cross-entropy in float64, for each X that learns: `W.lora_A` and
`W.lora_B` for a weight W, and the head's parameters; `after.X`, the values after `losses`, the steps of torch.optim.AdamW,
decay for matrices alone. Of `vit`, torchvision's network of nn.MultiheadAttention, PEFT gives the files, and the logits are
those of W + scale B A for both of its matrices: PEFT 0.21.2 itself adds the output projection's change twice."""
import json
import os
import shutil

import torch
import transformers
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from torch.nn.functional import cross_entropy
from torchvision.models.resnet import Bottleneck
from torchvision.models.vision_transformer import VisionTransformer

from make_sequences import ANSWERS, LENGTHS, NETWORKS, called, made, padded, rows_of, shared, texts, types_of
from tiny_resnet import CLASSES, TinyResNet

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lora")
RATE, DECAY, STEPS = 0.02, 0.05, 8
PREFIX = "base_model.model."


def config(rank, alpha, targets, **more):
    return LoraConfig(r=rank, lora_alpha=alpha, target_modules=targets, lora_dropout=0.0, **more)


def randomized(model, seed):
    """B begins at zero, and a gradient of A with it."""
    chance = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            parameter.data = 0.3 * torch.randn(parameter.shape, generator=chance)
    return model


def ours(name):
    """`W.lora_A` for what PEFT calls base_model.model.MODULE.lora_A.default.weight."""
    name = name.removeprefix(PREFIX).replace(".modules_to_save.default", "")
    for factor in ("lora_A", "lora_B"):
        if f".{factor}.default.weight" in name:
            return name.replace(f".{factor}.default.weight", f".weight.{factor}")
    return name


def learning(model):
    return {ours(name): parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def flat(tensor, name):
    return (tensor.flatten(1) if "lora_" in name else tensor).float().contiguous().clone()


def record(name, model, logits_of, targets, metadata):
    """Writes a folder; `logits_of(model)` gives a row for each target."""
    folder = os.path.join(HERE, name)
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    os.remove(os.path.join(folder, "README.md"))
    start = {key: value.detach().clone() for key, value in model.named_parameters()}
    model = model.double().eval()
    loss = cross_entropy(logits_of(model), targets)
    loss.backward()
    tensors = {f"gradient.{key}": flat(value.grad, key) for key, value in learning(model).items()}
    model.zero_grad()
    matrices = [p for p in learning(model).values() if p.dim() > 1]
    others = [p for p in learning(model).values() if p.dim() == 1]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}], lr=RATE)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = cross_entropy(logits_of(model), targets)
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    tensors |= {f"after.{key}": flat(value.detach(), key) for key, value in learning(model).items()}
    for key, value in model.named_parameters():
        value.data = start[key].double()
    with torch.no_grad():
        tensors["logits"] = logits_of(model.float().merge_and_unload()).float()
    facts = metadata | {"targets": json.dumps(targets.tolist()), "losses": json.dumps(losses), "rate": str(RATE), "decay": str(DECAY)}
    save_file(tensors, os.path.join(folder, "expected.safetensors"), metadata=facts)
    print(name, len(tensors), losses[0], losses[-1])


def text(name, base, lora, build=None, seed=0):
    number = list(NETWORKS).index(base)
    network = made(number, base) if build is None else build(made(number, base))
    family = NETWORKS[base][1]
    model = randomized(get_peft_model(network, lora), 300 + seed)
    chance = torch.Generator().manual_seed(400 + seed)
    ids = texts(chance, LENGTHS)
    call, lengths, metadata = called(ids, family), LENGTHS, {"base": base, "ids": json.dumps(ids)}
    if family == "bert":
        metadata["types"] = json.dumps(types_of(ids))
    if family == "t5":
        answers = [[0] + row for row in texts(chance, ANSWERS)]
        call["decoder_input_ids"] = padded(answers, 0)[0]
        lengths = [length + 1 for length in ANSWERS]
        metadata["decoder"] = json.dumps(answers)

    def logits_of(model):
        return rows_of(model(**call).logits, lengths)

    with torch.no_grad():
        rows, columns = logits_of(model.eval()).shape
    record(name, model, logits_of, torch.randint(0, columns, (rows,), generator=chance), metadata)


def classifier_on(encoder):
    """BertForSequenceClassification on a BertModel, as users of a published encoder make it."""
    model = transformers.BertForSequenceClassification(transformers.BertConfig(**shared())).eval()
    model.bert = encoder
    return model


def picture():
    torch.manual_seed(7)
    network = TinyResNet(Bottleneck, [1, 1], 8, stem=(3, 1, False)).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 1.5)
    state = {key: value.clone() for key, value in network.state_dict().items()}
    targets = [name for name, module in network.named_modules() if isinstance(module, torch.nn.Conv2d) and module.kernel_size == (1, 1)]
    pictures, labels = torch.randn(6, 3, 12, 12), torch.randint(0, CLASSES, (6,))
    model = randomized(get_peft_model(network, config(3, 5, targets, modules_to_save=["fc"])), 310)
    record("resnet", model, lambda model: model(pictures.to(next(model.parameters()).dtype)), labels, {})
    save_file(state | {"pictures": pictures}, os.path.join(HERE, "resnet", "base.safetensors"))


def vision_transformer():
    return VisionTransformer(
        image_size=16, patch_size=8, num_layers=2, num_heads=2, hidden_dim=12, mlp_dim=20, num_classes=4).eval()


def attention():
    """PEFT takes torchvision's fused projection and its output for one module of two layers."""
    torch.manual_seed(8)
    network = vision_transformer()
    for parameter in network.parameters():
        parameter.data = 0.3 * torch.randn(parameter.shape)
    state = {key: value.clone() for key, value in network.state_dict().items()}
    pictures = torch.randn(3, 3, 16, 16)
    model = randomized(get_peft_model(network, config(2, 4, ["self_attention"], modules_to_save=["heads.head"])), 320).eval()
    folder = os.path.join(HERE, "vit")
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    os.remove(os.path.join(folder, "README.md"))
    merged, saved = dict(state), load_file(os.path.join(folder, "adapter_model.safetensors"))
    for layer in range(2):
        inner = f"encoder.layers.encoder_layer_{layer}.self_attention."
        for module, weight in (("", "in_proj_weight"), ("base_layer.out_proj.", "out_proj.weight")):
            a, b = (saved[f"{PREFIX}{inner}{module}lora_{factor}.weight"] for factor in "AB")
            merged[inner + weight] = merged[inner + weight] + 4 / 2 * b @ a
    merged |= {name: saved[PREFIX + name] for name in ("heads.head.weight", "heads.head.bias")}
    network = vision_transformer()
    network.load_state_dict(merged)
    with torch.no_grad():
        logits = network(pictures)
    save_file({"logits": logits}, os.path.join(folder, "expected.safetensors"))
    save_file(state | {"pictures": pictures}, os.path.join(folder, "base.safetensors"))


def main():
    os.makedirs(HERE, exist_ok=True)
    text("bert_sequences", "bert_sequences", config(3, 7, ["query", "value"], task_type="SEQ_CLS"), seed=1)
    text("bert", "bert", config(4, 8, ["query", "key", "value", "output.dense"], task_type="SEQ_CLS", use_rslora=True),
         classifier_on, seed=2)
    text("roberta_sequences", "roberta_sequences", config(2, 4, ["query", "value"], task_type="SEQ_CLS", rank_pattern={"value": 3},
         alpha_pattern={"layer.0.attention.self.value": 9}), seed=3)
    text("distilbert_sequences", "distilbert_sequences", config(2, 4, ["q_lin", "v_lin"], task_type="SEQ_CLS", bias="lora_only"), seed=6)
    text("gpt2_sequences", "gpt2_sequences", config(2, 4, ["c_attn", "c_proj"], task_type="SEQ_CLS", fan_in_fan_out=True), seed=4)
    text("t5", "t5", config(2, 3, ["q", "v", "o"], task_type="SEQ_2_SEQ_LM"), seed=5)
    picture()
    attention()


main()
