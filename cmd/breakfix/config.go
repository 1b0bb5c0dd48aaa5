package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"sort"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"

	"breakfix/internal/engine"
	"breakfix/internal/policy/builtin/network"
	"breakfix/internal/spelling"
)

// resolver answers kong from the YAML file. Its keys are the flags' names.
type resolver struct{ values map[string]any }

func (r *resolver) Validate(*kong.Application) error { return nil }

func (r *resolver) Resolve(_ *kong.Context, _ *kong.Path, f *kong.Flag) (any, error) {
	v, ok := r.values[f.Name]
	if !ok || v == nil {
		return nil, nil
	}
	for _, name := range f.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil // a variable wins over the file
		}
	}
	list, isList := v.([]any)
	if _, isMap := v.(map[string]any); isMap || isList && !f.IsSlice() {
		return nil, fmt.Errorf("the configuration file must have one value here, not %v", v)
	}
	if isList { // each element as it is: a comma in it separates nothing
		parts := make([]any, len(list))
		for i, e := range list {
			parts[i] = fmt.Sprint(e)
		}
		return parts, nil
	}
	return fmt.Sprint(v), nil
}

// configPath finds --config in args or BREAKFIX_CONFIG before kong parses,
// because the file has to be there when it resolves.
func configPath(args []string) string {
	for i, a := range args {
		if a == "--" {
			break
		}
		if v, ok := strings.CutPrefix(a, "--config="); ok {
			return v
		}
		if a == "--config" && i+1 < len(args) {
			return args[i+1]
		}
	}
	return os.Getenv("BREAKFIX_CONFIG")
}

// configFile reads the YAML file; nil when none was named.
func configFile(m *kong.Application, name string) (*resolver, error) {
	if name == "" {
		return nil, nil
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, usagef("name a file that exists with --config", "cannot read the configuration: %v", err)
	}
	values := map[string]any{}
	if err := yaml.Unmarshal(b, &values); err != nil {
		return nil, usagef("mend the file", "%s is not YAML of the form key: value: %s", name, strings.SplitN(err.Error(), "\n", 2)[0])
	}
	known := append(flagNames(m), sourcesKey)
	for _, key := range sortedKeys(values) {
		if !slices.Contains(known, key) || key == "config" {
			return nil, usagef(fmt.Sprintf("did you mean %q?", spelling.Nearest(key, known)), "%s: unknown key %q", name, key)
		}
	}
	return &resolver{values}, nil
}

// checkEnviron refuses BREAKFIX_* variables that no flag has, but for those
// that name a kernel or hold a key, which is never a flag.
func checkEnviron(m *kong.Application, environ []string) error {
	known := []string{network.KernelVariable, engine.KeyVariable, engine.KeyVariable + "_FILE"}
	for _, n := range flagNames(m) {
		known = append(known, "BREAKFIX_"+strings.ToUpper(strings.ReplaceAll(n, "-", "_")))
	}
	for _, kv := range environ {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "BREAKFIX_") && !slices.Contains(known, name) && !strings.HasPrefix(name, "BREAKFIX_TEST_") {
			return usagef(fmt.Sprintf("did you mean %s?", spelling.Nearest(name, known)), "unknown variable %s", name)
		}
	}
	return nil
}

// flagNames lists the long names of all flags of all commands, sorted.
func flagNames(m *kong.Application) []string {
	seen := map[string]bool{}
	var walk func(n *kong.Node)
	walk = func(n *kong.Node) {
		for _, f := range n.Flags {
			seen[f.Name] = true
		}
		for _, c := range n.Children {
			walk(c)
		}
	}
	walk(m.Node)
	delete(seen, "help")
	delete(seen, "version")
	return sortedKeys(seen)
}

// sourcesKey names what play is given as arguments, in the configuration file.
const sourcesKey = "sources"

// sources are those that the file names.
func (r *resolver) sources() ([]string, error) {
	switch v := r.values[sourcesKey].(type) {
	case nil:
		return nil, nil
	case string:
		return []string{v}, nil
	case []any:
		var all []string
		for _, e := range v {
			all = append(all, fmt.Sprint(e))
		}
		return all, nil
	default:
		return nil, usagef("write a list of sources", "the configuration file has %v as sources", v)
	}
}

// resolving is a command that knows more of its configuration than its flags say.
type resolving interface {
	// resolve puts what would really be used into out; the note is comments
	// for people. What the command would refuse is an error.
	resolve(a *app, out map[string]any) (note string, err error)
}

// printConfig writes the resolved configuration of the chosen command, as YAML
// that --config takes, or as JSON. What is neither set nor has a default is
// left out.
func (a *app) printConfig() error {
	out := map[string]any{}
	for _, f := range a.parsed.Flags() {
		switch f.Name {
		case "help", "version", "dry-run", "config":
			continue
		}
		out[f.Name] = a.parsed.FlagValue(f)
	}
	note := ""
	if c, ok := a.parsed.Selected().Target.Addr().Interface().(resolving); ok {
		var err error
		if note, err = c.resolve(a, out); err != nil {
			return err
		}
	}
	if a.JSON {
		delete(out, "json")
		return json.NewEncoder(a.stdout).Encode(present(out))
	}
	b, err := yaml.Marshal(present(out))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "# %s\n%s%s", a.parsed.Selected().FullPath(), note, b)
	return err
}

// present leaves out what has no value.
func present(all map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range all {
		switch r := reflect.ValueOf(v); {
		case !r.IsValid(), r.Kind() == reflect.Pointer && r.IsNil():
		case (r.Kind() == reflect.Slice || r.Kind() == reflect.String) && r.Len() == 0:
		default:
			out[k] = v
		}
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
