# Needs the environment of the README's test command. Slow tests: .venv/bin/python -m pytest -m slow
.PHONY: check test fix

check:
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

test:
	.venv/bin/python -m pytest

fix:
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .
