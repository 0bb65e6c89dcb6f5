# Seeing Convolutions: `make help` says what there is.
.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
TEXT := .venv-text
# What only reads the text takes the large environment if it is there, and never asks for it.
READING := $(if $(wildcard $(INSTALLED)),$(VENV),$(TEXT))

# Choices that the build reads from its environment; `make help` explains them.
$(foreach name,DATASET DATA_DIR DEVICE DOWNLOAD ATLAS_NETS SITE_URL REPO_URL,$(if $($(name)),$(eval export $(name))))
# Two notices about another project's plans.
export NO_MKDOCS_2_WARNING := 1
export DISABLE_MKDOCS_2_WARNING := true

.PHONY: help install site serve texts test check prose parity claims audit bench offline bundle clean

help: ## this list
	@echo "Seeing Convolutions (看见卷积). Times are for 2 cores, without the first installation."
	@echo
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16
	@echo
	@echo "  DATASET=digits          what the networks learn: digits (made here), mnist, fashion-mnist"
	@echo "  DATA_DIR=DIR            folder with MNIST/raw or FashionMNIST/raw"
	@echo "  DOWNLOAD=1              let torchvision fetch missing data files into DATA_DIR"
	@echo "  DEVICE=cpu              where to train: cpu, cuda, mps, auto"
	@echo "  ATLAS_NETS=NAME=FILE.py  networks of yours for the atlas: load() of that file returns the module"
	@echo "  TORCH_INDEX=URL         take PyTorch from that index (its CPU wheels are 20 times smaller)"
	@echo "  LANG=en                 the English site, for make serve"
	@echo "  PREBUILT=PATH-or-URL    figures of a published build, for make serve: nothing is trained or drawn"
	@echo "  PYTHON=python3          the Python that makes the virtual environment, 3.11 or newer"
	@echo "  SITE_URL=URL REPO_URL=URL   where the site will live, where its source lives"

define HAS_PYTHON
@command -v $(PYTHON) >/dev/null || { echo "make: '$(PYTHON)' not found. Install Python 3.11 or newer, or say PYTHON=/path/to/python3." >&2; exit 1; }
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $$($(PYTHON) --version) is too old; 3.11 or newer is needed. Say PYTHON=/path/to/python3.11." >&2; exit 1; }
@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "make: Python has no venv module. On Debian or Ubuntu: apt install python3-venv." >&2; exit 1; }
endef

install: $(INSTALLED) ## virtual environment with all packages, in .venv (1 to 5 minutes, 6 GB)

$(INSTALLED): pyproject.toml constraints.txt
	$(HAS_PYTHON)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	@test -z "$(TORCH_INDEX)" || $(BIN)/uv pip install --python $(BIN)/python --constraint constraints.txt --index-url "$(TORCH_INDEX)" torch torchvision
	@$(BIN)/uv pip install --compile-bytecode --python $(BIN)/python --constraint constraints.txt --editable ".[dev]"
	@touch $(INSTALLED)

# Any language of the site; LANG of the system, such as en_GB.UTF-8, names none.
SERVE = -m mkdocs serve --dirty $(if $(wildcard mkdocs.$(LANG).yml),--config-file mkdocs.$(LANG).yml)
# Also where it is empty: an unset variable is no wish to install 6 GB and train.
ifneq ($(origin PREBUILT),undefined)
# The site and the preview from the figures of another build, as long as the code that draws is the same.
READY := $(TEXT)
site: $(TEXT)/.installed
	@$(TEXT)/bin/python -m gen bundle use "$(PREBUILT)"
	@CNNVIZ_BUILD=build/prebuilt $(TEXT)/bin/python -m gen bundle site

serve: $(TEXT)/.installed
	@$(TEXT)/bin/python -m gen bundle use "$(PREBUILT)"
	@CNNVIZ_BUILD=build/prebuilt $(TEXT)/bin/python $(SERVE)
else
READY := $(VENV)
site: $(INSTALLED) ## train, render and assemble everything into site/ (3 to 4 minutes; 3 s if nothing changed)
	@$(BIN)/python -m gen site

serve: $(INSTALLED) ## live preview on http://localhost:8000 (LANG=en, PREBUILT=…); text edits show in 3 to 6 s
	@$(BIN)/python -m gen draw
	@$(BIN)/python $(SERVE)
endif

# Enough to put pages together; no PyTorch (300 MB instead of 6 GB).
$(TEXT)/.installed: pyproject.toml constraints.txt
	$(HAS_PYTHON)
	@test -x $(TEXT)/bin/python || $(PYTHON) -m venv $(TEXT)
	@$(TEXT)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	@$(TEXT)/bin/uv pip install --compile-bytecode --python $(TEXT)/bin/python --constraint constraints.txt --group text
	@touch $(TEXT)/.installed

offline: site ## the site as one zip that opens from disk by double-click: build/cnnviz-offline.zip (10 s)
	@$(READY)/bin/python -m gen offline

bundle: site ## figures and numbers of this build, for make serve PREBUILT=…: build/cnnviz-prebuilt.zip (2 s)
	@$(BIN)/python -m gen bundle pack

# What a change of text alone can break; no PyTorch needed.
TEXTS := tests/checks/test_links.py tests/checks/test_parity.py tests/checks/test_hostile_text.py \
	tests/checks/test_harmless.py tests/checks/test_directives.py tests/texts/test_glossary.py \
	tests/texts/test_course.py tests/texts/test_prose.py tests/texts/test_words.py \
	tests/publish/test_publishing.py
texts: $(READY)/.installed prose parity ## the tests of texts, on the site that is there (15 s)
	@$(READY)/bin/python -m pytest --noconftest -p no:cacheprovider $(TEXTS)

test: site ## all tests, browser tests included if Chromium is there (10 minutes)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: $(INSTALLED) ## style, types, who imports whom, prose: ruff, mypy, lint-imports, tsc, make prose (20 s)
	@command -v npm >/dev/null || { echo "make: 'npm' not found; the types of the lab's JavaScript need it. On Debian or Ubuntu: apt install nodejs npm." >&2; exit 1; }
	@$(BIN)/python -m gen prose
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-cache --no-logo
	@$(BIN)/mypy
	@cd tests/js && { test node_modules/.package-lock.json -nt package-lock.json || npm ci --silent --no-audit --no-fund; }
	@cd tests/js && npm run --silent check

prose: $(READING)/.installed ## how the text is written: typography, terms, spelling, links, typed numbers (4 s)
	@$(READING)/bin/python -m gen prose

parity: $(READING)/.installed ## what one language has and the other lacks; BASE=COMMIT to compare with another commit (1 s)
	@$(READING)/bin/python -m gen parity $(if $(BASE),--base "$(BASE)") $(if $(RECORD),--record $(filter-out all,$(RECORD)))

SEEDS ?= 1000
claims: $(INSTALLED) ## does every claim of the text hold with other seeds, too? SEEDS="1000 2000" (10 minutes each)
	@$(BIN)/python -m gen claims $(SEEDS)

audit: site ## every page in Chromium: bytes of a first visit, requests elsewhere, axe-core in four views (20 to 40 minutes)
	@$(BIN)/python -m tests.browser.audit

bench: $(INSTALLED) ## speed of rendering, training, recording and the lab beside the usual ways (4 minutes)
	@$(BIN)/python -m tests.bench

clean: ## remove models, figures and the site; keeps .venv
	@rm -rf build site site.new site.old .mypy_cache .pytest_cache .ruff_cache *.egg-info
	@find cnnviz gen tests docs -name __pycache__ -type d -prune -exec rm -rf {} +
