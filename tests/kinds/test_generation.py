"""The loop of a batch: what is kept, resume, a shared target, files."""

from __future__ import annotations

import csv
import json
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pilothouse.kinds.generation.backend import Request
from pilothouse.kinds.generation.dataset import Dataset, DatasetBroken, Sample
from pilothouse.kinds.generation.params import Params
from pilothouse.llm.client import Answer
from pilothouse.sdk.signals import Fenced
from tests.kinds.batches import Written, batch, kept_lines, notes, rows, verdicts, work
from tests.kinds.conftest import Begin
from tests.sdk.link_server import LinkServer


def test_a_batch_makes_as_many_samples_as_it_is_told_spread_over_its_topics(
    begin: Begin, server: LinkServer
) -> None:
    work(begin(batch(difficulties=["easy", "hard"]), Params))

    found = [body.data for body in rows(server).values()]
    assert sorted(rows(server), key=int) == [str(number) for number in range(1, 13)]
    assert Counter(data["topic"] for data in found) == {"tax": 4, "tort": 4, "trust": 4}
    assert Counter(data["difficulty"] for data in found) == {"easy": 6, "hard": 6}
    assert server.log.run.metrics["kept"] == 12
    assert server.log.run.progress.total == 12
    assert notes(server, "planned") == ["12 samples over 3 topics × 2 difficulties, 2 at a time"]


def test_a_sample_holds_its_fields_and_what_it_took(begin: Begin, server: LinkServer) -> None:
    work(begin(batch(target=1), Params))

    data = rows(server)["1"].data
    assert (data["verdict"], data["kept"], data["model"], data["tries"]) == ("kept", True, "first", 1)
    assert list(data["sample"]) == ["Question", "Answer"]
    assert data["text"].startswith("Question: w")
    assert data["tokens"] == data["tokens_in"] + data["tokens_out"]
    assert (data["words"], data["cost"]) == (26, data["tokens"] / 100_000)


def test_what_is_no_sample_is_tried_three_times_then_counted_and_made_up_for(
    begin: Begin, server: LinkServer
) -> None:
    backend = work(begin(batch(concurrency=1), Params), says={"Write 5 ": "## Question\nWhy?"})

    bad = rows(server)["5"]
    tries = [request for request in backend.asked if "Write 5 " in request.text]
    assert (bad.ok, bad.error) == (False, "the section Answer is missing")
    assert (bad.data["verdict"], bad.data["tries"], bad.data["tokens"]) == ("failed", 3, 45)
    assert len(tries) == 3
    assert len({request.seed for request in tries}) == 3
    assert "Your last reply was not taken: the section Answer is missing." in tries[1].text
    assert verdicts(server) == {"kept": 12, "failed": 1}
    assert (server.log.run.progress.done, server.log.run.progress.total) == (13, 13)
    assert notes(server, "error") == []  # the item in error is told already


@pytest.mark.parametrize(
    ("said", "valid"), [("I cannot.", 12 / 15), ('{"q": 1}', 12 / 15), ('{"q": "Why?"}', 1.0)]
)
def test_the_share_of_valid_json_counts_every_reply(
    begin: Begin, server: LinkServer, said: str, valid: float
) -> None:
    schema = {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}
    params = batch(sections=[], sample_schema=schema, concurrency=1)

    work(begin(params, Params), says={"Write 5 ": said})

    assert server.log.run.metrics["valid"] == pytest.approx(valid)


def test_a_duplicate_is_told_of_what_and_not_kept(begin: Begin, server: LinkServer) -> None:
    same = "## Question\nWho pays the rent?\n## Answer\nThe tenant pays it."

    work(begin(batch(concurrency=1, target=6), Params), says={"Write 2 ": same, "Write 4 ": same.upper()})

    assert rows(server)["4"].data["verdict"] == "duplicate"
    assert rows(server)["4"].data["duplicate_of"] == "run_1 #2"
    assert rows(server)["4"].ok
    assert server.log.run.metrics["duplicates"] == 1
    assert len(kept_lines(server)) == 6


