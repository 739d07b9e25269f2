"""The offline model is a model: it learns, it judges better than chance, it speaks the API."""

from __future__ import annotations

import json
import math
import socket
import threading
import time
from collections.abc import Iterator

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.kinds.benchmark.example import demo
from pilothouse.kinds.benchmark.params import Params
from pilothouse.kinds.benchmark.plan import Plan
from pilothouse.llm.offline.asked import read_request
from pilothouse.llm.offline.chat import Wanted, reply
from pilothouse.llm.offline.model import offline_model, trained
from pilothouse.llm.offline.ngram import NGram
from pilothouse.llm.offline.request import BadRequest, read_body
from pilothouse.llm.offline.server import OfflineServer
from pilothouse.llm.offline.tokens import pieces, tokenise, write

SENTENCES = [text.split() for text in ("the cat sat", "the cat ran", "a dog ran", "the dog sat down")]


@pytest.fixture(scope="module")
def server() -> Iterator[OfflineServer]:
    server = OfflineServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def client(server: OfflineServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.base_url, api_key="none", max_retries=0) as client:
        yield client


# The model


@pytest.mark.parametrize("history", [(), ("the",), ("the", "cat"), ("never", "seen"), ("<s>", "<s>")])
def test_probabilities_sum_to_one_and_leave_room_for_the_unknown(history: tuple[str, ...]) -> None:
    model = NGram(SENTENCES)

    values = model.distribution(history)

    assert sum(values) + model.probability("unheard", history) == pytest.approx(1)
    assert values == pytest.approx([model.probability(word, history) for word in model.words])
    assert min(values) > 0


def test_witten_bell_gives_the_textbook_value() -> None:
    model = NGram([["a", "a", "b"]])

    # after "a": {a, b}, each once; the model one order lower has a twice, b and the end once, of 3 kinds
    unigram = (2 + 3 * (1 / 4)) / (4 + 3)
    assert model.probability("a") == pytest.approx(unigram)
    assert model.probability("a", ("x", "a")) == pytest.approx((1 + 2 * unigram) / (2 + 2))


def test_longer_histories_predict_better() -> None:
    model = NGram(SENTENCES)

    assert model.probability("cat", ("<s>", "the")) > model.probability("cat") > model.probability("zebra")


def test_training_takes_less_than_a_second_or_so() -> None:
    trained.cache_clear()
    began = time.process_time()

    offline_model()

    assert time.process_time() - began < 2.0


def test_it_judges_the_example_better_than_the_best_guess_but_not_perfectly() -> None:
    params = Params.model_validate(demo())
    ballot, model = params.ballot(), offline_model()
    right: dict[str, int] = {}
    for test in Plan(params):
        vote = model.choose(test.input, ballot.names).label
        right[test.prompt.name] = right.get(test.prompt.name, 0) + ballot.same(vote, test.expected)
    same = [sum(ballot.same(vote, case.vote) for case in params.cases) for vote in ballot.names]

    shares = [count / len(params.cases) for count in right.values()]
    assert min(shares) > max(same) / len(params.cases)  # always saying one vote
    assert max(shares) < 0.95
    assert len(set(shares)) > 1


def test_it_has_learned_more_than_code_findings() -> None:
    model = offline_model()

    mood = model.choose("The staff were rude and the room was dirty.", ["positive", "negative", "neutral"])
    mail = model.choose("Win a prize, click the link now!", ["spam", "ham"])

    assert (mood.label, mail.label) == ("negative", "spam")
    assert 0.33 < mood.probability < 1


def test_labels_it_has_never_met_are_all_alike_to_it() -> None:
    choice = offline_model().choose("anything", ["zyx", "wvu"])

    assert choice.probability == 0.5


def test_the_same_seed_writes_the_same_text_and_another_seed_another() -> None:
    model = offline_model()

    texts = [model.write("sql query", max_tokens=40, temperature=1, seed=seed) for seed in (1, 1, 2)]

    assert texts[0] == texts[1] != texts[2]
    assert len(texts[0]) <= 40


