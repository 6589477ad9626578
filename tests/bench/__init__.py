"""Benchmarks: run with `make bench` or `python -m tests.bench [NAME…]`. They print figures and assert nothing."""
