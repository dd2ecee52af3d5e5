"""Small tokenizers, and what Hugging Face's tokenizers makes of many lines with them.

    python Tests/Fixtures/make_text.py

Vocabularies are trained on the lines themselves. `lines.json` has 10,000 lines of mixed languages,
emoji, control characters and what is left of invalid bytes; `expected.json` holds for each tokenizer the ids of the first
lines, and of the others a digest for each block."""

import collections
import hashlib
import io
import json
import os
import random
import shutil
import tempfile
import unicodedata

import sentencepiece
from tokenizers import AddedToken, ByteLevelBPETokenizer, BertWordPieceTokenizer, Tokenizer
from transformers import BertTokenizerFast, GPT2TokenizerFast, RobertaTokenizerFast, T5TokenizerFast, XLMRobertaTokenizerFast

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "text")
LINES, SHOWN, BLOCK, VOCABULARY = 10_000, 200, 100, 1000
WORDS = {
    "english": "the quick brown fox jumps over lazy dogs don't it's we'll they've I'm you're he'd not unaffable reading "
               "tokens embedding transformer state-of-the-art 3.14 1,000,000 e-mail U.S.A. naïve café résumé coöperate",
    "german": "Straße Größe Übermut Fußgängerübergänge Donaudampfschifffahrt ist nicht ganz einfach weiß ẞ",
    "french": "l'été où ça déjà vu cœur naïf garçon Noël à bientôt",
    "russian": "быстрая коричневая лиса перепрыгивает через ленивую собаку ёж",
    "greek": "Η γρήγορη καφέ αλεπού πηδάει πάνω από το τεμπέλικο σκυλί ΣΊΣΥΦΟΣ",
    "arabic": "السلام عليكم كيف حالك اليوم ١٢٣ مُحَمَّد",
    "hebrew": "שלום עולם מה שלומך בְּרֵאשִׁית",
    "hindi": "नमस्ते दुनिया यह एक परीक्षण है १२३",
    "thai": "สวัสดีชาวโลก นี่คือการทดสอบ",
    "chinese": "你好 世界 深度学习 自然语言处理 東京 𠀀𠀁",
    "japanese": "こんにちは 世界 カタカナ ｶﾀｶﾅ がぎぐ が",
    "korean": "안녕하세요 세계 한국어 각",
    "vietnamese": "Tiếng Việt được viết bằng chữ Quốc ngữ",
    "turkish": "İstanbul ılık ğüşöç IĞDIR",
}
EMOJI = "😀 👩‍👩‍👧 🏳️‍🌈 👍🏽 ☃ ✈️ 🇩🇪 ❤️ 🫠".split()
SPECIAL = ["[MASK]", "[SEP]", "[CLS]", "[PAD]", "[UNK]", "<s>", "</s>", "<mask>", "<|endoftext|>", "<extra_id_0>", "[mask]", "<mask"]
BLANKS = [" ", "  ", "   ", "\t", "\n", "\r\n", "\u00a0", "\u2003", "\u3000", "\u200b", "\u2028", "\u0085", "\x1c", ""]
SIGNS = list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") + ["…", "—", "«", "»", "¿", "。", "、", "€", "™", "½", "²", "Ⅷ", "٪", "‽", "\u166d"]


def invalid(chance):
    """Random bytes as a reader that replaces them gives them."""
    return bytes(chance.randrange(256) for _ in range(chance.randint(1, 12))).decode("utf-8", "replace")


def anything(chance):
    """Characters of all of Unicode that is assigned."""
    text = ""
    while len(text) < 6:
        character = chr(chance.randrange(0x30000))
        if unicodedata.category(character) not in ("Cn", "Cs"):
            text += character
    return text


def line(chance):
    words = list(WORDS)
    parts = []
    for _ in range(chance.randint(0, 12)):
        kind = chance.random()
        if kind < 0.62:
            part = chance.choice(WORDS[chance.choice(words)].split())
            part = chance.choice([str, str, str.upper, str.title, lambda t: unicodedata.normalize("NFD", t)])(part)
        elif kind < 0.70:
            part = chance.choice(EMOJI)
        elif kind < 0.80:
            part = "".join(chance.choice(SIGNS) for _ in range(chance.randint(1, 3)))
        elif kind < 0.84:
            part = chance.choice(SPECIAL)
        elif kind < 0.88:
            part = invalid(chance)
        elif kind < 0.92:
            part = anything(chance)
        elif kind < 0.94:
            part = "".join(chr(chance.randrange(32)) for _ in range(2)) + "\x7f\x9f\ufeff\u200e"
        elif kind < 0.95:
            part = chance.choice("abc") * chance.randint(90, 120)
        else:
            part = str(chance.randint(0, 10 ** chance.randint(1, 9)))
        parts.append(part + (" " if chance.random() < 0.75 else chance.choice(BLANKS)))
    return "".join(parts)


