package llm

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"breakfix/internal/engine"
)

// state is where learning stands.
type state struct {
	Updates int    `json:"updates"`
	Version string `json:"version"`
	Model   string `json:"model"`
	Saved   string `json:"saved,omitempty"` // the server's name of the checkpoint
}

// Save keeps the current version at the server, under a name that no other
// process chooses, and writes to dir where it is.
func (p *Policy) Save(ctx context.Context, dir string) error {
	t, ok := p.sampler.(engine.Trainer)
	if !ok {
		return ErrFrozen
	}
	p.mu.Lock()
	s := p.state
	p.mu.Unlock()
	s.Version, s.Model = t.Version(), t.Model()
	// A version that was saved by a sitting that was cut off is made again, and
	// servers refuse a name that is taken.
	name := fmt.Sprintf("%s-%s", s.Version, strconv.FormatInt(time.Now().UnixNano(), 36))
	saved, err := t.Save(ctx, name)
	if err != nil {
		return fmt.Errorf("save version %s: %w", s.Version, err)
	}
	s.Saved = saved
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, checkpointFile), append(b, '\n'), 0o644)
}

// Restore goes to a version that Save wrote: weights and optimiser are loaded
// at the server, and played with.
func (p *Policy) Restore(ctx context.Context, dir string) error {
	t, ok := p.sampler.(engine.Trainer)
	if !ok {
		return ErrFrozen
	}
	b, err := os.ReadFile(filepath.Join(dir, checkpointFile))
	if err != nil {
		return fmt.Errorf("read the version: %w", err)
	}
	var s state
	if err := json.Unmarshal(b, &s); err != nil || s.Saved == "" {
		return fmt.Errorf("%s is no version of a model", dir)
	}
	if s.Model != t.Model() {
		return fmt.Errorf("the version is of model %s, and the server has %s", s.Model, t.Model())
	}
	if err := t.Load(ctx, s.Saved); err != nil {
		return fmt.Errorf("load version %s: %w", s.Version, err)
	}
	if err := t.Publish(ctx, s.Version); err != nil {
		return fmt.Errorf("publish version %s: %w", s.Version, err)
	}
	p.mu.Lock()
	p.state = s
	p.mu.Unlock()
	return nil
}
