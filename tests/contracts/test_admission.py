"""What is kept of a run beside its log stays small."""

from __future__ import annotations

from pilothouse.model import event as e
from pilothouse.stores.admission import MAX_WRITERS, Batch, Entry, admit, begin
from pilothouse.testing.samples import a_note, a_run


def test_a_run_keeps_the_numbers_of_its_job_and_of_those_that_wrote_last() -> None:
    entry = Entry(begin(a_run("r1"), 1, "epoch").run)
    bodies = [e.RunStarted(attempt=1)]
    entry = admit(entry, Batch("r1", bodies), set(), lambda: 0.0).entry(15.0)
    writers = ["job", *(f"rank-{rank}" for rank in range(70)), "rank-6", "rank-70"]

    for number, writer in enumerate(writers, 1):
        batch = Batch("r1", [a_note()], attempt=1, client_seq=number, writer=writer)
        entry = admit(entry, batch, set(), lambda: 0.0).entry(15.0)

    assert len(entry.acked) == 1 + MAX_WRITERS
    assert {"job", "rank-6", "rank-70"} <= entry.acked.keys()
    assert "rank-7" not in entry.acked
