"""Small tokenizers, and what Hugging Face's tokenizers makes of many lines with them.

    python Tests/Fixtures/make_text.py

Vocabularies are trained on the lines themselves; BERT's only where there is none, since that training gives another one
each time. `lines.json` has 10,000 lines of mixed languages,
emoji, control characters and what is left of invalid bytes; `expected.json` holds for each tokenizer the ids of the first
lines, and of the others a digest for each block; `expected_symbols.json` the same of a model of SentencePiece's that has
symbols of its user's and no table of characters; `normalizers.json` a digest for each block of normalised lines; `small/` a tokenizer
of each kind, for the fuzzer."""

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
from tokenizers import AddedToken, ByteLevelBPETokenizer, BertWordPieceTokenizer, Tokenizer, normalizers
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


def digests(texts):
    return [hashlib.sha256("\n".join(texts[start:start + BLOCK]).encode()).hexdigest()
            for start in range(0, LINES, BLOCK)]


def describe(fast, lines):
    rows = [fast.encode(text).ids for text in lines]
    return {"ids": rows[:SHOWN], "texts": [fast.decode(row) for row in rows[:SHOWN]],
            "blocks": digests([" ".join(map(str, row)) for row in rows])}


def describe_pairs(fast, lines):
    pairs = [{"ids": (e := fast.encode(a, b)).ids, "types": e.type_ids} for a, b in zip(lines[:20], lines[20:40])]
    cut = []
    for length in (4, 9, 16, 40):
        fast.enable_truncation(length)
        cut += [{"length": length, "ids": fast.encode(a, b).ids} for a, b in zip(lines[:20], lines[20:40])]
    fast.no_truncation()
    return {"pairs": pairs, "cut": cut}


def sentence_pieces(lines, **options):
    """A model of SentencePiece's: of characters that are seen often, since it takes every one into the vocabulary."""
    seen = collections.Counter("".join(lines))
    often = ["".join(c for c in text if seen[c] >= 60 and c not in "\n\0") for text in lines]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(often), model_writer=model, model_type="unigram",
        character_coverage=0.999, pad_id=0, eos_id=1, unk_id=2, bos_id=-1, minloglevel=2, num_threads=1, **options)
    return model.getvalue()


def converted(model):
    """What Transformers makes of a model of SentencePiece's for T5, and for XLM-RoBERTa."""
    for name, made, file in (("t5", T5TokenizerFast, "spiece.model"),
                             ("xlm_roberta", XLMRobertaTokenizerFast, "sentencepiece.bpe.model")):
        with tempfile.TemporaryDirectory() as folder:
            with open(f"{folder}/{file}", "wb") as out:
                out.write(model)
            with open(f"{folder}/tokenizer_config.json", "w") as out:
                out.write("{}")
            yield name, Tokenizer.from_str(made.from_pretrained(folder).backend_tokenizer.to_str())


def small():
    """A tokenizer of each kind in few bytes."""
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdehox,.", "##a", "##e", "##he", "##ox", "the", "fo", "é"]
    with open(f"{HERE}/small/vocab.txt", "w") as file:
        file.writelines(piece + "\n" for piece in pieces)
    BertTokenizerFast(vocab=f"{HERE}/small/vocab.txt").backend_tokenizer.save(
        f"{HERE}/small/word_pieces.json", pretty=False)
    merges = [("h", "e"), ("t", "he"), ("Ġ", "the"), ("o", "x"), ("Ã", "©")]
    vocabulary = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *"abcdefghotxĠÃ©.,!", *("".join(pair) for pair in merges)]
    files = {"vocab.json": json.dumps({piece: id for id, piece in enumerate(vocabulary)}, ensure_ascii=False),
             "merges.txt": "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges),
             "tokenizer_config.json": '{"add_prefix_space": true}'}
    write("small/byte_pairs_carried.json", files, ascii=False)
    with open(f"{HERE}/small/merges.txt", "w") as file:
        file.write("#version: 0.2\nh e\nt he\n")
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            with open(f"{folder}/{name}", "w") as file:
                file.write(text)
        RobertaTokenizerFast(vocab=f"{folder}/vocab.json", merges=f"{folder}/merges.txt").backend_tokenizer.save(
            f"{HERE}/small/byte_pairs.json", pretty=False)
        with open(f"{folder}/rules.tsv", "w") as file:
            # Code points of a text and of what replaces it: a full-width letter, a ligature, an accent in two characters.
            file.write("FF21\t41\nFB01\t66 69\n65 301\tE9\n")
        model = sentence_pieces([WORDS["english"].lower()] * 60, vocab_size=64,
                                normalization_rule_tsv=f"{folder}/rules.tsv")
    with open(f"{HERE}/small/spiece.model", "wb") as file:
        file.write(model)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(f"{HERE}/small/spiece.model", folder)
        T5TokenizerFast.from_pretrained(folder, extra_ids=2).backend_tokenizer.save(
            f"{HERE}/small/unigram.json", pretty=False)


def write(name, value, ascii=True):
    with open(f"{HERE}/{name}", "w") as file:
        json.dump(value, file, ensure_ascii=ascii, separators=(",", ":"))


def main():
    chance = random.Random(20)
    lines = [line(chance) for _ in range(LINES)]
    expected = {}
    for name in ("bert_uncased", "bert_cased", "gpt2", "roberta", "t5", "xlm_roberta", "symbols", "small"):
        os.makedirs(f"{HERE}/{name}", exist_ok=True)
    write("lines.json", lines, ascii=False)
    for name, lowercase in (("bert_uncased", True), ("bert_cased", False)):
        if not os.path.exists(f"{HERE}/{name}/vocab.txt"):
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
        trained = ByteLevelBPETokenizer()
        special = ["<|endoftext|>"] if name == "gpt2" else ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
        trained.train_from_iterator(lines, vocab_size=VOCABULARY, special_tokens=special, show_progress=False)
        trained.save_model(f"{HERE}/{name}")
        made = GPT2TokenizerFast if name == "gpt2" else RobertaTokenizerFast
        files = {"vocab": f"{HERE}/{name}/vocab.json", "merges": f"{HERE}/{name}/merges.txt"}
        # As roberta-base is published.
        mask = {"mask_token": AddedToken("<mask>", lstrip=True, special=True)} if name == "roberta" else {}
        expected[name] = Tokenizer.from_str(made(**files, **mask).backend_tokenizer.to_str())
    model = sentence_pieces(lines, vocab_size=VOCABULARY)
    with open(f"{HERE}/t5/spiece.model", "wb") as file:
        file.write(model)
    expected |= dict(converted(model))
    for name, fast in expected.items():
        fast.save(f"{HERE}/{name}/tokenizer.json", pretty=False)
    write("expected.json", {name: describe(fast, lines) | describe_pairs(fast, lines)
                            for name, fast in expected.items()})

    # "the" stands in words too; "fox<>" nowhere but in the first line here.
    symbols = sentence_pieces(lines, vocab_size=600, user_defined_symbols=["the", "fox<>"], control_symbols=["<ctl>"],
                              normalization_rule_name="identity")
    with open(f"{HERE}/symbols/spiece.model", "wb") as file:
        file.write(symbols)
    more = ["a fox<>fox <ctl> fox<><extra_id_7>", *lines[1:]]
    write("expected_symbols.json", {name: describe(fast, more) for name, fast in converted(symbols)})
    write("normalizers.json", {
        made.__name__: digests([made().normalize_str(text) for text in lines])
        for made in (normalizers.NFC, normalizers.NFD, normalizers.NFKC, normalizers.NFKD, normalizers.Lowercase,
                     normalizers.StripAccents)})
    small()


main()
