"""What the model says of itself: transitions, answers to controls, events, errors, settings."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined, to_json

from pilothouse import errors as tree
from pilothouse.buses.memory import MemoryBus
from pilothouse.engine.control import Ask, Situation, Wish
from pilothouse.engine.engine import Engine
from pilothouse.errors import InvalidControl, PilothouseError
from pilothouse.kinds import patience
from pilothouse.kinds.generation import dataset as generation_dataset
from pilothouse.kinds.generation import job as generation_job
from pilothouse.kinds.script import command as script_command
from pilothouse.kinds.script import job as script_job
from pilothouse.kinds.synthesis import errors as synthesis_errors
from pilothouse.kinds.training import errors as training_errors
from pilothouse.llm import errors as llm
from pilothouse.model import event as e
from pilothouse.model.run import Control, Run, Status, Strength
from pilothouse.model.transition import RULES
from pilothouse.sdk import kind
from pilothouse.settings import Settings
from pilothouse.stores.memory import MemoryStore
from pilothouse.testing.samples import queued
from pilothouse.web.link import _JOB_TYPES as JOB_TYPES
from tests.house.markup import code, first_line, section, summary, table

PACKAGE = Path(tree.__file__).parent


def state_chart() -> str:
    """The statuses and what leads from one to the other, for Mermaid."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> queued: run.queued"]
    edges = {
        (status, rule.target, rule.event): None
        for rule in RULES
        for status in Status
        if rule.target is not None and status in rule.sources
    }
    lines += [f"    {source} --> {target}: {event}" for source, target, event in edges]
    lines += [f"    {status} --> [*]" for status in Status if status.is_terminal]
    return "\n".join([*lines, "```"])


def transitions() -> str:
    """The table of transitions."""
    rows = [("`run.queued`", "–", "–", "user, SDK", "", "`queued`")]
    rows += [
        (
            code(rule.event),
            " ".join(code(status) for status in Status if status in rule.sources),
            " ".join(code(pending or "none") for pending in (None, *Control) if pending in rule.pendings),
            rule.who,
            rule.need.words if rule.need else "",
            code(rule.target) if rule.target else "stays",
        )
        for rule in RULES
    ]
    return table(("event", "allowed while", "pending", "said by", "only", "leads to"), rows)


def answers() -> str:
    """What every control gets in every situation, asked of the engine itself."""
    return asyncio.run(_answers())


async def _answers() -> str:
    rows = [
        (f"**{ask}**", *[await _answer(HISTORIES[situation], wish) for situation in Situation])
        for ask, wish in WISHES.items()
    ]
    return table(("", *Situation), rows)


_PAUSE = e.ControlRequested(control=Control.PAUSE, actor="ada")
_RELEASE = e.ControlRequested(control=Control.PAUSE, actor="ada", strength=Strength.RELEASE)
_CANCEL = e.ControlRequested(control=Control.CANCEL, actor="ada")
_FORCE = e.ControlRequested(control=Control.CANCEL, actor="ada", force=True)
_STARTED = e.RunStarted(attempt=1)
HISTORIES: dict[Situation, list[e.Body]] = {
    Situation.QUEUED: [],
    Situation.RUNNING: [_STARTED],
    Situation.PAUSING: [_STARTED, _PAUSE],
    Situation.RELEASING: [_STARTED, _RELEASE],
    Situation.HELD: [_STARTED, _PAUSE, e.RunPaused()],
    Situation.LEAVING: [_STARTED, _PAUSE, e.RunPaused(), _RELEASE],
    Situation.RELEASED: [_STARTED, _PAUSE, e.RunPaused(strength=Strength.RELEASE)],
    Situation.CANCELLING: [_STARTED, _CANCEL],
    Situation.KILLING: [_STARTED, _FORCE],
    Situation.ENDED: [_STARTED, e.RunCompleted()],
    Situation.CANCELLED: [e.RunCancelled(by="ada")],
}
WISHES: dict[Ask, Wish] = {
    Ask.PAUSE: Wish(Control.PAUSE, "ada"),
    Ask.RELEASE: Wish(Control.PAUSE, "ada", strength=Strength.RELEASE),
    Ask.RESUME: Wish(Control.RESUME, "ada"),
    Ask.CANCEL: Wish(Control.CANCEL, "ada"),
    Ask.FORCE: Wish(Control.CANCEL, "ada", force=True),
}


