"""What Pilothouse costs, measured: `python -m benchmarks`. The figures are in docs/benchmarks.md."""
