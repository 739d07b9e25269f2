"""Who is told elsewhere: set by variables, tried out by a call, and told by the server itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import ValidationError

from pilothouse.errors import Invalid
from pilothouse.model import event as e
from pilothouse.settings import Settings
from pilothouse.web.serve import read_settings
from tests.notifiers.mail_server import mail_server
from tests.web.clients import a_job, until
from tests.web.serving import Running, running

MAIL: dict[str, Any] = {"mail_from": "pilot@lab.example", "mail_to": "ann@lab.example, ben@lab.example"}


@pytest.mark.rows("S1.92")
def test_a_server_mails_the_end_of_a_run_and_a_test(tmp_path: Path) -> None:
    with mail_server() as mail:
        mail.password = "secret"
        settings = MAIL | {"smtp": mail.url, "smtp_password": "secret", "notify_after_seconds": 0}
        with running(tmp_path / "data", **settings) as server, server.client() as api:
            shown = api.get("/api/notifications").json()
            tried = api.post("/api/notifications/test").json()
            job = a_job(server)
            job.say(e.Metric(step=1, values={"sum": 1234}), e.RunCompleted())
            until(server, lambda: len(mail.letters) == 2)

    assert shown == {
        "channels": [{"name": "e-mail", "address": "ann@lab.example, ben@lab.example"}],
        "statuses": ["completed", "failed"],
        "seconds": 0.0,
    }
    assert tried == {"results": [{"name": "e-mail", "ok": True, "error": None, "hint": None}]}
    assert "This is a test." in mail.letters[0]
    assert "Sum: 1,234" in mail.letters[1]
    assert f"/runs/{job.id}" in mail.letters[1]


def test_without_settings_nobody_is_told_and_a_test_says_what_to_set(
    server: Running, api: httpx2.Client
) -> None:
    shown = api.get("/api/notifications").json()["channels"]
    refused = api.post("/api/notifications/test")

    assert shown == []
    assert refused.status_code == 409
    assert "PILOTHOUSE_SMTP or PILOTHOUSE_WEBHOOK" in refused.json()["error"]["hint"]


@pytest.mark.rows("S1.92")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"smtp": "mail.example"}, "name a mail server such as smtp://user@mail.example:587"),
        ({"smtp": "smtp://ann:hunter2@mail.example"}, "PILOTHOUSE_SMTP_PASSWORD"),
        ({"smtp": "smtp://mail.example:port"}, "name a mail server"),
        ({"smtp": "smtp://mail.example", "mail_to": ()}, "PILOTHOUSE_MAIL_FROM and PILOTHOUSE_MAIL_TO"),
        ({"mail_to": "ann"}, "'ann' is no mail address"),
        ({"mail_from": "pilot@lab\nBcc: eve@x.example"}, "is no mail address"),
        ({}, "needs PILOTHOUSE_SMTP as well"),
        ({"smtp": "smtp://mail.example", "webhook": "chat.example"}, "name an address such as https://"),
        ({"smtp": "smtp://mail.example", "notify_on": "ended"}, "'completed', 'failed' or 'cancelled'"),
    ],
)
def test_a_bad_setting_says_what_to_write_and_shows_no_secret(changes: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(MAIL | changes)

    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_server_that_cannot_read_its_settings_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTHOUSE_SMTP", "mail.example")
    monkeypatch.setenv("PILOTHOUSE_SLOTS", "0")

    with pytest.raises(Invalid) as caught:
        read_settings()

    first, second = caught.value.message.splitlines()
    assert first.startswith("PILOTHOUSE_SLOTS: ")
    assert second == "PILOTHOUSE_SMTP: name a mail server such as smtp://user@mail.example:587"


def test_secrets_come_by_the_environment_and_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "SMTP": "smtps://ann@mail.example",
        "SMTP_PASSWORD": "hunter2",
        "MAIL_FROM": "pilot@lab.example",
        "MAIL_TO": "ann@lab.example",
        "WEBHOOK": "https://chat.example/in",
        "WEBHOOK_SECRET": "hunter3",
        "NOTIFY_ON": "failed,cancelled",
    }.items():
        monkeypatch.setenv(f"PILOTHOUSE_{name}", value)

    settings = Settings()

    assert settings.notify_on == ("failed", "cancelled")
    assert settings.smtp_password and settings.smtp_password.get_secret_value() == "hunter2"
    assert "hunter" not in repr(settings)