def digest(rows):
    return hashlib.sha256("\n".join(" ".join(map(str, row)) for row in rows).encode()).hexdigest()


def describe(encode, decode, lines):
    rows = [encode(text) for text in lines]
    texts = [decode(row) for row in rows[:SHOWN]]
    return {"ids": rows[:SHOWN], "texts": texts,
            "blocks": [digest(rows[start:start + BLOCK]) for start in range(0, LINES, BLOCK)]}


def sentence_pieces(lines):
    """A model of SentencePiece's: of characters that are seen often, since it takes every one into the vocabulary."""
    seen = collections.Counter("".join(lines))
    often = ["".join(c for c in text if seen[c] >= 60 and c not in "\n\0") for text in lines]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(often), model_writer=model, vocab_size=VOCABULARY, model_type="unigram",
        character_coverage=0.999, pad_id=0, eos_id=1, unk_id=2, bos_id=-1, minloglevel=2, num_threads=1)
    return model.getvalue()


def main():
    shutil.rmtree(HERE, ignore_errors=True)
    os.makedirs(HERE)
    chance = random.Random(20)
    lines = [line(chance) for _ in range(LINES)]
    with open(f"{HERE}/lines.json", "w") as file:
        json.dump(lines, file, ensure_ascii=False, separators=(",", ":"))
    expected = {}
    for name, lowercase in (("bert_uncased", True), ("bert_cased", False)):
        os.makedirs(f"{HERE}/{name}")
        trained = BertWordPieceTokenizer(lowercase=lowercase)
        trained.train_from_iterator(lines, vocab_size=VOCABULARY, limit_alphabet=400, show_progress=False)
        trained.save_model(f"{HERE}/{name}")
        if not lowercase:
            with open(f"{HERE}/{name}/tokenizer_config.json", "w") as file:
                file.write('{"do_lower_case": false}\n')
        fast = Tokenizer.from_str(
            BertTokenizerFast(vocab=f"{HERE}/{name}/vocab.txt", do_lower_case=lowercase).backend_tokenizer.to_str())
        expected[name] = fast
    for name in ("gpt2", "roberta"):
        os.makedirs(f"{HERE}/{name}")
        trained = ByteLevelBPETokenizer()
        special = ["<|endoftext|>"] if name == "gpt2" else ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
        trained.train_from_iterator(lines, vocab_size=VOCABULARY, special_tokens=special, show_progress=False)
        trained.save_model(f"{HERE}/{name}")
        made = GPT2TokenizerFast if name == "gpt2" else RobertaTokenizerFast
        files = {"vocab": f"{HERE}/{name}/vocab.json", "merges": f"{HERE}/{name}/merges.txt"}
        # As roberta-base is published.
        mask = {"mask_token": AddedToken("<mask>", lstrip=True, special=True)} if name == "roberta" else {}
        expected[name] = Tokenizer.from_str(made(**files, **mask).backend_tokenizer.to_str())
    model = sentence_pieces(lines)
    for name, made, file in (("t5", T5TokenizerFast, "spiece.model"),
                             ("xlm_roberta", XLMRobertaTokenizerFast, "sentencepiece.bpe.model")):
        os.makedirs(f"{HERE}/{name}")
        with tempfile.TemporaryDirectory() as folder:
            with open(f"{folder}/{file}", "wb") as out:
                out.write(model)
            with open(f"{folder}/tokenizer_config.json", "w") as out:
                out.write("{}")
            expected[name] = Tokenizer.from_str(made.from_pretrained(folder).backend_tokenizer.to_str())
    found = {}
    for name, fast in expected.items():
        fast.save(f"{HERE}/{name}/tokenizer.json", pretty=False)
        found[name] = describe(lambda text: fast.encode(text).ids, fast.decode, lines)
        found[name]["pairs"] = [
            {"ids": (e := fast.encode(a, b)).ids, "types": e.type_ids} for a, b in zip(lines[:20], lines[20:40])]
        found[name]["cut"] = []
        for length in (4, 9, 16, 40):
            fast.enable_truncation(length)
            found[name]["cut"] += [
                {"length": length, "ids": fast.encode(a, b).ids} for a, b in zip(lines[:20], lines[20:40])]
        fast.no_truncation()
    with open(f"{HERE}/expected.json", "w") as file:
        json.dump(found, file, ensure_ascii=True, separators=(",", ":"))


main()
