# Python 3.11 or newer is all that is needed; PORT and BROKEROS_HOME may be set for a second installation.
PYTHON ?= python3
PORT ?= 8000
WORKERS ?= 2
BIN := .venv/bin
export PORT

.PHONY: help install dev demo demo-reset demo-memory test lint format types layers migrations schema lock

help: ## What can be done
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

install: ## The virtual environment, from the hashed lock
	@$(PYTHON) brokeros/bootstrap.py

dev: ## The same with everything that tests and checks need
	@$(PYTHON) brokeros/bootstrap.py dev

demo: install ## A whole brokerage on this machine; Ctrl-C ends it, its data is kept
	@$(BIN)/python -m brokeros.demo

demo-reset: install ## The same from an empty database
	@$(BIN)/python -m brokeros.demo --reset

demo-memory: ## Memory of a running demo, process by process
	@$(BIN)/python -m brokeros.memory

test: dev ## Every test, on two workers
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup

lint: dev ## Style and complexity
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: dev ## Put the code into the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: dev ## Static types
	$(BIN)/mypy

layers: dev ## Who may import whom
	$(BIN)/lint-imports

migrations: dev ## Models and migrations agree
	$(BIN)/python manage.py makemigrations --check --dry-run --settings brokeros.settings.test

schema: dev ## Write the API's OpenAPI document
	$(BIN)/python manage.py spectacular --settings brokeros.settings.test --file openapi.yaml --validate

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate

lock: dev ## Compile requirements*.in to the hashed locks (UPGRADE=--upgrade for newer versions)
	$(BIN)/$(LOCK) $(UPGRADE) requirements.in -o requirements.lock
	$(BIN)/$(LOCK) $(UPGRADE) requirements-dev.in -o requirements-dev.lock
