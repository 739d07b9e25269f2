"""One prompt that a model is asked after each evaluation, so that one reads how its answers change."""

from __future__ import annotations

from typing import Any

import torch

from pilothouse.kinds.training.dataset import Examples
from pilothouse.kinds.training.params import Params
from pilothouse.kinds.training.record import Sample
from pilothouse.kinds.training.tokens import asked, ids_of

BEGINNING = 16  # of a text without a prompt, so many tokens at most are given


class Probe:
    """Asks always the same, and takes the likeliest token each time: no generator of random numbers moves.

    Args:
        tokenizer: The model's.
        prompt: As it is shown.
        ids: The same in tokens, as the model is given it.
        expected: What the dataset says; None where nobody knows.
        tokens: The most that is answered.
    """

    def __init__(
        self, tokenizer: Any, prompt: str, ids: list[int], expected: str | None, tokens: int
    ) -> None:
        self._tokenizer = tokenizer
        self._prompt = prompt
        self._ids = ids
        self._expected = expected
        self._tokens = tokens

    def ask(self, model: Any) -> Sample:
        """What the model answers now. It is in evaluation mode, and stays in it."""
        ids = torch.tensor([self._ids], device=model.device)
        pad = self._tokenizer.pad_token_id
        with torch.no_grad():
            answered = model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=self._tokens,
                do_sample=False,
                pad_token_id=0 if pad is None else pad,
            )
        output = self._tokenizer.decode(answered[0][len(self._ids) :], skip_special_tokens=True)
        return Sample(self._prompt, output.strip(), self._expected)


def choose(params: Params, examples: Examples, tokenizer: Any, room: int) -> Probe | None:
    """The probe of a run; None where nothing is evaluated or nothing shall be asked.

    Args:
        params: Of the run.
        examples: The first that is held out is asked, unless the params say what.
        tokenizer: The model's.
        room: The most tokens that the model takes, prompt and answer together.
    """
    tokens = min(params.sample_tokens, room // 2)
    if not examples.evaluate or tokens < 1:
        return None
    first = examples.evaluate[0]
    if params.sample_prompt is not None:
        prompt, expected = params.sample_prompt, None
        ids = ids_of(asked(prompt, tokenizer), tokenizer)
    elif first.prompt:
        prompt, expected = first.prompt, first.text
        ids = ids_of(asked(prompt, tokenizer), tokenizer)
    else:
        whole = ids_of(first.text, tokenizer)
        ids = whole[: min(BEGINNING, max(1, len(whole) // 2))]
        prompt = tokenizer.decode(ids)
        expected = tokenizer.decode(whole[len(ids) :]).strip()
    return Probe(tokenizer, prompt, ids[tokens - room :], expected, tokens) if ids else None
