# `make` prints what there is. Everything runs in .venv, which the first call makes.

PROFILE ?= quick
PORT ?= 8000
TEST_JOBS ?= auto
# The first Python that is new enough, unless one is named: make book PYTHON=python3.12
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)

BIN := .venv/bin
INSTALLED := .venv/.installed
BOOK_OPTIONS = --profile "$(PROFILE)" --chapters "$(CHAPTERS)" \
	$(if $(JOBS),--jobs "$(JOBS)") $(if $(FORCE),--force) $(if $(TRAIN),--train) \
	$(if $(CELL_TIMEOUT),--cell-timeout "$(CELL_TIMEOUT)")
# The rival of `make bench`; nothing else needs it.
TORCHDISTILL := torchdistill==1.1.5
PIP_OPTIONS = --disable-pip-version-check --quiet $(if $(TORCH_INDEX_URL),--extra-index-url "$(TORCH_INDEX_URL)")

# kdlib makes a relative KDLIB_STORE absolute before kernels start in the folders of the chapters.
LAB := import kdlib; from jupyterlab.labapp import main; main()

.DEFAULT_GOAL := help
.PHONY: help install book record evidence workshop serve lab test test-colab bench lint format clean

help:  ## Print this list
	@awk -F':.*  ## ' '/^[a-z-]+:.*  ## / { printf "  make %-10s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED)  ## Make .venv and install everything (TORCH_INDEX_URL=... picks a build of torch)

$(INSTALLED): requirements.txt pyproject.toml
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(MAKE) --no-print-directory .venv-fresh
	@echo "Installing into .venv; the first time takes minutes"
	@$(BIN)/python -m pip install $(PIP_OPTIONS) --no-compile -r requirements.txt
	@$(BIN)/python -m pip install $(PIP_OPTIONS) --no-deps --editable .
	@touch $@

.PHONY: .venv-fresh
.venv-fresh:
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer found: install one, or name it with PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'pass' || { echo "PYTHON=$(PYTHON) does not run: name another, e.g. PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "PYTHON=$(PYTHON) is $$($(PYTHON) -V 2>&1): 3.11 or newer is needed, e.g. PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv: on Debian or Ubuntu run 'apt install python3-venv'"; exit 1; }
	@$(PYTHON) -m venv --clear .venv

book: $(INSTALLED)  ## Run the chapters, build the pages (PROFILE=quick|standard|paper CHAPTERS="..." JOBS=2 TRAIN=1 FORCE=1 CELL_TIMEOUT=900)
	@$(BIN)/kdlib book build $(BOOK_OPTIONS)

record: $(INSTALLED)  ## Make the records below book/results again (PROFILE=quick|standard|paper JOBS=2)
	@$(BIN)/kdlib study record --again --profile "$(PROFILE)" $(if $(JOBS),--jobs "$(JOBS)")
	@$(if $(filter quick,$(PROFILE)),$(BIN)/kdlib book shelve)

evidence: $(INSTALLED)  ## Train what book/results/plan.md plans, on CIFAR, and record it (BLOCKS="b c" PLAN=1)
	@KDLIB_STEP=$${KDLIB_STEP-fused} $(BIN)/kdlib evidence $(addprefix --only ,$(BLOCKS)) $(if $(PLAN),--plan)

workshop: $(INSTALLED)  ## Write notebooks, slides and plans of a workshop into _build/workshop
	@$(BIN)/kdlib workshop $(if $(CELL_TIMEOUT),--cell-timeout "$(CELL_TIMEOUT)")

serve: $(INSTALLED)  ## Serve the built pages on this machine only (PORT=8000)
	@$(BIN)/kdlib book serve --port "$(PORT)"

.PHONY: pdf
pdf: $(INSTALLED)  ## Print the built pages into one file, _build/book.pdf, with Chromium (PAGES="intro ...")
	@$(BIN)/kdlib book pdf --pages "$(PAGES)"

lab: $(INSTALLED)  ## Open the chapters in JupyterLab, on this machine only, with a token
	@$(BIN)/python -c "$(LAB)" --ip=127.0.0.1 $(if $(filter 0,$(shell id -u)),--allow-root) --notebook-dir=book

test: $(INSTALLED)  ## Run all tests: units, chapters, pages in Chromium (ARGS="-m 'not slow'")
	@$(BIN)/python -m pytest --numprocesses $(TEST_JOBS) --no-loadscope-reorder $(ARGS)

# Of KDLIB_STORE the tests make a store of their own; here the given one is read.
test-colab: $(INSTALLED)  ## Run the chapters with Colab's versions and the newest (CHAPTERS="..." MACHINES="colab newest")
	@KDLIB_COLAB=.venv-colab KDLIB_COLAB_STORE="$(KDLIB_STORE)" KDLIB_COLAB_CHAPTERS="$(CHAPTERS)" \
		KDLIB_COLAB_MACHINES="$(MACHINES)" $(BIN)/python -m pytest tests/kdbook/press/test_colab.py $(ARGS)

bench: $(INSTALLED)  ## Measure trainings and the book against other loops, into benchmarks/RESULTS.md
	@$(BIN)/python -m pip install $(PIP_OPTIONS) --no-deps $(TORCHDISTILL)
	@$(BIN)/python benchmarks/measure_gpu.py
	@$(BIN)/python benchmarks/measure_training.py
	@$(BIN)/python benchmarks/measure_robust_cost.py
	@$(BIN)/python benchmarks/measure_cluster.py
	@$(BIN)/python benchmarks/measure_book.py

lint: $(INSTALLED)  ## Check style, layout and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(INSTALLED)  ## Lay out the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean:  ## Remove what was built (not .venv, nor trained models)
	@rm -rf _build .pytest_cache .mypy_cache .ruff_cache .hypothesis
