"""Doorbells between servers."""
