# Everything a person or a machine does here. `make demo` and `make test` need Python 3.11 and git.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: help setup demo test lint peers plain bench bench-scale bench-pull generated lock clean

help:
	@echo "make demo        the main job, end to end, in a scratch clone under build/"
	@echo "make test        all tests"
	@echo "make lint        ruff and mypy --strict"
	@echo "make bench       measure against peers and limits (13 minutes)"
	@echo "make bench-scale measure look-ups and leakage at a million samples (5 minutes)"
	@echo "make bench-pull  measure pulls from S3 at full size (15 minutes)"
	@echo "make generated   regenerate what is generated and stands in git"
	@echo "make lock        pin the dependencies again (needs uv)"

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
	pytest -n auto

lint: setup
	ruff check .
	ruff format --check .
	mypy
	mypy demo

# What ours is measured against has its own environment: nothing of it is needed otherwise.
peers: build/peers/.ready

build/peers/.ready: benchmarks/peers/requirements.lock
	$(PYTHON) -m venv --clear build/peers
	build/peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement benchmarks/peers/requirements.lock
	touch build/peers/.ready

# Installed as people do, and without the libraries: a look-up in an index needs none of them.
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
	dvc repro

lock:
	uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  --extra s3 --extra ssh --extra dask --group dev pyproject.toml --output-file requirements.lock
	uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  benchmarks/peers/requirements.in --output-file benchmarks/peers/requirements.lock

clean:
	rm -rf build dist $(VENV) .mypy_cache .pytest_cache .ruff_cache
