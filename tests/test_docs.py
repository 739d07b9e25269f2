"""Documentation that cannot rot: whatever the code has is written down, whatever is written down works."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route, WebSocketRoute

from pilothouse.cli import client as exits
from pilothouse.engine.control import TABLE, Ask, Situation
from pilothouse.kinds.autotune.params import Params as AutotuneParams
from pilothouse.kinds.benchmark.params import Params as BenchmarkParams
from pilothouse.kinds.generation.params import Params as GenerationParams
from pilothouse.model.event import BODIES
from pilothouse.model.run import Status
from pilothouse.model.transition import RULES
from pilothouse.settings import Settings
from pilothouse.web.server import Server
from tests.house import api_pages, cli_pages, model_pages
from tests.house.pages import DOCS, ROOT, fill, pages
from tests.house.snippets import Snippet, anchors, documents, links, prose, snippets

REFERENCE = DOCS / "reference"


def read(name: str) -> str:
    """A page of docs/."""
    return (DOCS / name).read_text()


def named(page: Path) -> str:
    """A page's path for the name of a test."""
    return str(page.relative_to(ROOT))


# What the code has is written down, and nothing else is


@pytest.mark.parametrize("page", pages(), ids=named)
def test_the_parts_that_the_code_writes_are_current(page: Path) -> None:
    text = page.read_text()

    assert fill(text) == text, "run: python -m tests.house.pages"


def test_every_setting_is_documented() -> None:
    documented = set(re.findall(r"PILOTHOUSE_[A-Z_]+", read("reference/settings.md")))
    used: set[str] = {f"PILOTHOUSE_{name.upper()}" for name in Settings.model_fields}
    for path in [*(ROOT / "pilothouse").rglob("*.py"), ROOT / "hatch_build.py"]:
        used |= set(re.findall(r"\bPILOTHOUSE_[A-Z_]*[A-Z]\b", path.read_text()))

    assert documented == used


def test_every_event_type_is_documented() -> None:
    documented = re.findall(r"^### (\S+)$", read("reference/events.md"), re.MULTILINE)

    assert documented == list(BODIES)


def test_every_error_code_is_documented() -> None:
    documented = set(re.findall(r"^\| `([a-z_]+)` \|", read("reference/errors.md"), re.MULTILINE))

    assert documented == model_pages.error_codes()


def test_every_close_code_is_documented() -> None:
    documented = set(re.findall(r"^\| (\d{4}) \|", read("reference/errors.md"), re.MULTILINE))
    used: set[str] = set()
    for path in (ROOT / "pilothouse").rglob("*.py"):
        found = re.findall(r"^(?:\w+_CLOSE|NORMAL|GOING_AWAY) = (\d{4})$", path.read_text(), re.MULTILINE)
        used |= set(found)

    assert documented == used


def test_every_exit_code_is_documented() -> None:
    documented = {
        int(code) for code in re.findall(r"^\| (\d+) \|", read("reference/exit-codes.md"), re.MULTILINE)
    }
    used = {value for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)}

    assert documented == used


def test_every_command_and_option_is_documented() -> None:
    page = read("reference/cli.md")
    sections = {part.partition("\n")[0]: part for part in page.split("\n## ")[1:]}

    for name, command in cli_pages.group().commands.items():
        rows = re.findall(r"^\| (.*?) \|", sections[f"pilothouse {name}"], re.MULTILINE)
        spelled = {option for row in rows for option in re.findall(r"`(--?[a-z-]+)`", row)}
        assert spelled == set(cli_pages.options_of(command)), name


def test_every_command_says_what_it_does() -> None:
    silent = set()
    for name, command in cli_pages.group().commands.items():
        assert (command.help or "").strip(), name
        silent |= {f"{name} {param.name}" for param in command.params if not getattr(param, "help", None)}

    assert silent <= {"open run"}


def test_every_panel_is_documented() -> None:
    documented = re.findall(r"^\| `([A-Z]\w+)` \|", read("concepts/kinds-and-panels.md"), re.MULTILINE)

    assert documented == [panel.__name__ for panel in api_pages.panel_types()]


def test_every_key_of_a_run_is_documented_and_in_the_example() -> None:
    documented = re.findall(r"^\| `(\w+)` \|", read("reference/run.md"), re.MULTILINE)
    example = json.loads(snippets_of(REFERENCE / "protocol.md", "json")[0].text)

    assert documented == model_pages.snapshot_keys()
    assert set(example) == set(documented)


def test_every_method_of_the_handle_is_documented() -> None:
    documented = re.findall(r"^### run\.(\w+)$", read("reference/api.md"), re.MULTILINE)

    assert documented == api_pages.handle_methods()


