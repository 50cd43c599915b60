# All tasks of development. `make demo` and `make test` need only Python 3.11 or newer and git.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# Tests and stages start a thousand processes: compiling the program in each would double the time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test test-browser test-faults test-interop coverage lint peers interop plain bench bench-scale bench-pull bench-evaluate bench-formats bench-site bench-training generated pictures lock clean

help:
	@echo "make demo        the main workflow, end to end, in a scratch clone under build/"
	@echo "make test        the tests"
	@echo "make test-browser  all pages in a real browser (needs chromium)"
	@echo "make test-faults kills, full disks, hostile files, pairs of commands: the full sweep"
	@echo "make test-interop exports and deliveries against other libraries (installs 3 GB)"
	@echo "make coverage    the tests, with a report of uncovered lines"
	@echo "make lint        ruff and mypy --strict"
	@echo "make bench       measure against other tools and limits (15 minutes)"
	@echo "make bench-scale measure look-ups and leakage at a million samples (5 minutes)"
	@echo "make bench-pull  measure pulls from S3 at full size (15 minutes)"
	@echo "make bench-formats  measure deliveries in COCO and exports (15 minutes)"
	@echo "make bench-evaluate  measure evaluations of 5,000 predictions (10 minutes)"
	@echo "make bench-site  measure the catalogue of 100,000 samples (15 minutes)"
	@echo "make bench-training measure PyTorch reading from S3 and from disk (10 minutes)"
	@echo "make docs        the documentation as a site, in build/docs"
	@echo "make bench-serve measure the live catalogue at a million samples (10 minutes)"
	@echo "make generated   regenerate the generated files that are committed"
	@echo "make pictures    draw the pictures of the README again (needs chromium)"
	@echo "make lock        pin the dependencies again"

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes --requirement requirements.lock
	$(VENV)/bin/python -m compileall -qq -j 0 $(VENV)/lib || true  # pip would use one core
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(READY)

demo: setup
	bash demo/run.sh

test: setup
	pytest -n auto -m "not browser and not faults and not sweep and not interop"

test-browser: setup
	pytest -n auto --dist loadfile -rs -m browser

test-faults: export SCENESET_MOMENTS ?= 6
# How often files are damaged: 10 is 1,000 mutations of each text file of a registry.
test-faults: export SCENESET_FUZZ ?= 10
test-faults: setup
	pytest -n auto -m "faults or sweep"

test-interop: setup interop
	pytest -n auto -m interop tests/interop

coverage: setup
	pytest -n auto -m "not browser and not faults and not sweep and not interop" --cov --cov-report=term:skip-covered

lint: setup
	ruff check .
	ruff format --check .
	mypy
	mypy demo
	mypy examples

# The tools that benchmarks compare with have an environment of their own.
peers: build/peers/.ready

build/peers/.ready: benchmarks/peers/requirements.lock
	$(PYTHON) -m venv --clear build/peers
	build/peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement benchmarks/peers/requirements.lock
	touch build/peers/.ready

# The libraries that read exports and write deliveries in tests/interop. PyTorch is a CPU build: where
# pip does not find it, set PIP_EXTRA_INDEX_URL to PyTorch's index of CPU builds. The locks leave out
# opencv-python (opencv-python-headless is the same module), hence --no-deps.
INTEROP_INSTALL := -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps
interop: $(addsuffix /.ready,build/interop build/interop-datumaro build/interop/fiftyone build/interop/embedding-atlas)

build/interop/.ready: $(addprefix tests/interop/requirements,.lock -labelme.lock -mmseg0.lock)
	$(PYTHON) -m venv --clear build/interop
	build/interop/bin/python $(INTEROP_INSTALL) --requirement tests/interop/requirements.lock
	build/interop/bin/python $(INTEROP_INSTALL) --requirement tests/interop/requirements-labelme.lock
	build/interop/bin/python $(INTEROP_INSTALL) --no-build-isolation --target build/interop/mmseg0 \
	  --requirement tests/interop/requirements-mmseg0.lock
	touch build/interop/.ready

# Folders beside the packages of build/interop, for tests that need them.
build/interop/%/.ready: tests/interop/requirements-%.lock build/interop/.ready
	rm -rf $(@D)
	build/interop/bin/python $(INTEROP_INSTALL) --target $(@D) --requirement $<
	touch $@

build/interop-datumaro/.ready: tests/interop/requirements-datumaro.lock
	$(PYTHON) -m venv --clear build/interop-datumaro
	build/interop-datumaro/bin/python $(INTEROP_INSTALL) --requirement tests/interop/requirements-datumaro.lock
	touch build/interop-datumaro/.ready

# The wheel alone, without its dependencies: a look-up in the index needs none of them.
plain: setup
	rm -rf build/plain build/source
	mkdir -p build/source
	cp -r pyproject.toml README.md LICENSE src build/source
	$(PYTHON) -m venv build/plain
	$(VENV)/bin/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index --wheel-dir build/plain build/source
	build/plain/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-index build/plain/*.whl

bench: setup peers plain interop
	python benchmarks/run.py

bench-scale: setup peers plain
	python benchmarks/scale.py

bench-pull: setup
	python benchmarks/pull.py

bench-formats: setup
	python benchmarks/formats.py

bench-evaluate: setup interop
	python benchmarks/evaluation.py

bench-site: setup
	python benchmarks/catalogue.py

bench-training: setup interop
	python benchmarks/training.py

# Two languages, with search, for a web server or a disk. A warning is an error.
docs: setup
	python docs/website/build.py build/docs

bench-serve: setup
	python benchmarks/serve.py

generated: setup
	python -m sceneset.schemas.export schemas/json
	python -m sceneset.reporting.rules_page > docs/problems.md
	python docs/generate.py
	python docs/translate.py
	dvc repro

# The pictures of the README; they differ between machines with other fonts. Needs chromium.
pictures: setup
	PYTHONPATH=tests python docs/pictures.py

lock:
	uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  --universal --extra coco --extra dask --extra mat --extra onnx --extra s3 --extra serve --extra sql --extra ssh --group dev pyproject.toml --output-file requirements.lock
	uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  benchmarks/peers/requirements.in --output-file benchmarks/peers/requirements.lock
	cd tests/interop && for name in "" -datumaro -embedding-atlas -fiftyone -labelme -mmseg0; do \
	  case "$$name" in "") more="--no-emit-package opencv-python $(addprefix --find-links ,$(PIP_FIND_LINKS))";; \
	    -datumaro) more="";; *) more=--no-deps;; esac; \
	  uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	    $$more requirements$$name.in --output-file requirements$$name.lock || exit 1; done

clean:
	rm -rf build dist $(VENV) .mypy_cache .pytest_cache .ruff_cache
