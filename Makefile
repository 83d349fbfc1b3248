# The two commands are `make run` and `make test`; `make help` lists the rest.
# Another interpreter: make run PYTHON=/path/to/python3.12 · arguments for pytest or the benchmarks: make test ARGS="-k sla"

PYTHON ?=
ARGS ?=
SETUP = @PYTHON="$(PYTHON)" sh scripts/setup.sh

.DEFAULT_GOAL := help
.PHONY: help run setup setup-dev test lint format bench bench-peers requirements settings-page docs messages screenshots clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

run: ## set up what is missing, then run everything on this machine until Ctrl-C
	$(SETUP)
	@exec .venv/bin/odontoflow up $(ARGS)

setup: ## only the first half of `make run`: packages, front end, system libraries
	$(SETUP)

setup-dev: ## the same with everything that the tests need
	$(SETUP) --dev

test: ## every check and every test, browser and MariaDB included
	$(SETUP) --dev
	@exec .venv/bin/python scripts/checks.py test $(ARGS)

lint: ## every check except the tests
	$(SETUP) --dev
	@exec .venv/bin/python scripts/checks.py lint

format: ## lay out the Python code
	@.venv/bin/ruff check --fix -q . ; .venv/bin/ruff format -q .

bench: ## the benchmarks of docs/performance.md
	$(SETUP) --dev
	@exec .venv/bin/python -m bench $(ARGS)

bench-peers: ## install what P8 is compared with: a pinned @tus/server below bench/
	$(SETUP) --dev
	@cd bench/peers/tus_server && exec ../../../.venv/bin/npm ci --ignore-scripts --omit=optional

requirements: ## write requirements/*.txt anew from pyproject.toml (ARGS=--upgrade takes new versions)
	$(SETUP) --dev
	@exec .venv/bin/python scripts/lock.py $(ARGS)

settings-page: ## write docs/settings.md anew from infra/settings.py
	$(SETUP) --dev
	@exec .venv/bin/python -m scripts.settings_page

docs: ## write the generated part of docs/architecture.md anew from schemas/lifecycle.py
	$(SETUP) --dev
	@exec .venv/bin/python -m scripts.lifecycle_page

messages: ## gather the texts for translators in infra/locale/odontoflow.pot
	$(SETUP) --dev
	@exec .venv/bin/python -m scripts.messages

screenshots: ## take docs/screenshots anew from a running system (`make run` in another terminal)
	$(SETUP) --dev
	@exec .venv/bin/python -m scripts.screenshots $(ARGS)

clean: ## remove build results and caches; your data in var/ and the packages in .venv/ stay
	@rm -rf ui/static/build build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -not -path './.venv/*' -not -path './ui/islands/node_modules/*' -prune -exec rm -rf {} +
