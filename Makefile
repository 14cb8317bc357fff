# The two commands are `make demo` and `make test`; each sets up all that it needs. `make demo KEEP=1` stays up.
# uv is taken from the machine, or brought into .tools by pip. Tests run in WORKERS processes; most of them wait,
# but for the quick ones, which run in one process for each core.

PYTHON ?= python3
WORKERS ?= 6
TOOLS := $(if $(shell command -v uv 2>/dev/null),,.tools/bin/uv)
UV := $(or $(TOOLS),uv)
RUN := $(UV) run --frozen --all-extras

# Images of Python often set it: each of the hundreds of processes of a run would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-quick check fmt bench schemas docs clean

demo: $(TOOLS)
	$(RUN) lapstream demo $(if $(KEEP),--keep)

test: $(TOOLS)
	$(RUN) pytest -n $(WORKERS)

test-quick: $(TOOLS)
	$(RUN) pytest -n logical -m 'not slow' tests/unit

check: $(TOOLS)
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) pyright
	$(RUN) lint-imports
	$(RUN) squawk migrations/sql/*.sql
	$(RUN) lapstream schemas --check

fmt: $(TOOLS)
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

bench: $(TOOLS)
	$(RUN) python -m bench.pages
	$(RUN) python -m bench.projection
	$(RUN) python -m bench.relay
	$(RUN) python -m bench.imports
	$(RUN) python -m bench.rebuild
	$(RUN) python -m bench.sizes
	$(RUN) python -m bench.watched

schemas: $(TOOLS)
	$(RUN) lapstream schemas

docs: $(TOOLS)
	$(RUN) python -m tests.docs

.tools/bin/uv:
	$(PYTHON) -m venv .tools
	.tools/bin/pip install --quiet 'uv>=0.8'

clean:
	rm -rf .venv .tools .lapstream