def test_the_transition_table_is_the_codes() -> None:
    page = read("concepts/runs-and-attempts.md")
    documented = re.findall(
        r"^\| `([a-z_.]+)` \| (.*?) \| (.*?) \| (.*?) \| (.*?) \| (.*?) \|$", page, re.MULTILINE
    )

    told = [
        (
            event,
            set(re.findall(r"\w+", statuses)),
            set(re.findall(r"\w+", pendings)),
            who,
            only,
            target.strip("`"),
        )
        for event, statuses, pendings, who, only, target in documented
        if event != "run.queued"
    ]
    assert told == [
        (
            rule.event,
            {str(status) for status in rule.sources},
            {str(pending or "none") for pending in rule.pendings},
            rule.who,
            rule.need.words if rule.need else "",
            str(rule.target or "stays"),
        )
        for rule in RULES
    ]


def test_the_table_of_answers_is_the_codes() -> None:
    page = read("concepts/controls.md")
    rows = re.findall(r"^\| \*\*(.+?)\*\* \| (.*) \|$", page, re.MULTILINE)

    told = {
        (situation, Ask(ask)): re.sub(r"^\d+ |`", "", cell)
        for ask, cells in rows
        for situation, cell in zip(Situation, cells.split(" | "), strict=True)
    }
    assert told == {place: str(effect) for place, effect in TABLE.items()}


def test_the_state_chart_knows_every_status_and_no_other() -> None:
    chart = read("concepts/runs-and-attempts.md").partition("```mermaid")[2].partition("```")[0]
    edges = re.findall(r"^ +(\S+) --> (\S+?):? ?([a-z_.]*)$", chart, re.MULTILINE)

    assert {place for edge in edges for place in edge[:2]} == {"[*]", *(str(status) for status in Status)}
    assert {event for _, _, event in edges if event} <= BODIES.keys()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Every route of a server, as `GET /path/{}`."""
    settings = Settings(data=tmp_path_factory.mktemp("data"), database="memory:")
    app = Server(settings)._routes()
    found = {f"WS {route.path}" for route in app.routes if isinstance(route, WebSocketRoute)}
    for path, operations in app.openapi()["paths"].items():
        found |= {f"{method.upper()} {path}" for method in operations}
    for route in app.routes:
        if isinstance(route, Route):
            found |= {f"{method} {route.path}" for method in (route.methods or set()) - {"HEAD"}}
    return {plain(route) for route in found}


def plain(route: str) -> str:
    """A route without the names of its parts and its query."""
    return re.sub(r"\{[^}]*\}", "{}", route.partition("?")[0])


def test_every_route_is_documented_and_no_other(served: set[str]) -> None:
    written = set()
    for name in (
        "reference/protocol.md",
        *(f"dialects/{path.name}" for path in (DOCS / "dialects").glob("*.md")),
    ):
        rows = "\n".join(row for row in read(name).splitlines() if row.startswith("| `"))
        written |= {plain(route) for route in re.findall(r"`((?:GET|POST|PATCH|DELETE|WS) /[^\s`]+)", rows)}

    assert written == served


# What is written down works


def test_the_pages_hold_snippets_to_check() -> None:
    counts = {language: len(snippets(language)) for language in ("bash", "python", "json", "toml")}

    assert all(counts.values()), counts


def snippets_of(path: Path, language: str) -> list[Snippet]:
    """The snippets of one page."""
    return [each for each in snippets(language) if each.path == path]


@pytest.mark.parametrize("snippet", snippets("json"), ids=str)
def test_a_json_snippet_is_json(snippet: Snippet) -> None:
    json.loads(snippet.text)


@pytest.mark.parametrize("snippet", snippets("toml"), ids=str)
def test_a_toml_snippet_is_toml(snippet: Snippet) -> None:
    tomllib.loads(snippet.text)


@pytest.mark.parametrize("snippet", [s for s in snippets("toml") if "# bench.toml" in s.text], ids=str)
def test_a_benchmark_in_the_pages_is_one_that_can_be_started(snippet: Snippet) -> None:
    params = tomllib.loads(snippet.text)
    if params.get("cases") == "@cases.jsonl":
        params["cases"] = [{"id": "1", "vote": "REAL", "finding": "f", "code": "c"}]

    BenchmarkParams.model_validate(params)


@pytest.mark.parametrize("snippet", [s for s in snippets("toml") if "# batch.toml" in s.text], ids=str)
def test_a_batch_in_the_pages_is_one_that_can_be_started(snippet: Snippet) -> None:
    GenerationParams.model_validate(tomllib.loads(snippet.text))


@pytest.mark.parametrize("snippet", [s for s in snippets("toml") if "[[space]]" in s.text], ids=str)
def test_an_autotune_in_the_pages_is_one_that_can_be_started(snippet: Snippet) -> None:
    AutotuneParams.model_validate(tomllib.loads(snippet.text))


LONG_PAGES = ("write-a-kind.md", "script.md")  # they start what a reader would start
PYTHON_PAGES = [
    pytest.param(page, id=str(page[0]), marks=[pytest.mark.long] * (page[0].path.name in LONG_PAGES))
    for _, group in groupby(snippets("python"), key=lambda snippet: snippet.path)
    for page in [list(group)]
]


@pytest.mark.parametrize("page", PYTHON_PAGES)
def test_the_python_snippets_of_a_page_run(page: list[Snippet], tmp_path: Path) -> None:
    environment = {
        "PATH": "",
        "PYTHONPATH": f"{ROOT}:{tmp_path}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PILOTHOUSE_SERVER": "http://127.0.0.1:9",  # whoever runs the tests may have a server of their own
    }
    for number, snippet in enumerate(page):
        title = re.match(r"# (\w+\.py)\n", snippet.text)
        file = tmp_path / (title[1] if title else f"snippet_{number}.py")
        file.write_text(snippet.text)
        program = ["-m", "pytest", "-q", str(file)] if file.name.startswith("test_") else [str(file)]
        done = subprocess.run(
            [sys.executable, *program],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{snippet}\n{done.stdout}{done.stderr}"


def commands_of(snippet: Snippet) -> list[list[str]]:
    """The words of every `pilothouse …` in a shell snippet."""
    found = []
    for line in snippet.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while words and re.match(r"[A-Z_]+=", words[0]):
            words.pop(0)
        for operator in ("||", "&&", "|", ";"):
            words = words[: words.index(operator)] if operator in words else words
        if words:
            found.append(words)
    return found


@pytest.mark.parametrize("snippet", snippets("bash"), ids=str)
def test_a_shell_snippet_is_shell_and_its_commands_exist(snippet: Snippet) -> None:
    subprocess.run(["bash", "-n"], input=snippet.text, text=True, check=True)

    root = cli_pages.group()
    for program, *words in commands_of(snippet):
        if program == "make":
            assert set(words) <= make_targets(), words
        if program != "pilothouse":
            continue
        given = 2 if words[0] in {"--server", "--data"} else 0
        name, *rest = words[given : words.index("--") if "--" in words else None]
        assert name in root.commands, name
        options = {word.partition("=")[0] for word in rest if word.startswith("-") and word != "-"}
        assert options <= {*cli_pages.options_of(root.commands[name]), "--help"}, (name, options)


def make_targets() -> set[str]:
    """What `make` can make."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", documents(), ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    dead = []
    for target in links(page):
        file, _, anchor = target.partition("#")
        place = (page.parent / file).resolve() if file else page
        is_found = place.exists() and (not anchor or place.suffix != ".md" or anchor in anchors(place))
        if not is_found:
            dead.append(target)

    assert dead == []


def test_every_page_can_be_reached_from_the_index() -> None:
    reached, todo = set(), [DOCS / "index.md"]
    while todo:
        page = todo.pop()
        if page not in reached and page.suffix == ".md":
            reached.add(page)
            todo += [(page.parent / target.partition("#")[0]).resolve() for target in links(page)]

    assert [named(page) for page in pages() if page not in reached] == []


# Words

FORBIDDEN = (
    "task", "tasks", "workflow", "workflows", "task function", "succeeded", "stage", "stages", "sweeper", "zombie",
    "subscriber", "subscribers", "broadcaster", "broadcast", "broker", "brokers", "hub", "offset", "cursor", "percent",
    "checkpointed", "killswitch",
)  # fmt: skip
# Where the word means itself: the page that lists it, another project's thing, or what was turned down.
ALLOWED = {
    "docs/glossary.md": set(FORBIDDEN),
    "docs/reference/checklist.md": set(FORBIDDEN),  # it speaks of the documents in their words
    "docs/adr/0002-the-bus-carries-no-data.md": {"broker"},
    "docs/non-goals.md": {"broker"},
}


@pytest.mark.parametrize("page", documents(), ids=named)
def test_a_page_uses_the_words_of_the_glossary(page: Path) -> None:
    words = forbidden_in(prose(page)) - ALLOWED.get(named(page), set())
    if page.parent.name == "dialects":
        words = set()

    assert not words


def test_the_command_line_uses_the_words_of_the_glossary() -> None:
    root = cli_pages.group()
    texts = [root.help, *(text for each in root.commands.values() for text in (each.help, *helps_of(each)))]

    assert forbidden_in("\n".join(filter(None, texts))) == set()


def helps_of(command: Any) -> list[str | None]:
    """What a command says of its parameters."""
    return [getattr(param, "help", None) for param in command.params]


def forbidden_in(text: str) -> set[str]:
    """The words of a text that the glossary replaces."""
    return {word for word in FORBIDDEN if re.search(rf"\b{word}\b", text, re.IGNORECASE)}


def test_a_forbidden_word_is_found() -> None:
    assert forbidden_in("The Tasks of a workflow.") == {"tasks", "workflow"}


def test_the_glossary_defines_a_word_once() -> None:
    rows = re.findall(r"^\| \*\*(.+?)\*\* \|", read("glossary.md"), re.MULTILINE)

    assert len(rows) == len(set(rows)) > 30
