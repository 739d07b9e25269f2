"""The real backend: the Trainer of transformers, driven step by step by the course."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import Trainer, TrainerCallback, TrainingArguments

from pilothouse.kinds.training.checkpoint import TRAINING_STATE, Checkpoint
from pilothouse.kinds.training.course import Course, Plan, steps_per_epoch
from pilothouse.kinds.training.dataset import Example, Examples
from pilothouse.kinds.training.model import check_device, load_model, load_tokenizer, merged, room
from pilothouse.kinds.training.params import TINY, Params
from pilothouse.kinds.training.probe import Probe, choose
from pilothouse.kinds.training.tokens import Collator, encode

GIGABYTE = 1e9


class TransformersBackend:
    """Trains causal language models with transformers, on one machine.

    Args:
        examples: What is learnt.
    """

    def __init__(self, examples: Examples) -> None:
        self._examples = examples

    def prepare(self, params: Params, folder: Path, tell: Callable[[str], None]) -> Plan:
        """See `Backend`."""
        quiet: Any = transformers.logging
        quiet.set_verbosity_error()
        quiet.disable_progress_bar()
        self._params = params
        self._is_cpu = check_device(params)
        if threads := params.threads or (1 if params.model == TINY else None):
            torch.set_num_threads(threads)
        examples = self._examples
        everything = [*examples.train, *examples.evaluate]
        self._tokenizer = load_tokenizer(params, map(_whole, everything), folder)
        self._model = load_model(params, self._tokenizer)
        length = room(self._model, params.max_length)
        self._train, unlearnt = encode(examples.train, self._tokenizer, length)
        self._held, _ = encode(examples.evaluate, self._tokenizer, length)
        self._probe = choose(
            params, examples, self._tokenizer, room(self._model, length + params.sample_tokens)
        )
        weights = sum(each.numel() for each in self._model.parameters())
        learning = sum(each.numel() for each in self._model.parameters() if each.requires_grad)
        share = "all" if learning == weights else f"{learning:,}"
        tell(
            f"{len(self._train):,} examples, {len(self._held):,} held out; {weights:,} weights, {share} of them learn."
        )
        left_out = examples.empty + unlearnt
        if left_out:
            tell(f"{left_out:,} records are left out: they have no text, or none within {length} tokens.")
        devices = 1 if self._is_cpu else torch.cuda.device_count()
        per_epoch = steps_per_epoch(len(self._train), params, devices)
        steps = params.steps or math.ceil(params.epochs * per_epoch)
        return Plan(steps, per_epoch, has_evaluation=bool(self._held), is_cheap_to_read=self._is_cpu)

    def train(self, course: Course, folder: Path, start: Checkpoint | None) -> None:
        """See `Backend`."""
        trainer = SteeredTrainer(
            course,
            self._probe,
            model=self._model,
            args=self._arguments(course, folder),
            train_dataset=self._train,
            eval_dataset=self._held or None,
            processing_class=self._tokenizer,
            data_collator=Collator(self._tokenizer.pad_token_id or 0),
        )
        trainer.train(resume_from_checkpoint=str(start.folder) if start else None)

    def export(self, checkpoint: Checkpoint, target: Path) -> None:
        """The files that serve; adapters are built into their model."""
        if self._params.method == "lora":
            merged(self._params, self._tokenizer, checkpoint.folder).save_pretrained(target)
            self._tokenizer.save_pretrained(target)
            return
        for file in checkpoint.folder.iterdir():
            if file.is_file() and file.name not in TRAINING_STATE:
                shutil.copy(file, target / file.name)

    def _arguments(self, course: Course, folder: Path) -> TrainingArguments:
        """Logging, evaluating and saving are the course's business, so all are off here."""
        params = self._params
        return TrainingArguments(
            output_dir=str(folder),
            per_device_train_batch_size=params.batch_size,
            per_device_eval_batch_size=params.batch_size,
            gradient_accumulation_steps=params.accumulation,
            max_steps=course.steps,
            learning_rate=course.learning_rate,
            lr_scheduler_type=_schedule(params),
            warmup_steps=params.warmup_steps,
            weight_decay=params.weight_decay,
            max_grad_norm=params.max_grad_norm,
            seed=params.seed,
            data_seed=params.seed,
            bf16=params.precision == "bf16",
            fp16=params.precision == "fp16",
            use_cpu=self._is_cpu,
            logging_strategy="no",
            eval_strategy="no",
            save_strategy="no",
            logging_nan_inf_filter=False,
            disable_tqdm=True,
            report_to=[],
            remove_unused_columns=False,
            dataloader_pin_memory=not self._is_cpu,
        )


