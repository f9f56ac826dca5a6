# Two commands do everything on a fresh machine with Python >= 3.11:  make demo  and  make test.

VENV := .venv
BIN := $(VENV)/bin
PURE := worker/core/*,worker/operator/*,worker/reader.py,worker/settings.py,worker/loop/breaker.py,worker/loop/pace.py,worker/host/give_up.py
FIND_PYTHON = $(firstword $(foreach p,python3 python3.14 python3.13 python3.12 python3.11,$(shell $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))
DEMO_PATH ?=
# One more than there are cores: some tests wait for real processes.
PROCESSES = $(shell $(BIN)/python -c 'import os; print((os.cpu_count() or 1) + 1)')
PACKER ?= packer
RECORDS := .region-records.jsonl
BENCH ?=

.PHONY: help demo test region-test region-timeline lint types cover heavy bench packer-test wheel wheelhouse lock readme pictures clean

help: ## Say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1\t/' | expand -t 24

demo: $(VENV)/.demo ## Run the whole worker on an AWS inside this machine, and verify every byte
	@$(BIN)/worker demo $(DEMO_PATH)

test: $(VENV)/.test ## Run all tests that need neither root nor Packer (about 5 minutes on two cores)
	@$(BIN)/python -m pytest -q -n $(PROCESSES) --dist loadfile

lint: $(VENV)/.dev ## Check style (ruff, all rules) and formatting
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(VENV)/.dev ## Check types (mypy, strict)
	@$(BIN)/mypy

cover: $(VENV)/.dev ## Show that the unit tests reach every line and branch of the pure modules
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -q -n $(PROCESSES) --dist loadfile tests/unit
	@$(BIN)/coverage combine -q
	@$(BIN)/coverage report --include=$(PURE) --show-missing --fail-under=100

heavy: $(VENV)/.test ## Run the long variants: every interleaving, 20,000 messages, more chaos
	@$(BIN)/python -m pytest -q -n $(PROCESSES) --dist loadgroup --heavy -m heavy

region-test: $(VENV)/.test ## As root: bake (PACKER=…), boot, break, roll and destroy a region of systemd containers
	@$(BIN)/python -m pytest --region --region-records $(RECORDS) --packer "$(PACKER)" --exitfirst tests/region

region-timeline: $(VENV)/.test ## Draw the latest region-test's time line for docs/region.md
	@$(BIN)/python tests/region/timeline.py $(RECORDS) docs/region-timeline.svg

bench: $(VENV)/.bench ## Measure the worker beside its peers, in one run (needs nginx with Lua)
	@PYTHONPATH=tests $(BIN)/python -m bench.run $(BENCH)

packer-test: $(VENV)/.test ## Have Packer (PACKER=…) look over the image's template; it says which version
	@$(BIN)/python -m pytest --packer "$(PACKER)" tests/packer

wheel: $(VENV)/.test ## Build the project's own wheel into dist/
	@$(BIN)/pip wheel -q --disable-pip-version-check --no-deps --wheel-dir dist .

wheelhouse: $(VENV)/.test ## Fetch the image's locked dependencies for this machine's Python into dist/wheelhouse/
	@$(BIN)/pip download -q --disable-pip-version-check --only-binary :all: --require-hashes -r packer/requirements.lock -d dist/wheelhouse

lock: $(VENV)/.dev ## Lock the image's dependencies anew, with their hashes (packer/requirements.lock)
	@$(BIN)/uv pip compile -q pyproject.toml --upgrade --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --output-file packer/requirements.lock

readme: $(VENV)/.test ## Write the README's transcripts and the stack file's page anew
	@PYTHONPATH=tests $(BIN)/python -m support.readme
	@PYTHONPATH=tests $(BIN)/python -m support.stack_table

pictures: $(VENV)/.test ## Draw the documentation's pictures anew, from what the commands print
	@PYTHONPATH=tests $(BIN)/python -m support.pictures

clean: ## Remove what the other targets made
	rm -rf $(VENV) $(RECORDS) dist .bench .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*

$(VENV)/.demo $(VENV)/.test $(VENV)/.dev $(VENV)/.bench: $(VENV)/.%: pyproject.toml
	@test -n "$(FIND_PYTHON)" || { echo "make: Python >= 3.11 is needed; none was found" >&2; exit 1; }
	@test -x $(BIN)/pip || $(FIND_PYTHON) -m venv $(VENV) || { \
	  echo "make: '$(FIND_PYTHON) -m venv' failed; on Debian and Ubuntu install python3-venv" >&2; exit 1; }
	@echo "installing what 'make $*' needs into $(VENV) ..." >&2
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@
