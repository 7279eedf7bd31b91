# What a person does with SongNet: `make` alone lists it. Every target first sets up .venv from
# requirements.lock, once; a later run finds it ready.

# The Python that .venv is made with; unset, the first fitting one on PATH: make course PYTHON=…
PYTHON ?=
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo lab course site test lint format gaps floors bench soak records costs
.PHONY: lock clean chromium networks page readme scale FORCE

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | \
		while IFS='|' read -r name what; do printf '%-16s%s\n' "$$name" "$$what"; done

demo: $(READY) ## open the listening page: songs, and your microphone, in your browser
	@$(BIN)/songnet app

lab: $(READY) ## open JupyterLab at the first notebook
	@$(BIN)/jupyter lab $(firstword $(sort $(wildcard notebooks/*.ipynb)))

course: $(READY) ## make the music, run every notebook, build the site
	@$(BIN)/songnet course

site: $(READY) ## build the site, and run only the notebooks that changed
	@$(BIN)/songnet site

test: lint chromium ## check style, types and floors, then run the tests
	@$(BIN)/python -m pytest -n auto --no-loadscope-reorder

lint: $(READY) ## check style, types and floors only
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: $(READY) ## put the code into the project's style
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

gaps: $(READY) ## make the lessons with gaps from those with solutions
	@$(BIN)/python scripts/gaps.py

floors: $(READY) ## draw which module imports which, floor by floor
	@$(BIN)/python scripts/floors.py

bench: chromium ## measure and print what things cost on this machine
	@$(BIN)/python scripts/bench.py
	@$(BIN)/python scripts/bench_streaming.py
	@$(BIN)/python scripts/bench_classify.py
	@$(BIN)/python scripts/bench_page.py
	@$(BIN)/python scripts/bench_lab.py
	@$(BIN)/python scripts/bench_not_music.py

scale: $(READY) ## show that time and memory grow linearly to 8,000 clips: hours, 8 GB of disk
	@$(BIN)/python scripts/scale.py $(SIZES)

soak: chromium ## fetch from a server that fails at random, click at random for ten minutes
	@$(BIN)/python scripts/soak.py

records: $(READY) ## make the long experiments that lessons quote: hours (NAME=… CORPUS=… for one)
	@$(BIN)/python scripts/records.py $(NAME) $(if $(CORPUS),--corpus "$(CORPUS)")

networks: $(READY) ## train and write the two networks that come with the listening page
	@$(BIN)/python scripts/networks.py

readme: chromium ## put results and pictures into README (needs a run on mini)
	@$(BIN)/python scripts/readme.py

page: $(READY) ## build the listening page from its JavaScript (asks npm for its packages)
	@$(BIN)/python scripts/build_page.py

costs: $(READY) ## measure what each lesson costs, on a machine that does nothing else
	@$(BIN)/python scripts/costs.py

lock: $(READY) ## choose the newest versions that pyproject.toml allows, for every platform
	@sh scripts/lock

setup: $(READY) ## only set up .venv

clean: ## remove .venv, caches and pages; data/ stays
	rm -rf .venv build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	rm -rf songnet_utils.egg-info
	find songnet_utils tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +

# What the browser tests need from the system.
chromium: $(READY)
	@sh scripts/find-chromium

$(READY): requirements.lock pyproject.toml scripts/set-up
	@sh scripts/set-up "$(CURDIR)" "$(PYTHON)"

# A virtual environment cannot be moved: its stamp holds the folder that it was made in. Where a
# Python is asked for, see whether it is the one.
ifneq ($(shell cat $(READY) 2>/dev/null)$(PYTHON),$(CURDIR))
$(READY): FORCE
endif
FORCE:
