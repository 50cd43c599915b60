# All tasks of development. `make demo` and `make test` need only Python 3.11 or newer and git.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# Tests and stages start a thousand processes: compiling the program in each would double the time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test test-faults coverage lint peers plain bench bench-scale bench-pull generated lock clean

help:
	@echo "make demo        the main workflow, end to end, in a scratch clone under build/"
	@echo "make test        the tests"
	@echo "make test-faults kills, full disks, hostile files, pairs of commands: the full sweep"
	@echo "make coverage    the tests, with a report of uncovered lines"
	@echo "make lint        ruff and mypy --strict"
	@echo "make bench       measure against other tools and limits (13 minutes)"
	@echo "make bench-scale measure look-ups and leakage at a million samples (5 minutes)"
	@echo "make bench-pull  measure pulls from S3 at full size (15 minutes)"
	@echo "make generated   regenerate the generated files that are committed"
	@echo "make lock        pin the dependencies again"

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(READY)

demo: setup
	bash demo/run.sh

test: setup
	pytest -n auto -m "not faults and not sweep"

test-faults: setup
	pytest -n auto -m "faults or sweep"

coverage: setup
	pytest -n auto -m "not faults and not sweep" --cov --cov-report=term:skip-covered

lint: setup
	ruff check .
	ruff format --check .
	mypy
	mypy demo

# The tools that benchmarks compare with have an environment of their own.
peers: build/peers/.ready

build/peers/.ready: benchmarks/peers/requirements.lock
	$(PYTHON) -m venv --clear build/peers
	build/peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement benchmarks/peers/requirements.lock
	touch build/peers/.ready

# The wheel alone, without its dependencies: a look-up in the index needs none of them.
plain: setup
	rm -rf build/plain build/source
	mkdir -p build/source
	cp -r pyproject.toml README.md LICENSE src build/source
	$(PYTHON) -m venv build/plain
	$(VENV)/bin/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index --wheel-dir build/plain build/source
	build/plain/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-index build/plain/*.whl

bench: setup peers plain
	python benchmarks/run.py

bench-scale: setup peers plain
	python benchmarks/scale.py

bench-pull: setup
	python benchmarks/pull.py

generated: setup
	python -m sceneset.schemas.export schemas/json
	python -m sceneset.reporting.rules_page > docs/problems.md
	python docs/generate.py
	python docs/translate.py
	dvc repro

lock:
	uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  --universal --extra coco --extra dask --extra mat --extra s3 --extra ssh --group dev pyproject.toml --output-file requirements.lock
	uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  benchmarks/peers/requirements.in --output-file benchmarks/peers/requirements.lock

clean:
	rm -rf build dist $(VENV) .mypy_cache .pytest_cache .ruff_cache
