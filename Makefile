# Every target sets up what it needs: system libraries, the virtual environment in .venv, a virtual display.
# The one thing that must be there already is make itself.
SHELL := /bin/bash
.NOTPARALLEL:
.DEFAULT_GOAL := help

screen := $(DISPLAY)$(WAYLAND_DISPLAY)
pictures := out/demo
bin := .venv/bin
# ARGS reaches the program behind a target: make test ARGS="-k limb", make bench ARGS=fit

help:            ## say what can be made
	@grep -E '^[a-z]+: .*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 14

run: .venv/.ready-run    ## open the studio on the sample project; without a display make its pictures
ifneq ($(screen),)
	@$(bin)/limbstudio studio
else
	@$(bin)/limbstudio demo $(pictures)
	@echo "There is no display here, so the sample project was reconstructed instead of shown."
	@echo "The pictures are in $(CURDIR)/$(pictures); start with a views.png."
endif

setup: .venv/.ready-run    ## install what `make run` needs, and stop there
	@echo "LimbStudio is set up in .venv."

test: .venv/.ready-test    ## run every test, on a virtual display
	@resources/setup/on-screen.sh $(bin)/pytest -ra $(ARGS)

loss: .venv/.ready-test    ## try in full whether a click can be lost: kills, power cuts, full disks (half an hour)
	@LIMBSTUDIO_LOSS=full resources/setup/on-screen.sh $(bin)/pytest -s -ra tests/loss tests/unit/corrections/test_sequences.py $(ARGS)

lint: .venv/.ready-test    ## check style, types and import contracts
	@$(bin)/ruff format --check .
	@$(bin)/ruff check .
	@$(bin)/lint-imports
	@$(bin)/pyright

bench: .venv/.ready-test    ## measure speed: ARGS is fit, stump, corrections, start, canvas, live, limb, project, walk or cycles
	@$(bin)/limbstudio bench $(or $(ARGS),fit)

pictures: .venv/.ready-test    ## make the README's pictures and recording anew from the window
	@resources/setup/on-screen.sh $(bin)/python resources/docs/make_pictures.py

clean:           ## remove what was made here, the virtual environment included
	rm -rf .venv out build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache

.venv/.ready-%: constraints.txt pyproject.toml resources/setup/setup.sh
	@resources/setup/setup.sh $*

.PHONY: help run setup test loss lint bench pictures clean
.SECONDARY:
