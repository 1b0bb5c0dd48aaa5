# Targets for people. Both `play` and `test` set up what is missing first.
GO ?= go
BIN := bin/breakfix

.PHONY: setup build play test lint slow clean

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

clean:
	rm -rf bin
