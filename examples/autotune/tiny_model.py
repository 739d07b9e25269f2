"""Write a tiny Llama with random weights, and a tokenizer trained here, into a folder.

It downloads nothing and knows nothing: it is there to be served, so that settings of
`transformers serve` can be compared in a minute on a processor. Needs torch and
transformers (`pip install 'pilothouse[train]' 'transformers[serving]'`).

    python tiny_model.py /tmp/tiny-llama
"""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

WORDS = 2_000
CHAT = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


def main(folder: Path) -> None:
    """Write the model; 1.3 million weights, 5 MB."""
    corpus = files("pilothouse.llm.offline") / "corpus"
    texts = [file.read_text("utf-8") for file in corpus.iterdir() if file.name.endswith(".txt")]
    tokenizer(texts).save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=WORDS,
        hidden_size=128,
        intermediate_size=352,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=512,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    LlamaForCausalLM(config).save_pretrained(folder)


def tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    """Byte pairs of these texts, with a plain chat template."""
    pairs = Tokenizer(models.BPE())
    pairs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pairs.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=WORDS,
        special_tokens=["<pad>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    pairs.train_from_iterator(texts, trainer)
    special = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}
    fast = PreTrainedTokenizerFast(tokenizer_object=pairs, **special)
    fast.chat_template = CHAT
    return fast


if __name__ == "__main__":
    main(Path(sys.argv[1]))