async def _answer(bodies: list[e.Body], wish: Wish) -> str:
    """The HTTP status and the event that a control gets after these events."""
    store = MemoryStore()
    run_id = await queued(store)
    if bodies:
        await store.append(run_id, bodies)
    try:
        answer = await Engine(store, MemoryBus(), {}).control(run_id, wish)
    except InvalidControl as error:
        return f"{error.http_status} `{error.code}`"
    if not answer.changed:
        return "200 unchanged"
    written = await store.read(run_id, answer.run.head - 1)
    return f"{202 if answer.accepted else 200} `{written[0].type}`"


def events() -> str:
    """Every event type with its fields."""
    parts = []
    for type_, body in e.BODIES.items():
        said = " A job may say it." if type_ in JOB_TYPES else ""
        parts += [f"### {type_}", "", f"{' '.join(summary(body).split())}{said}"]
        fields = [name for name in body.model_fields if name != "type"]
        if fields:
            rows = [(code(name), code(_type_of(body, name)), _default(body, name)) for name in fields]
            parts += ["", table(("field", "type", "default"), rows)]
        parts.append("")
    return "\n".join(parts)


def _type_of(body: type[e.Body], name: str) -> str:
    text = str(inspect.get_annotations(body)[name])
    for alias in ("Feed", "Level", "Number"):
        text = re.sub(rf"\b{alias}\b", _plain(getattr(e, alias)), text)
    for enum in (Control, Strength):
        text = re.sub(rf"\b{enum.__name__}\.(\w+)", lambda found: f'"{found[1].lower()}"', text)
        text = re.sub(rf"\b{enum.__name__}\b", " | ".join(f'"{member}"' for member in enum), text)
    return in_json(re.sub(r"Literal\[(.*?)\]", lambda found: found[1].replace(", ", " | "), text))


_JSON = {
    r"tuple\[str, \.\.\.\]": "list of strings",
    r"dict\[str, ([a-z| ]+)\]": r"object of \1",
    r"dict\[str, .*?\]": "object",
    r"\bstr\b": "string",
    r"\bint\b": "integer",
    r"\bfloat\b": "number",
    r"\bbool\b": "boolean",
    r"\bAny\b": "any value",
    r"\bNone\b": "null",
}


def in_json(annotation: str) -> str:
    """A Python annotation in JSON's words."""
    for pattern, word in _JSON.items():
        annotation = re.sub(pattern, word, annotation)
    return annotation


def _plain(alias: object) -> str:
    text = str(alias).replace("typing.", "").replace("'", '"')
    text = re.sub(r"Union\[(.*)\]$", lambda found: found[1].replace(", ", " | "), text)
    return text.replace("NoneType", "None")


def _default(body: type[e.Body], name: str) -> str:
    field = body.model_fields[name]
    if field.is_required():
        return "required"
    value: Any = field.get_default(call_default_factory=True)
    return code(to_json(value).decode())


def errors() -> str:
    """The error tree."""
    rows = [(code(e_.code), str(e_.http_status), code(e_.__name__), first_line(e_)) for e_ in error_classes()]
    return table(("code", "HTTP", "class", "means"), rows)


def job_errors() -> str:
    """The errors that a job may meet and no call answers."""
    rows = [(code(error.code), code(error.__name__), first_line(error)) for error in job_error_classes()]
    return table(("code", "class", "means"), rows)


