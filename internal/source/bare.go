package source

import (
	"context"

	"breakfix/internal/sandbox"
)

// Bare is the Python of this machine with nothing installed: its file, its
// version, and what a box must show for it to run.
func Bare(ctx context.Context) (python, version string, binds []sandbox.Bind, err error) {
	in, err := chooseInterpreter(ctx, "")
	if err != nil {
		return "", "", nil, err
	}
	return in.Base, in.Version, baseBinds(in.BasePrefix), nil
}
