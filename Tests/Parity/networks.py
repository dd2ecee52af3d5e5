"""Seeded torchvision networks whose BatchNorm statistics are those of real activations."""

import copy
import os
import subprocess
import time

import torch
import torchvision

NAMES = ["alexnet", "vgg16", "vgg11_bn", "resnet18", "resnet50", "resnext50_32x4d", "wide_resnet50_2",
         "inception_v3", "convnext_tiny", "squeezenet1_0", "squeezenet1_1", "googlenet", "densenet121", "densenet161",
         "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large", "mnasnet0_5", "mnasnet1_3", "shufflenet_v2_x0_5",
         "shufflenet_v2_x1_0", "regnet_x_400mf", "regnet_y_800mf", "efficientnet_b0", "efficientnet_b1",
         "efficientnet_v2_s", "vit_b_16", "vit_b_32", "swin_t", "swin_v2_t", "maxvit_t"]
# All of torchvision's classification models.
ALL = torchvision.models.list_models(module=torchvision.models)
BUILD = os.environ.get("ZOO_BUILD", ".build/release")
ZOO = f"{BUILD}/zoo"
RUNNER = f"{BUILD}/parity-runner"


def side(name):
    # A Vision Transformer is made for one size; the best weights of some are for another than the usual.
    if name.startswith("vit"):
        return 224
    return torchvision.models.get_model_weights(name).DEFAULT.transforms().crop_size[0]


def sides(name):
    """Sides of pictures that torchvision's network takes."""
    return (side(name),) if name.startswith(("vit", "maxvit")) else (side(name), side(name) + 7)


def make(name, seed=0):
    """Random weights leave running statistics at 0 and 1, under which deep activations grow without bound: let two
    batches set them, so that the logits have the size that trained networks' have."""
    torch.manual_seed(seed)
    options = {"init_weights": False, "transform_input": True} if name in ("inception_v3", "googlenet") else {}
    model = getattr(torchvision.models, name)(weights=None, **options)
    for module in model.modules():
        if isinstance(module, torchvision.models.convnext.CNBlock):
            # At their initial 1e-6 the blocks would not show.
            torch.nn.init.uniform_(module.layer_scale, 0.2, 0.5)
    if name.startswith(("vit", "swin", "maxvit")):
        excite(model)
    for norm in norms_of(model):
        torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
        torch.nn.init.uniform_(norm.bias, -0.5, 0.5)
    return settle(model, name)


def settle(model, name):
    """Lets two batches set the running statistics."""
    norms = norms_of(model)
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        # Inception has no shortcuts: with half of the initial variance the signal would die out.
        norm.momentum = 1.0 if name in ("inception_v3", "googlenet") else 0.5
    if norms:
        model.train()
        with torch.no_grad():
            for _ in range(2):
                model(torch.randn(2, 3, side(name), side(name)))
        for norm, momentum in zip(norms, momenta):
            norm.momentum = momentum
    return model.eval()


def excite(model):
    """Gives a transformer what begins at zero, or so near that it would not show."""
    for name, parameter in model.named_parameters():
        if name.endswith("bias") and parameter.dim() == 1:
            torch.nn.init.normal_(parameter, 0, 0.1)
        elif "table" in name or "token" in name or "pos_embedding" in name:
            torch.nn.init.normal_(parameter, 0, 0.5)
        elif name.startswith("heads."):
            torch.nn.init.normal_(parameter, 0, 0.02)


def completed(*command, **variables):
    """The process that ran with further environment variables; ends the program where it failed."""
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **variables})
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def run(*command):
    start = time.time()
    return completed(*command).stdout, time.time() - start


def run_with_plan(*command):
    """What the engine says of its steps and their kernels."""
    return completed(*command, ZOO_TRACE="plan").stderr


def save(model, folder):
    """The canonical checkpoint, `folder`/w.safetensors."""
    torch.save(model.state_dict(), f"{folder}/w.pth")
    run(ZOO, "convert", f"{folder}/w.pth", "-o", f"{folder}/w.safetensors", "--force")


def norms_of(model):
    return [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]


def raise_biases(model, name):
    """Of the normalisations: most values are away from the rectifiers' edge, where any two float32 programs part, and where
    their distance grows from layer to layer once each batch is normalised by itself. DenseNet's and MaxViT's stay: behind a
    rectifier that is always open the next normalisation takes the bias out again, so that it has next to no gradient."""
    if name.startswith(("densenet", "maxvit")):
        return
    for norm in norms_of(model):
        torch.nn.init.uniform_(norm.bias, 1.5, 2.5)
    settle(model, name)


def plain(model):
    """A copy in which nothing drops out, and no auxiliary classifier runs in training: zoo leaves them out, and small
    pictures are too small for them."""
    model = copy.deepcopy(model)
    for module in model.modules():
        if isinstance(module, (torch.nn.Dropout, torchvision.ops.StochasticDepth)):
            module.p = 0.0
    for name in ("AuxLogits", "aux1", "aux2"):
        if getattr(model, name, None) is not None:
            getattr(model, name).forward = lambda x: None
    return model
