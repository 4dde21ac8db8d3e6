# `make run` is all a user needs; `make help` lists the rest.
# What was made is remembered by the files it leaves, so each step is redone only when something it reads has changed.

PYTHON ?= python3
PY := .venv/bin/python
# Compiling all modules of PyTorch and its companions takes longer than running the few that are used.
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --no-compile
FRONTEND_SOURCES := $(shell find frontend/src frontend/public -type f 2>/dev/null) \
	frontend/index.html frontend/vite.config.ts frontend/tsconfig.json

.DEFAULT_GOAL := help
.PHONY: help setup run dev docs lock wheel test lint lint-python lint-frontend format test-python test-faults test-frontend test-browser evaluate measure-latency measure-engines gpu-check bench-faults bench-load audit clean
.DELETE_ON_ERROR:

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- what the rest stands on ------------------------------------------------------------------------------------------

setup: .venv/.evaluation frontend/dist/index.html ## Python environment, benchmark packages and front-end build: [EXTRAS=,ldap]

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Maskwright needs Python 3.11 or newer. Name another one with: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv

# Extras that have not been installed yet make pip run again. These files need no environment, so that pip begins as soon
# as there is one, before make gives its place to the page.
.venv/.extras%:
	@mkdir -p $(@D) && touch $@

.venv/.installed: pyproject.toml requirements.lock $(EXTRAS:%=.venv/.extras%) | .venv/bin/python
	$(PIP) --constraint requirements.lock -e ".[dev$(EXTRAS)]"
	@touch $@

# davisinteractive exists as sources only, with metadata that pip cannot resolve: it is built against what stands here.
.venv/.evaluation: .venv/.installed
	$(PIP) --constraint requirements.lock -e ".[evaluation]"
	$(PIP) --no-build-isolation --no-deps davisinteractive==1.0.4
	@touch $@

frontend/node_modules/.installed: frontend/package.json frontend/package-lock.json
	@node -e 'const [a, b] = process.versions.node.split("."); process.exit(+a > 20 || (+a === 20 && +b >= 19) ? 0 : 1)' || { \
		echo "Maskwright needs Node 20.19 or newer to build its page." >&2; exit 1; }
	cd frontend && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

frontend/dist/index.html: frontend/node_modules/.installed $(FRONTEND_SOURCES)
	cd frontend && npm run --silent build
	@touch $@

# --- running ----------------------------------------------------------------------------------------------------------

run: .venv/.installed frontend/dist/index.html ## start Maskwright and print its address
	@exec $(PY) manage.py serve

dev: .venv/.installed frontend/node_modules/.installed ## the same, reloading what is edited
	@exec $(PY) manage.py serve --dev

# --- documents and versions -------------------------------------------------------------------------------------------

docs: .venv/.installed ## build the documents as web pages, in docs/_build
	.venv/bin/sphinx-build --quiet --fail-on-warning --keep-going docs docs/_build
	@echo "docs/_build/index.html"

lock: .venv/.installed ## write the newest versions that pyproject.toml allows into requirements.lock
	.venv/bin/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --upgrade --quiet \
		--no-header --no-annotate --output-file requirements.lock

