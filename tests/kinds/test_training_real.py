"""Training with the real library in the test's own process: LoRA, what is exported, what is refused, the live rate."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from pilothouse.kinds.training import KIND
from pilothouse.kinds.training.dataset import load_examples
from pilothouse.kinds.training.errors import BadDataset, BadModel, NotFinite
from pilothouse.kinds.training.job import Training
from pilothouse.kinds.training.params import Params
from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.link import Link
from tests.sdk.link_server import LinkServer

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        not all(map(find_spec, ("torch", "transformers", "accelerate", "peft"))),
        reason="the extra train is not here",
    ),
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("default"),  # of torch and its friends
    pytest.mark.xdist_group("torch"),
]

SMALL = {
    "steps": 4,
    "batch_size": 2,
    "max_length": 24,
    "eval_fraction": 0.01,
    "logging_steps": 1,
    "device": "cpu",
}
Perform = Callable[..., None]


@pytest.fixture
def perform(server: LinkServer, tmp_path: Path) -> Iterator[Perform]:
    """Runs a training to its end; `begun` gets the handle before."""
    links: list[Link] = []

    def perform(begun: Callable[[RunHandle], None] = lambda run: None, **params: Any) -> None:
        from pilothouse.kinds.training.hugging import TransformersBackend

        server.add_run(**KIND.validate({**SMALL, **params}))
        link = Link(server.url, "secret", "run_1", 1)
        links.append(link)
        given = dict(server.log.run.params)
        handle = RunHandle(link, id="run_1", name="test", attempt=1, params=given, folder=tmp_path)
        link.start(on_live=handle.params.update)
        begun(handle)
        trained = Params.model_validate(handle.params)
        try:
            Training(handle, trained, TransformersBackend(load_examples(trained))).run()
        finally:
            link.flush(30)

    yield perform
    for link in links:
        link.close()


def unpacked(server: LinkServer, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(server.log.files["model.zip"])) as archive:
        archive.extractall(folder)
    return folder


@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_exported_model_is_served_by_a_pipeline_and_says_what_its_last_sample_said(
    perform: Perform, server: LinkServer, tmp_path: Path, method: str
) -> None:
    from transformers import pipeline

    perform(method=method, sample_prompt="the wifi drops", sample_tokens=6)

    row = server.bodies("item.finished")[-1].data
    serve: Any = pipeline("text-generation", model=str(unpacked(server, tmp_path / "served")), device="cpu")
    asked = [{"role": "user", "content": "the wifi drops"}]
    (answer,) = serve(asked, max_new_tokens=6, do_sample=False)
    assert answer["generated_text"][-1]["content"].strip() == row["output"]
    assert row["output"]
    assert (row["prompt"], row["expected"]) == ("the wifi drops", None)
    assert sum(each.numel() for each in serve.model.parameters()) < 400_000
    assert not {"optimizer.pt", "trainer_state.json"} & {
        path.name for path in (tmp_path / "served").iterdir()
    }


def test_samples_change_no_loss_and_are_taken_of_what_is_held_out(
    perform: Perform, server: LinkServer, tmp_path: Path
) -> None:
    path = tmp_path / "sums.jsonl"
    path.write_text("".join(json.dumps({"text": f"{n} and {n} make {2 * n}."}) + "\n" for n in range(20)))
    found = []
    for tokens in (0, 5):
        perform(dataset=str(path), eval_fraction=0.1, sample_tokens=tokens, eval_steps=2)
        losses = [body.values["loss"] for body in server.bodies("metric") if "loss" in body.values]
        found.append((losses, server.bodies("item.finished")[-1].data))
        shutil.rmtree(tmp_path / "checkpoints")

    (silent, bare), (asked, row) = found
    assert silent == asked
    assert "output" not in bare
    assert f"{row['prompt']}{row['expected']}".replace(" ", "") in path.read_text().replace(" ", "")


def test_a_live_learning_rate_stretches_the_schedule_from_the_next_step_on(
    perform: Perform, server: LinkServer
) -> None:
    def begun(run: RunHandle) -> None:
        item = run.metric

        def after(step: int | None = None, **values: Any) -> None:
            item(step, **values)
            if step == 2:
                run.params["learning_rate"] = 5e-3

        run.metric = after  # type: ignore[method-assign]

    perform(begun, schedule="linear", learning_rate=1e-3)

    rates = [body.values["learning_rate"] for body in server.bodies("metric") if "loss" in body.values]
    assert rates == pytest.approx([1e-3, 0.75e-3, 2.5e-3, 1.25e-3])
    assert [body.text for body in server.bodies("note") if body.feed == "control"] == [
        "Learning rate 0.005 from step 3 on, before 0.001."
    ]


@pytest.mark.parametrize("is_broken", [False, True])
def test_a_model_from_a_folder_is_trained_and_one_with_a_broken_weight_is_caught(
    perform: Perform, server: LinkServer, tmp_path: Path, is_broken: bool
) -> None:
    import torch

    from pilothouse.kinds.training.model import make_tiny
    from pilothouse.kinds.training.tokens import make_tokenizer

    tokenizer = make_tokenizer(["the wifi drops"], tmp_path / "model")
    model = make_tiny(tokenizer, 120)
    if is_broken:
        with torch.no_grad():
            model.get_input_embeddings().weight[:] = float("inf")
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")

    if is_broken:
        with pytest.raises(NotFinite, match="The loss is not a number at step 1"):
            perform(model=str(tmp_path / "model"), max_length=120)
    else:
        perform(model=str(tmp_path / "model"), max_length=120)
        assert server.log.run.progress.done == 4


def test_a_model_whose_weights_are_cut_short_is_said(perform: Perform, tmp_path: Path) -> None:
    from pilothouse.kinds.training.model import make_tiny
    from pilothouse.kinds.training.tokens import make_tokenizer

    tokenizer = make_tokenizer(["the wifi drops"], tmp_path / "model")
    make_tiny(tokenizer, 120).save_pretrained(tmp_path / "model")
    weights = tmp_path / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])

    with pytest.raises(BadModel, match=r"The model .* cannot be loaded: ") as caught:
        perform(model=str(tmp_path / "model"))

    assert "damaged or cut short" in (caught.value.hint or "")


def test_a_model_that_is_not_here_is_not_fetched_unasked(perform: Perform) -> None:
    with pytest.raises(BadModel) as caught:
        perform(model="nobody/nothing")

    assert caught.value.message.startswith("There is no model 'nobody/nothing' on this machine")
    assert "allow_download" in (caught.value.hint or "")


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_device_that_is_not_here_is_said(perform: Perform, device: str) -> None:
    import torch

    if {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}[device]:
        pytest.skip("it is here")

    with pytest.raises(BadModel, match=f"This machine has no device {device}"):
        perform(device=device)


def test_prompts_that_leave_nothing_to_learn_are_said(perform: Perform, tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_text(json.dumps({"prompt": "word " * 200, "completion": "yes"}) + "\n")

    with pytest.raises(BadDataset, match="No example has anything to learn within 24 tokens"):
        perform(dataset=str(path))
