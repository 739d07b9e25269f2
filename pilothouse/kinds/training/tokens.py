"""From examples to tokens: a tokenizer made here for the tiny model, and batches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch

from pilothouse.kinds.training.dataset import Example
from pilothouse.kinds.training.errors import BadDataset

VOCABULARY = 512
END, PAD = "<|end|>", "<|pad|>"
UNLEARNT = -100  # the label that the loss passes over
CHAT = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)


def make_tokenizer(texts: Iterable[str], folder: Path) -> Any:
    """A byte-level BPE of 512 tokens, learnt from the texts; made once and kept in the folder.

    Any text can be written with it, since its alphabet is all bytes.

    Args:
        texts: What it is to write with few tokens.
        folder: Where it is kept, so that later attempts have the very same.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    if (folder / "tokenizer.json").exists():
        return AutoTokenizer.from_pretrained(folder)
    bare = Tokenizer(models.BPE())
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bare.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[END, PAD],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    bare.train_from_iterator(texts, trainer)
    make: Any = PreTrainedTokenizerFast
    tokenizer = make(tokenizer_object=bare, bos_token=END, eos_token=END, pad_token=PAD, chat_template=CHAT)
    part = folder.with_name(f".{folder.name}.part")
    tokenizer.save_pretrained(part)
    part.replace(folder)
    return tokenizer


def encode(examples: Sequence[Example], tokenizer: Any, max_length: int) -> tuple[list[dict[str, Any]], int]:
    """Token ids and labels of each example, and how many examples had nothing to learn within the length.

    Raises:
        BadDataset: None of them has.
    """
    made = [_encode(example, tokenizer, max_length) for example in examples]
    kept = [each for each in made if any(label != UNLEARNT for label in each["labels"][1:])]
    if examples and not kept:
        raise BadDataset(
            f"No example has anything to learn within {max_length} tokens.",
            hint="Raise max_length, or shorten the prompts.",
            field="max_length",
        )
    return kept, len(made) - len(kept)


def _encode(example: Example, tokenizer: Any, max_length: int) -> dict[str, Any]:
    end = [tokenizer.eos_token_id] if tokenizer.eos_token_id is not None else []
    prompt: list[int] = []
    text = example.text
    if example.prompt:
        prompt = ids_of(asked(example.prompt, tokenizer), tokenizer)
        text = f" {text}"
    learnt = ids_of(text, tokenizer) + end
    ids = (prompt + learnt)[:max_length]
    labels = ([UNLEARNT] * len(prompt) + learnt)[:max_length]
    return {"input_ids": ids, "labels": labels}


def asked(prompt: str, tokenizer: Any) -> str:
    """The prompt as it is asked later: by the tokenizer's chat template, where it has one."""
    if getattr(tokenizer, "chat_template", None):
        messages = [{"role": "user", "content": prompt}]
        return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
    return f"{prompt}\n"


def ids_of(text: str, tokenizer: Any) -> list[int]:
    """A text's tokens, without those that mark its ends."""
    return list(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])


class Collator:
    """Pads a batch on the right.

    Args:
        pad: Token that fills the rest; the attention mask leaves it out.
    """

    def __init__(self, pad: int) -> None:
        self._pad = pad

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """Tensors of shape `(batch, longest)`."""
        longest = max(len(row["input_ids"]) for row in rows)

        def padded(name: str, fill: int) -> torch.Tensor:
            return torch.tensor([list(row[name]) + [fill] * (longest - len(row[name])) for row in rows])

        mask = [[1] * len(row["input_ids"]) + [0] * (longest - len(row["input_ids"])) for row in rows]
        return {
            "input_ids": padded("input_ids", self._pad),
            "attention_mask": torch.tensor(mask),
            "labels": padded("labels", UNLEARNT),
        }