# Compiled modules are left out: another process may be writing them, and `cp -R` fails if a file that it has seen is gone.
WHEELS ?= dist
wheel: frontend/dist/index.html .venv/.evaluation ## build dist/maskwright-VERSION.whl, which holds the page and the weights
	rm -rf build/wheel && mkdir -p build/wheel
	tar --exclude=__pycache__ -cf build/wheel/sources.tar pyproject.toml README.md LICENSE NOTICE maskwright webapp segmentation
	tar -xf build/wheel/sources.tar -C build/wheel && rm build/wheel/sources.tar
	cp -R frontend/dist build/wheel/webapp/page
	$(PY) -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir $(WHEELS) build/wheel
	rm -rf build/wheel
	@ls $(WHEELS)/*.whl

# --- checking ---------------------------------------------------------------------------------------------------------

# Many tests wait for processes and pages, so two kinds of checks run beside each other. GNU Make 4 prints the output of
# each when it ends. Types are checked before the Python tests, because a test checks those of copies without some engines,
# which takes a third of the time where the repository's own are known. The faults fill the time until then. In a fresh
# clone the page is checked while the Python packages are being installed.
BESIDE = $(MAKE) --no-print-directory --jobs 2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
test: ## everything that must hold (BROWSER=skip leaves the browser out)
	@$(BESIDE) lint-python lint-frontend test-frontend test-python test-faults test-browser TYPES_FIRST=1

ifdef TYPES_FIRST
test-python: | lint-python
test-browser: | test-faults
endif

lint: ## style, types, and who may import whom
	@$(MAKE) --no-print-directory --jobs 2 lint-python lint-frontend

lint-python: .venv/.evaluation
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

lint-frontend: frontend/node_modules/.installed
	cd frontend && npm run --silent lint && npm run --silent check

format: .venv/.installed frontend/node_modules/.installed ## put the style right where a program can
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .
	cd frontend && npm run --silent format

# Files of tests are shared out to processes with one thread of PyTorch each, in their order, so that long files with few
# tests do not come last. Coverage leaves out what runs in child processes. There are three processes for two processors,
# because many tests wait for servers that they start; a fourth costs more processor time than it gains. The tests in a
# browser are a run of their own, because Playwright keeps an event loop in its process; BROWSERS says how many processes
# it has, as WORKERS does for the others.
WORKERS ?= 3
BROWSERS ?= 2
test-python: .venv/.evaluation frontend/dist/index.html ## Python tests, and how much of the code they ran
	OMP_NUM_THREADS=1 .venv/bin/slipcover -m pytest tests --ignore tests/browser -n $(WORKERS) --dist loadfile --no-loadscope-reorder

# A worker and a web process are killed and messages are broken, with few tries.
test-faults: .venv/.evaluation frontend/dist/index.html
	$(PY) -m tests.faults --short
	$(PY) -m tests.load --annotators 4 --seconds 8 --idle 20

test-frontend: frontend/node_modules/.installed ## front-end unit tests
	cd frontend && npm test --silent

test-browser: .venv/.installed frontend/dist/index.html ## tests that drive the system's Chromium
ifeq ($(BROWSER),skip)
	@echo "Browser tests left out, as BROWSER=skip asks."
else
	.venv/bin/pytest tests/browser -n $(BROWSERS) --dist loadfile
endif

# --- measuring ----------------------------------------------------------------------------------------------------------

evaluate: .venv/.evaluation ## J&F of an engine under the DAVIS robot: make evaluate DATA=DIR [ENGINE=star] [OUT=report]
	@test -n "$(DATA)" || { echo "Name a folder in the DAVIS layout: make evaluate DATA=DIR" >&2; exit 2; }
	$(PY) -m segmentation.evaluation --davis-root "$(DATA)" --engine "$(or $(ENGINE),default)" --out "$(or $(OUT),report)"

measure-latency: .venv/.evaluation frontend/dist/index.html ## what a person waits for in the studio, on this machine
	@$(PY) manage.py measure_latency; first=$$?; $(PY) -m tests.latency; exit $$((first | $$?))

gpu-check: .venv/.evaluation ## all engines and training on this machine's GPU, in under 8 minutes
	@$(PY) -m tests.gpu_check

bench-faults: .venv/.evaluation frontend/dist/index.html ## kill and break things on purpose, and count what is lost: [TRIES=10]
	$(PY) -m tests.faults --tries $(or $(TRIES),10)

bench-load: .venv/.evaluation frontend/dist/index.html ## simulated annotators on one web process: [ANNOTATORS=50 SECONDS=600 IDLE=1000]
	$(PY) -m tests.load --annotators $(or $(ANNOTATORS),50) --seconds $(or $(SECONDS),600) --idle $(or $(IDLE),1000)

measure-engines: .venv/.evaluation ## seconds a frame and peak memory of the papers' networks
	$(PY) -m segmentation.evaluation.measure_engines papers

audit: .venv/.installed ## advisories about the locked packages: make audit [DATABASE=copy-of-osv] [STRICT=1] [REPORT=1]
	@$(PY) -m tests.audit_dependencies $(if $(DATABASE),--database "$(DATABASE)") $(if $(STRICT),--strict) $(if $(REPORT),--report)

clean: ## remove what `make setup` made; your data stays
	rm -rf .venv frontend/node_modules frontend/dist *.egg-info