def error_classes() -> list[type[PilothouseError]]:
    """Every error of the tree, bases first."""
    named = [each for each in vars(tree).values() if inspect.isclass(each)]
    return [each for each in named if issubclass(each, PilothouseError)]


def job_error_classes() -> list[type[PilothouseError]]:
    """Every error of model clients and kinds."""
    named = [
        each
        for module in (
            llm,
            patience,
            generation_dataset,
            generation_job,
            script_command,
            script_job,
            kind,
            synthesis_errors,
            training_errors,
        )
        for each in vars(module).values()
        if inspect.isclass(each)
    ]
    own = [each for each in named if issubclass(each, PilothouseError) and each.__module__ != tree.__name__]
    return list(dict.fromkeys(own))


def error_codes() -> set[str]:
    """Every code in the source: of a class, or given to one error in one place."""
    codes = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Assign([ast.Attribute(attr="code")], ast.Constant(str(found))):
                    codes.add(found)
                case ast.ClassDef(body=body):
                    codes |= {own for line in body if (own := _code_of(line))}
                case _:
                    pass
    return codes


def _code_of(line: ast.stmt) -> str | None:
    match line:
        case ast.Assign([ast.Name("code")], ast.Constant(str(found))):
            return found
        case _:
            return None


def settings() -> str:
    """Every setting with its variable."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = field.default
        if field.default_factory is not None:
            shown = (
                "the number of processor cores, at least 2" if name == "slots" else code(field.get_default())
            )
        else:
            shown = "–" if default in (None, (), PydanticUndefined) else code(_shown(default))
        rows.append((code(f"PILOTHOUSE_{name.upper()}"), shown, field.description or ""))
    return table(("variable", "default", "meaning"), rows)


def _shown(default: object) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)


def run_fields() -> str:
    """Every key of a run's snapshot."""
    told = section(Run, "Attributes")
    types = {name: in_json(str(type_)) for name, type_ in inspect.get_annotations(Run).items()}
    rows = [
        (code(name), TYPES.get(name) or code(types[name]), told.get(name) or FIELDS[name])
        for name in snapshot_keys()
    ]
    return table(("key", "type", "meaning"), rows)


def snapshot_keys() -> list[str]:
    """The keys that the API answers."""
    run = Run(id="r", number=1, kind="k", name="n", owner="o", params={}, created_at="", epoch="")
    return list(run.snapshot())


TYPES = {
    "status": "string",
    "request": "object or null",
    "strength": '`"hold"`, `"release"` or null',
    "progress": "object",
    "phase": "object or null",
    "failure": "object or null",
    "pending": '`"pause"`, `"cancel"` or null',
}
FIELDS = {
    "id": "`<prefix>_<unix seconds>_<8 hexadecimal digits>`; the prefix is the kind's.",
    "kind": "Name of its kind.",
    "name": "What its owner calls it; need not be unique.",
    "owner": "Who started it.",
    "params": "The validated inputs. Left out in lists and on the fleet's stream.",
    "created_at": "When it was queued. All times are ISO 8601 in UTC, with milliseconds.",
    "tags": "Words to find it by.",
    "priority": "Higher ones are started first.",
    "retry_of": "Id of the run that this one retries.",
    "status": f"One of {' '.join(code(each) for each in Status)}.",
    "progress": "`done`, `failed`, `reused` and `total` in items; `marks` and `groups` feed the estimate.",
    "phase": "`name`, `index` and `of` of the phase that began last.",
    "started_at": "When the first attempt began.",
    "ended_at": "When it ended; nothing while it is live.",
    "last_event_at": "Time of the last event.",
    "stuck": "No item, metric or phase came for longer than the kind's limit.",
    "ended_by": "The actor of the cancel.",
    "failure": "`reason`, `message`, `hint`, `where`, `exit_code`, `signal`, `tail` of a failed run.",
    "host": "Name of the host that runs it, or ran it last.",
    "artifacts": "How many files were saved.",
    "pending": "The control of `request`, in short.",
}
