"""Kinds that only chaos needs."""

from __future__ import annotations

from dataclasses import replace

from tests.jobs.counting import KIND

# Counts on however often it is killed, and at once.
TIRELESS = replace(KIND, name="tireless", prefix="tire", max_attempts=10_000, backoff_seconds=0.0)