class SteeredTrainer(Trainer):
    """A Trainer that tells each step's loss as it is; its own means begin anew with every process."""

    def __init__(self, course: Course, probe: Probe | None, **options: Any) -> None:
        super().__init__(**options)
        self._course = course
        self.step_loss: torch.Tensor | float = 0.0
        self.step_tokens: torch.Tensor | int = 0
        self.step_samples = 0
        self.pop_callback(transformers.PrinterCallback)
        self.add_callback(Steering(course, self, probe))

    def training_step(
        self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """One batch; the losses of an accumulated step add up to its mean."""
        mask = inputs["attention_mask"]
        loss = super().training_step(model, inputs, num_items_in_batch)
        self.step_loss = self.step_loss + loss
        self.step_tokens = self.step_tokens + mask.sum()
        self.step_samples += len(mask)
        return loss

    def begin_step(self) -> None:
        """The next batch is the first of a step."""
        self.step_loss, self.step_tokens, self.step_samples = 0.0, 0, 0

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Hand on what only the Trainer knows: gradient norm and learning rate."""
        super().log(logs, start_time)
        if "loss" in logs:
            self._course.logged(logs["learning_rate"], _number(logs.get("grad_norm")), **_memory())


class Steering(TrainerCallback):
    """Asks the course after every step what is to be done."""

    def __init__(self, course: Course, trainer: SteeredTrainer, probe: Probe | None) -> None:
        self._course = course
        self._probe = probe
        self._trainer = trainer

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """A live learning rate is in force from here."""
        self._trainer.begin_step()
        scheduler, rate = kwargs["lr_scheduler"], self._course.learning_rate
        before = scheduler.base_lrs[0]
        if rate != before:
            set_learning_rate(kwargs["optimizer"], scheduler, rate)
            self._course.rate_changed(rate, before)

    def on_substep_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Between the batches of a step."""
        self._course.breathe()

    def on_prediction_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Between the batches of an evaluation."""
        self._course.breathe()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """A step is done; the Trainer then logs, evaluates and saves as told."""
        trainer = self._trainer
        wanted = self._course.step_done(
            state.epoch, trainer.step_loss, trainer.step_tokens, trainer.step_samples
        )
        control.should_log = wanted.log
        control.should_evaluate = wanted.evaluate
        control.should_save = wanted.save
        if wanted.save:
            if not _is_finite(kwargs["model"]):
                raise self._course.weights_broken()
            self._course.about_to_save()

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """An evaluation is done."""
        sample = self._probe.ask(kwargs["model"]) if self._probe else None
        self._course.evaluated(kwargs["metrics"]["eval_loss"], sample)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """All files of the checkpoint are written."""
        self._course.saved()


def set_learning_rate(optimizer: Any, scheduler: Any, rate: float) -> None:
    """Stretch the schedule to another peak, from its present place on."""
    scale = rate / scheduler.base_lrs[0]
    scheduler.base_lrs = [base * scale for base in scheduler.base_lrs]
    scheduler.base_lrs[0] = rate
    place = scheduler.last_epoch
    for group, base, shape in zip(
        optimizer.param_groups, scheduler.base_lrs, scheduler.lr_lambdas, strict=True
    ):
        group["initial_lr"] = base
        group["lr"] = base * shape(place)
    scheduler._last_lr = [group["lr"] for group in optimizer.param_groups]


def _schedule(params: Params) -> str:
    if params.schedule == "constant":
        return "constant_with_warmup" if params.warmup_steps else "constant"
    return params.schedule


def _is_finite(model: Any) -> bool:
    return all(bool(torch.isfinite(each).all()) for each in model.parameters() if each.requires_grad)


def _memory() -> dict[str, float]:
    if not torch.cuda.is_available():
        return {}
    return {"gpu_memory_allocated_gb": round(torch.cuda.memory_allocated() / GIGABYTE, 3)}


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _whole(example: Example) -> str:
    return f"user: {example.prompt}\nassistant: {example.text}" if example.prompt else example.text