def test_a_sample_that_breaks_a_rule_is_rejected_with_the_reason(begin: Begin, server: LinkServer) -> None:
    rules = [{"field": "Answer", "min_words": 5}]
    short = "## Question\nWho pays the rent?\n## Answer\nThe tenant."

    work(begin(batch(rules=rules, target=4, concurrency=1), Params), says={"Write 2 ": short})

    bad = rows(server)["2"].data
    assert (bad["verdict"], bad["reason"]) == ("rejected", "Answer has 2 words, fewer than 5")
    assert bad["text"] == "Question: Who pays the rent?\n\nAnswer: The tenant."
    assert verdicts(server)["kept"] == 4


def test_a_later_attempt_makes_nothing_twice_and_counts_everything(begin: Begin, server: LinkServer) -> None:
    class Dies(Written):
        def ask(self, request: Request) -> Answer:
            if len(self.asked) == 7:
                server.next_attempt()
            return super().ask(request)

    with pytest.raises(Fenced):
        work(begin(batch(concurrency=1), Params), Dies)
    finished = len(rows(server))
    backend = work(begin())

    assert len(backend.asked) <= 12 - finished
    assert len(rows(server)) == len(kept_lines(server)) == 12
    assert server.bodies("metric")[-1].step == 12
    assert [line["number"] for line in kept_lines(server)] == sorted(map(int, rows(server)))
    assert f"; {finished} are kept already" in notes(server, "planned")[-1]


def test_a_sample_that_was_kept_and_never_reported_is_reported_and_not_made_again(
    begin: Begin, server: LinkServer, tmp_path: Path
) -> None:
    handle = begin(batch(target=3, concurrency=1), Params)
    record = {"number": 2, "topic": "trust", "verdict": "kept", "kept": True, "sample": {"Question": "?"}}
    with_it = Dataset(tmp_path / "dataset.db")
    with_it.keep(Sample(handle.idempotency_key("2"), "run_1 #2", "a text", record))
    with_it.close()

    backend = work(handle)

    assert len(backend.asked) == 2
    assert rows(server)["2"].data["topic"] == "trust"
    assert len(kept_lines(server)) == 3


def test_a_retry_knows_the_samples_that_it_reuses(begin: Begin, server: LinkServer, tmp_path: Path) -> None:
    same = "## Question\nWho pays the rent?\n## Answer\nThe tenant pays it."

    class Dies(Written):
        def ask(self, request: Request) -> Answer:
            if len(self.asked) == 7:
                server.next_attempt()
            return super().ask(request)

    with pytest.raises(Fenced):
        work(begin(batch(concurrency=1), Params), Dies, says={"Write 2 ": same})
    finished = len(rows(server))
    again = begin()
    again.folder = tmp_path / "retry"
    again.folder.mkdir()
    backend = work(again, says={"Write 9 ": same})

    assert len(kept_lines(server)) == 12
    assert sum("Write 9 " in request.text for request in backend.asked) == 3
    assert rows(server)["9"].data["duplicate_of"] == "run_1 #2"
    assert finished >= 5


# Several batches


def test_batches_with_one_dataset_stop_at_its_target_together(
    begin: Begin, server: LinkServer, tmp_path: Path
) -> None:
    handle = begin(batch(target=None, dataset="law", dataset_target=10), Params)
    handle.folder = tmp_path / "runs" / "run_1"
    handle.folder.mkdir(parents=True)
    other = Dataset(tmp_path / "datasets" / "law.db")
    for number in range(3):
        other.keep(Sample(f"o{number}", f"other #{number}", f"other {number}", {"sample": {"text": "t"}}))

    work(handle)

    assert other.count == 10
    assert verdicts(server)["kept"] == 7
    assert len(kept_lines(server)) == 7
    assert len(kept_lines(server, "dataset.jsonl")) == 10
    assert notes(server, "planned") == [
        "samples without end over 3 topics, 2 at a time; the dataset law has 3 of 10"
    ]
    assert notes(server, "metrics") == ["The dataset law is full; this batch has 7 of it."]
    assert server.log.run.progress.total == server.log.run.progress.done
    other.close()