@given(st.text())
def test_pieces_are_the_text_again_one_for_each_token(text: str) -> None:
    cut = pieces(text)

    assert "".join(cut) == text
    assert len(cut) == max(len(tokenise(text)), 1 if text else 0)


def test_code_falls_into_words_and_prose_is_put_together() -> None:
    assert tokenise("getUserName(db_table) // HTTPServer 42") == (
        ["get", "user", "name", "(", "db", "_", "table", ")", "/", "/", "http", "server", "42"]
    )
    assert (
        write(["the", "end", ".", "it", "is", "(", "nearly", ")", "over", "!"])
        == "The end. It is (nearly) over!"
    )


# What is asked


@pytest.mark.parametrize(
    ("prompt", "labels", "marker"),
    [
        (
            "Choose one of: REAL, FALSE_POSITIVE.\nEnd with one line: *VOTE: X",
            ("REAL", "FALSE_POSITIVE"),
            "*VOTE:",
        ),
        ("Answer with one of yes, no or maybe", ("yes", "no", "maybe"), None),
        ("LABEL: <spam|ham> one of: spam | ham", ("spam", "ham"), "LABEL:"),
        ("Tell me a story.", (), None),
    ],
)
def test_labels_and_marker_are_read_from_the_prompt(
    prompt: str, labels: tuple[str, ...], marker: str | None
) -> None:
    asked = read_request(prompt, None)

    assert (asked.labels, asked.marker) == (labels, marker)


def test_a_schema_is_obeyed() -> None:
    properties = {"why": {"type": "string"}, "ok": {"type": "boolean"}, "vote": {"enum": ["REAL", "SAFE"]}}
    schema = {"type": "json_schema", "json_schema": {"name": "v", "schema": {"properties": properties}}}

    answer = json.loads(
        reply(offline_model(), Wanted([("user", "eval(x)")], seed=1, response_format=schema)).text
    )

    assert list(answer) == ["why", "ok", "vote"]
    assert answer["vote"] in ("REAL", "SAFE")
    assert isinstance(answer["ok"], bool)


def test_whole_numbers_lists_and_sections_are_written_as_they_are_asked_for() -> None:
    part = {"type": "array", "minItems": 2, "items": {"enum": ["red", "blue"]}}
    schema = {"properties": {"year": {"type": "integer", "minimum": 1990, "maximum": 1999}, "colours": part}}
    form = {"type": "json_schema", "json_schema": {"schema": schema}}
    messages = [("user", "Write these sections, each below its heading:\n## Question\n## Answer")]

    found = json.loads(
        reply(offline_model(), Wanted([("user", "A car.")], seed=3, response_format=form)).text
    )
    text = reply(offline_model(), Wanted(messages, seed=3)).text

    assert found["year"] in range(1990, 2000)
    assert len(found["colours"]) == 2
    assert set(found["colours"]) <= {"red", "blue"}
    assert text.startswith("## Question\n")
    assert "\n\n## Answer\n" in text


def test_an_answer_is_cut_at_max_tokens_and_at_stop_texts() -> None:
    messages = [("user", "Give your reasoning, then one of: REAL, SAFE. *VOTE: X")]

    cut = reply(offline_model(), Wanted(messages, max_tokens=3, seed=1))
    stopped = reply(offline_model(), Wanted(messages, seed=1, stop=("*VOTE",)))

    assert (len(cut.pieces), cut.finish_reason) == (3, "length")
    assert "*VOTE" not in stopped.text
    assert stopped.finish_reason == "stop"


# The server


def test_a_chat_completion_comes_with_usage_and_says_who_answers(client: openai.OpenAI) -> None:
    said = client.chat.completions.create(
        model="offline",
        messages=[{"role": "user", "content": "One of: yes, no. Is water wet?"}],
        temperature=0,
    )

    assert said.choices[0].message.content in ("yes", "no")
    assert said.system_fingerprint == "pilothouse-offline"
    assert said.usage is not None
    assert (said.usage.prompt_tokens, said.usage.completion_tokens) == (11, 1)
    assert said.usage.total_tokens == 12


