# make help lists the targets; each needs nothing but Python 3.11+ and make.
PYTHON ?= python3
BIN := .venv/bin
export OMP_NUM_THREADS ?= 1
export NO_MKDOCS_2_WARNING := 1
# Tests start many processes: with bytecode kept, they compile the packages once. Some wait for a browser or a command,
# so there is one process more than cores.
PROCESSES ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help install demo test coverage check docs site format bench fuzz tutorials gallery dist clean

help:
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: .venv/.installed  ## make .venv with everything in it

.venv/.installed: pyproject.toml setup.py constraints.txt $(wildcard bimt_train/native/*.[ch])
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: install  ## train 16 seeds of the independence task, analyse the best, say where the report lies
	$(BIN)/bimt-train independence --seeds 16 --out runs/independence
	$(BIN)/bimt-analyze runs/independence --html runs/independence/report.html

test: check docs  ## all checks, the docs and all tests, in one process more than cores
	BIMT_SITE=build/site $(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist worksteal

coverage: install  ## which lines no test runs; takes twice as long as the tests
	$(BIN)/python -m pytest --numprocesses auto --cov --cov-report=term:skip-covered

check: install  ## format, lint, types and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: install  ## build the site with the API reference into build/site; a warning is an error
	$(BIN)/mkdocs build --strict --quiet

site: install  ## check every page of the site and of reports in a browser with axe, where the tests check some
	BIMT_WHOLE_SITE=1 $(BIN)/python -m pytest -o faulthandler_timeout=900 tests/docs/test_site.py tests/docs/test_site_in_a_browser.py
	BIMT_WHOLE_SITE=1 $(BIN)/python -m pytest -o faulthandler_timeout=900 tests/report/page/test_kinds_in_a_browser.py

format: install  ## put the code into the one format
	$(BIN)/ruff check --fix-only --exit-zero .
	$(BIN)/ruff format .

bench: install  ## measure everything that benchmarks/RESULTS.md states
	$(BIN)/python -m benchmarks.run_all

fuzz: install  ## change files, tables and formulas at random, 30,000 times, and look for a traceback
	$(BIN)/python -m benchmarks.start.fuzz

tutorials: install  ## run the notebooks of docs/tutorials anew, and keep what they show
	$(BIN)/python -m nbconvert --to notebook --execute --inplace --ExecutePreprocessor.record_timing=False docs/tutorials/*.ipynb

gallery: install  ## make the pictures of the README and the docs anew; MNIST=FOLDER for those of digits
	$(BIN)/python examples/gallery.py $(if $(MNIST),--mnist $(MNIST))

dist: build/dist-tools/bin/twine  ## build wheel and sdist into build/dist, and check what they hold
	rm -rf build/dist build/lib* build/bdist* *.egg-info
	build/dist-tools/bin/python -m build --outdir build/dist .
	build/dist-tools/bin/twine check --strict build/dist/*
	build/dist-tools/bin/check-wheel-contents build/dist/*.whl

build/dist-tools/bin/twine:
	$(PYTHON) -m venv build/dist-tools
	build/dist-tools/bin/python -m pip install --quiet --disable-pip-version-check build check-wheel-contents twine

clean:  ## remove what the other targets made
	rm -rf .venv build *.egg-info bimt_train/native/*.so .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .import_linter_cache
