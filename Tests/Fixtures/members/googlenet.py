PAPER = ("Going Deeper with Convolutions", 2014, "https://arxiv.org/abs/1409.4842")
MEMBERS = [
    ("googlenet", "GoogLeNet", {"transformsInput": True}, {
        "note": "As torchvision's pretrained weights need it, with transform_input; their file holds two auxiliary "
                "classifiers too",
        "variants": [{"auxiliary": True}]}),
]
