"""Contract suites for people who write a plug."""