def test_a_batch_waits_for_places_that_others_hold_and_takes_those_that_come_free(
    begin: Begin, server: LinkServer, tmp_path: Path
) -> None:
    handle = begin(batch(target=None, dataset="law", dataset_target=4), Params)
    handle.folder = tmp_path / "runs" / "run_1"
    handle.folder.mkdir(parents=True)
    other = Dataset(tmp_path / "datasets" / "law.db")
    other.reserve("a", 4)
    other.reserve("b", 4)

    def let_go() -> None:
        server.wait_for(lambda: any("hold the last places" in text for text in notes(server, "backup")))
        other.keep(Sample("a", "other #a", "other a", {"sample": {"text": "t"}}), 4)
        other.release("b")

    letting_go = threading.Thread(target=let_go, daemon=True)
    letting_go.start()
    work(handle)
    letting_go.join(20)

    assert other.count == 4
    assert verdicts(server)["kept"] == 3
    other.close()


def test_a_broken_dataset_fails_the_run_at_once(begin: Begin, server: LinkServer, tmp_path: Path) -> None:
    handle = begin(batch(), Params)
    (tmp_path / "dataset.db").write_text("no database " * 500)

    with pytest.raises(DatasetBroken, match=r"dataset\.db cannot be used"):
        work(handle)

    assert rows(server) == {}


# Files


def test_the_files_hold_every_kept_sample(begin: Begin, server: LinkServer, tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "properties": {"topic": {"type": "string"}, "answer": {"type": "string"}},
        "required": ["topic", "answer"],
    }
    says = {"Write 3 ": json.dumps({"topic": "=SUM(A1)", "answer": 'a, "b"\nc'})}

    work(begin(batch(sections=[], sample_schema=schema), Params), says=says)

    lines = {line["number"]: line for line in kept_lines(server)}
    with (tmp_path / "samples.csv").open(newline="") as file:
        table = {int(row["number"]): row for row in csv.DictReader(file)}
    assert {"samples.jsonl", "samples.csv"} <= set(server.log.files)
    assert sorted(lines) == list(range(1, 13))
    assert lines[3] == {
        "topic": "=SUM(A1)", "answer": 'a, "b"\nc', "number": 3, "topic_": "trust", "model": "first",
    }  # fmt: skip
    assert (table[3]["topic"], table[3]["answer"]) == ("'=SUM(A1)", 'a, "b"\nc')


def test_with_pyarrow_there_is_a_parquet_file_and_mixed_columns_are_json(
    begin: Begin, server: LinkServer, tmp_path: Path
) -> None:
    parquet: Any = pytest.importorskip("pyarrow.parquet")
    schema = {
        "type": "object",
        "properties": {"answer": {"type": ["string", "number"]}},
        "required": ["answer"],
    }

    work(begin(batch(sections=[], sample_schema=schema), Params), says={"Write 3 ": '{"answer": 42}'})

    table = parquet.read_table(tmp_path / "samples.parquet").to_pydict()
    answers = dict(zip(table["number"], table["answer"], strict=True))
    assert len(answers) == 12
    assert answers[3] == "42"
    assert answers[1].startswith('"w')
    assert "samples.parquet" in server.log.files


def test_the_file_is_sent_as_it_grows(begin: Begin, server: LinkServer) -> None:
    sent: list[int] = []

    class Looks(Written):
        def ask(self, request: Request) -> Answer:
            if "Write 15 " in request.text:
                server.wait_for(lambda: "samples.jsonl" in server.log.files)
                sent.append(len(kept_lines(server)))
            return super().ask(request)

    work(begin(batch(target=20, concurrency=1), Params), Looks)

    assert sent == [10]
    assert len(kept_lines(server)) == 20
