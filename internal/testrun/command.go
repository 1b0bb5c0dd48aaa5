package testrun

import "slices"

// Command is how a person runs the suite as the runner does: arguments for
// pytest before the names of tests, and variables of its environment. What the
// runner adds for itself (reports, deadlines) and what the user let through
// are not in it.
func (w *Workspace) Command() (args, env []string) {
	args = append([]string{"-p", "no:cacheprovider", "-o", "addopts="}, w.mode.Args...)
	if !w.mode.Autoload {
		env = append(env, "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1")
	}
	return slices.Clip(args), env
}