def test_streaming_gives_the_same_answer_piece_by_piece_and_the_usage_last(client: openai.OpenAI) -> None:
    messages: list[openai.types.chat.ChatCompletionUserMessageParam] = [
        {"role": "user", "content": "Explain sql injection."}
    ]
    whole = client.chat.completions.create(model="offline", messages=messages, seed=3, max_tokens=30)

    with client.chat.completions.create(
        model="offline", messages=messages, seed=3, max_tokens=30, stream=True
    ) as stream:
        chunks = list(stream)

    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert len(chunks) > 5
    usage = chunks[-1].usage
    assert usage is not None and whole.usage is not None
    assert usage.completion_tokens == whole.usage.completion_tokens <= 30


def test_the_models_are_listed_and_health_is_told(client: openai.OpenAI, server: OfflineServer) -> None:
    assert [model.id for model in client.models.list()] == ["offline"]
    assert client.models.retrieve("offline").owned_by == "pilothouse"
    root = server.base_url.removesuffix("/v1")
    assert client.get(f"{root}/health", cast_to=object) == {"status": "ok", "model": "offline"}


HELLO = {"model": "offline", "messages": [{"role": "user", "content": "x"}]}


@pytest.mark.parametrize("head", ["Content-Length: -1", "Content-Length: many"])
def test_a_request_that_is_none_gets_an_answer_and_keeps_no_thread(server: OfflineServer, head: str) -> None:
    with socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=30) as connection:
        connection.sendall(f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode())

        assert connection.recv(4096).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("field", ["seed", "temperature", "max_tokens"])
@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, True, "1"])
def test_a_number_that_is_none_is_refused(field: str, value: object) -> None:
    with pytest.raises(BadRequest) as caught:
        read_body(json.dumps({**HELLO, field: value}).encode(), "offline")

    assert caught.value.param == field


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"messages": [{"role": "user", "content": "x"}]}, 400, "model"),
        ({"model": "gpt-9", "messages": [{"role": "user", "content": "x"}]}, 404, "model"),
        ({"model": "offline", "messages": []}, 400, "messages"),
        ({"model": "offline", "messages": [{"role": "user", "content": 3}]}, 400, "messages.0.content"),
        (
            {"model": "offline", "messages": [{"role": "user", "content": "x"}], "max_tokens": "9"},
            400,
            "max_tokens",
        ),
        ({"model": "offline", "messages": [{"role": "user", "content": "x"}], "n": 2}, 400, "n"),
        ([], 400, None),
        ({**HELLO, "stop": 5}, 400, "stop"),
        ({**HELLO, "response_format": {"type": "json_schema", "json_schema": "x"}}, 400, "response_format"),
        (
            {
                **HELLO,
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"schema": {"properties": {"a": {"enum": 5}}}},
                },
            },
            400,
            "response_format",
        ),
    ],
)
def test_a_malformed_request_is_refused_in_the_usual_shape(
    client: openai.OpenAI, body: object, status: int, param: str | None
) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        client.post("/chat/completions", body=body, cast_to=object)

    assert caught.value.status_code == status
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["type"] == "invalid_request_error"
    assert caught.value.body["param"] == param


def test_an_answer_takes_as_long_as_its_tokens_are_told_to_take() -> None:
    server = OfflineServer(ms_per_token=20)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    with openai.OpenAI(base_url=server.base_url, api_key="none", max_retries=0) as client:
        began = time.perf_counter()
        said = client.chat.completions.create(
            model="offline", messages=[{"role": "user", "content": "Tell a story."}], seed=1, max_tokens=10
        )
        seconds = time.perf_counter() - began

    assert said.usage is not None
    assert seconds >= 0.02 * said.usage.completion_tokens
    assert math.isfinite(seconds)
    server.shutdown()
    server.server_close()
    thread.join()
