"""The model that is trained: one from a folder or Hugging Face, or a tiny GPT-2 made from a seed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from pilothouse.kinds.training.errors import BadModel
from pilothouse.kinds.training.params import TINY, Params
from pilothouse.kinds.training.shortage import is_out_of_memory
from pilothouse.kinds.training.tokens import make_tokenizer

LAYERS, HEADS, WIDTH = 2, 4, 96


def load_tokenizer(params: Params, texts: Iterable[str], folder: Path) -> Any:
    """The model's tokenizer; the tiny one's is learnt from the texts.

    Raises:
        BadModel: There is none.
    """
    from transformers import AutoTokenizer

    if params.model == TINY:
        return make_tokenizer(texts, folder / "tokenizer")
    tokenizer = _fetch(AutoTokenizer, params)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    return tokenizer


def load_model(params: Params, tokenizer: Any) -> Any:
    """The model, with adapters where the method says so. Seeds every generator first.

    Raises:
        BadModel: There is none, or the tokenizer does not fit it.
    """
    from transformers import AutoModelForCausalLM, set_seed

    set_seed(params.seed)
    model = (
        make_tiny(tokenizer, params.max_length)
        if params.model == TINY
        else _fetch(AutoModelForCausalLM, params)
    )
    rows = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > rows:
        raise BadModel(
            f"The tokenizer of {params.model} has {len(tokenizer)} tokens, its model knows {rows}.",
            hint="Model and tokenizer must belong together.",
            field="model",
        )
    return with_adapters(model, params) if params.method == "lora" else model


def make_tiny(tokenizer: Any, max_length: int) -> Any:
    """A GPT-2 of about 0.3 M parameters with weights from the current seed."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=max(128, max_length),
        n_embd=WIDTH,
        n_layer=LAYERS,
        n_head=HEADS,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = GPT2LMHeadModel(config)
    model.generation_config.do_sample = (
        True  # where it is served, a temperature counts; 0 is still the likeliest
    )
    return model


def with_adapters(model: Any, params: Params) -> Any:
    """Freeze the model and put low-rank adapters beside all its linear layers (Hu et al. 2021, LoRA)."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=params.lora_rank,
        lora_alpha=params.lora_alpha,  # type: ignore[arg-type] # a float is as good
        lora_dropout=params.lora_dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
        fan_in_fan_out=params.model == TINY or getattr(model.config, "model_type", "") == "gpt2",
    )
    return get_peft_model(model, config)


def merged(params: Params, tokenizer: Any, folder: Path) -> Any:
    """The model with the adapters of a checkpoint built in, so that it can be served alone."""
    from peft import PeftModel

    bare = load_model(params.model_copy(update={"method": "full"}), tokenizer)
    return PeftModel.from_pretrained(bare, folder).merge_and_unload()


def room(model: Any, wanted: int) -> int:
    """So many tokens as are wanted, or as the model can take at once."""
    limit = getattr(model.config, "max_position_embeddings", None)
    return min(wanted, int(limit)) if limit else wanted


def check_device(params: Params) -> bool:
    """Whether the processor is used.

    Raises:
        BadModel: The device that is asked for is not there.
    """
    has_mps = torch.backends.mps.is_available()
    has = {"cuda": torch.cuda.is_available(), "mps": has_mps, "cpu": True}
    if params.device != "auto" and not has[params.device]:
        raise BadModel(
            f"This machine has no device {params.device}.",
            hint="Set device to auto or cpu, or look whether torch was installed for that GPU.",
            field="device",
        )
    is_cpu = params.device == "cpu" or not (has["cuda"] or has_mps)
    if is_cpu and params.precision == "fp16":
        hint = "Take bf16 or fp32 on a CPU."
        raise BadModel("fp16 needs a GPU, and this machine has none.", hint=hint, field="precision")
    return is_cpu


def _fetch(loader: Any, params: Params) -> Any:
    path = Path(params.model).expanduser()
    where = str(path) if path.is_dir() else params.model
    try:
        return loader.from_pretrained(where, local_files_only=path.is_dir() or not params.allow_download)
    except (OSError, ValueError, ImportError) as error:
        first = str(error).strip().partition("\n")[0]
        hint = "Give a folder with config.json, weights and tokenizer, or `tiny`."
        if not params.allow_download and not path.is_dir():
            hint += " To fetch a Hugging Face model of that name, set allow_download."
        message = f"There is no model {params.model!r} on this machine: {first}"
        raise BadModel(message, hint=hint, field="model") from error
    except Exception as error:  # each format of weights has errors of its own for a file that is cut short
        if is_out_of_memory(error):
            raise
        first = str(error).strip().partition("\n")[0] or type(error).__name__
        raise BadModel(
            f"The model {params.model!r} cannot be loaded: {first}",
            hint="One of its files may be damaged or cut short; copy or fetch it again.",
            field="model",
        ) from error
