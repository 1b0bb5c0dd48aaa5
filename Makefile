# Targets for people. Both `play` and `test` set up what is missing first.
GO ?= go
BIN := bin/breakfix

.PHONY: setup build play test lint slow train engine clean

setup: ## install what is missing (Debian packages when root; uv in breakfix's own cache)
	@sh scripts/setup

build: setup
	@$(GO) build -o $(BIN) ./cmd/breakfix

play: build ## the main job: 60 episodes on the default target
	$(BIN) play --episodes 60 --group 4 --steps 24

lint:
	@test -z "$$(gofmt -l cmd internal *.go)" || { gofmt -l cmd internal *.go; echo "run gofmt -w on these"; exit 1; }
	$(GO) vet ./...

test: build lint ## everything but the slow suites
	$(GO) test -timeout 18m ./...

slow: build ## suites that take minutes
	BREAKFIX_SLOW=1 $(GO) test -timeout 60m ./...

# The weights that come with breakfix: damaged functions of permissively licensed packages. Four to six
# minutes on two idle cores; they follow from the seed and the number of workers.
TAUGHT := pypi:toolz==1.2.0 pypi:boltons==26.2.0 pypi:algorithms==0.1.4 pypi:more-itertools==10.7.0 pypi:sqlparse==0.6.1 pypi:tinydb==4.9.0 pypi:marshmallow==4.4.0 pypi:jinja2==3.1.6 pypi:networkx==3.4.2
TRAINED := bin/fixer.safetensors

train: build ## make the weights that come with breakfix again
	rm -f $(TRAINED)
	$(BIN) train $(TAUGHT) --examples 12000 --seed 1 --workers 2 -o $(TRAINED)
	gzip -9 -n < $(TRAINED) > internal/policy/builtin/weights/fixer.safetensors.gz

ENGINE ?= 0.4.0
PORT ?= 8000

engine: setup ## a training server on this CPU: SkyRL from PyPI with a tiny random model (MODEL=smollm2 or a folder for another)
	@sh scripts/engine/start $(ENGINE) "$(MODEL)" $(PORT)

clean:
	rm -rf bin
