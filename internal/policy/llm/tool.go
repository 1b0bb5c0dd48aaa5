package llm

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"breakfix/internal/arena"
	"breakfix/internal/engine"
	"breakfix/internal/outcome"
)

// tool is what a model may call.
type tool struct {
	name  string
	usage string // of the plain-text protocol: "read PATH [FIRST] [LAST]"
	doc   string
	roles []arena.Role
	spec  engine.Tool
	args  []arg
	moves bool // it changes code
	call  func(ctx context.Context, s side, raw []byte) output
}

// arg is one field of a tool's parameters, in order.
type arg struct {
	name     string
	kind     reflect.Type
	optional bool
	block    bool // text of several lines, of the plain-text protocol
}

// output is what came of a call: text for the model. err is ours.
type output struct {
	text  string
	wrong bool // the call could not be made
	read  bool // its arguments could be
	form  outcome.Form
	ended Ending
	err   error
}

func said(format string, args ...any) output { return output{text: fmt.Sprintf(format, args...)} }
func wrong(format string, args ...any) output {
	return output{text: fmt.Sprintf(format, args...), wrong: true}
}
func ours(err error) output { return output{err: err} }

var toolName = regexp.MustCompile(`^[a-z][a-z_]*$`)

// toolbox is the registry.
type toolbox struct{ all []*tool }

// register adds a tool whose parameters are the fields of A, and checks it: a
// name of its own, a line that says what it does, parameters of a struct of
// strings, numbers, booleans and lists of strings, each with a name and help,
// none required after an optional one. A mistake is a panic when the program starts.
func register[A any](b *toolbox, name, doc string, roles []arena.Role, run func(ctx context.Context, s side, a A) output) {
	fail := func(format string, args ...any) {
		panic(fmt.Sprintf("tool %q: ", name) + fmt.Sprintf(format, args...))
	}
	if !toolName.MatchString(name) {
		fail("a name is lower-case words joined by _")
	}
	for _, role := range roles {
		if slices.ContainsFunc(b.of(role), func(t *tool) bool { return t.name == name }) {
			fail("registered twice for the %s", role)
		}
	}
	if doc == "" || strings.Contains(doc, "\n") {
		fail("it needs one line that says what it does")
	}
	if len(roles) == 0 {
		fail("no role may use it")
	}
	t := &tool{name: name, doc: doc, roles: roles}
	kind := reflect.TypeFor[A]()
	if kind.Kind() != reflect.Struct {
		fail("its parameters are %s, want a struct", kind)
	}
	usage := []string{name}
	properties, required := map[string]any{}, []string{}
	for i := range kind.NumField() {
		f := kind.Field(i)
		a := arg{name: f.Tag.Get("json"), kind: f.Type, optional: f.Tag.Get("optional") == "yes", block: f.Tag.Get("block") == "yes"}
		help := f.Tag.Get("help")
		switch {
		case !f.IsExported() || a.name == "" || help == "":
			fail("field %s needs a name and help", f.Name)
		case schemas[f.Type.String()] == nil:
			fail("field %s is %s, want string, int, bool or []string", f.Name, f.Type)
		case !a.optional && len(t.args) > 0 && t.args[len(t.args)-1].optional:
			fail("field %s is required after an optional one", f.Name)
		case a.block && f.Type.Kind() != reflect.String:
			fail("field %s is a block and no string", f.Name)
		}
		schema := map[string]any{"description": help}
		for k, v := range schemas[f.Type.String()] {
			schema[k] = v
		}
		properties[a.name] = schema
		shown := strings.ToUpper(a.name)
		if a.kind.Kind() == reflect.Slice {
			shown += "…"
		}
		if a.optional {
			shown = "[" + shown + "]"
		} else {
			required = append(required, a.name)
		}
		if !a.block {
			usage = append(usage, shown)
		}
		t.args = append(t.args, a)
	}
	parameters, err := json.Marshal(map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false})
	if err != nil {
		fail("%v", err)
	}
	t.usage = strings.Join(usage, " ")
	t.spec = engine.Tool{Name: name, Description: doc, Parameters: parameters}
	t.call = func(ctx context.Context, s side, raw []byte) output {
		var a A
		if why := decode(raw, &a, t.args); why != "" {
			return wrong("%s: %s. It is used as %s", name, why, t.shape())
		}
		out := run(ctx, s, a)
		out.read = true
		return out
	}
	b.all = append(b.all, t)
}

var schemas = map[string]map[string]any{
	"string": {"type": "string"}, "int": {"type": "integer"}, "bool": {"type": "boolean"},
	"[]string": {"type": "array", "items": map[string]any{"type": "string"}},
}

// shape is the JSON that a call has, for a model that got it wrong.
func (t *tool) shape() string {
	var parts []string
	for _, a := range t.args {
		kind := schemas[a.kind.String()]["type"].(string)
		if a.optional {
			kind += ", may be left out"
		}
		parts = append(parts, fmt.Sprintf("%q: %s", a.name, kind))
	}
	return t.name + " {" + strings.Join(parts, ", ") + "}"
}

// decode reads arguments strictly; the text says what is wrong.
func decode(raw []byte, into any, args []arg) string {
	if len(bytes.TrimSpace(raw)) == 0 {
		raw = []byte("{}")
	}
	var given map[string]json.RawMessage
	if err := json.Unmarshal(raw, &given); err != nil {
		return "the arguments are not a JSON object"
	}
	for _, a := range args {
		if v, ok := given[a.name]; !a.optional && (!ok || string(v) == "null") {
			return fmt.Sprintf("%q is missing", a.name)
		}
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		if unknown, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return "there is no argument " + unknown
		}
		return strings.TrimPrefix(err.Error(), "json: ")
	}
	return ""
}

// of returns the tools of a role, in the order of registration.
func (b *toolbox) of(role arena.Role) []*tool {
	var ts []*tool
	for _, t := range b.all {
		if slices.Contains(t.roles, role) {
			ts = append(ts, t)
		}
	}
	return ts
}

// invoke makes one call. A call that could not be made is a step, too.
func invoke(ctx context.Context, s side, tools []*tool, c engine.Call) output {
	i := slices.IndexFunc(tools, func(t *tool) bool { return t.name == c.Name })
	var out output
	if i < 0 {
		out = wrong("There is no tool %q. There are %s.", clip(c.Name, 40), names(tools))
	} else {
		out = tools[i].call(ctx, s, []byte(c.Arguments))
	}
	if i >= 0 && tools[i].moves {
		out.form = formOf(out)
	}
	if out.err == nil && !s.counted() {
		if err := s.look(clip(c.Name, 40)); err != nil {
			return ours(err)
		}
	}
	return out
}

// formOf is how near a call of a tool that changes code came to a change.
func formOf(out output) outcome.Form {
	switch {
	case !out.read:
		return outcome.FormNamed
	case out.wrong:
		return outcome.FormCall
	}
	return outcome.FormPlace
}

// wordOf is the form of an answer without a call.
func wordOf(text string, tools []*tool) outcome.Form {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if slices.ContainsFunc(tools, func(t *tool) bool { return t.moves && t.name == word }) {
			return outcome.FormWord
		}
	}
	return outcome.FormNone
}

// nearer is the one of two forms that is nearer to a move.
func nearer(a, b outcome.Form) outcome.Form {
	if slices.Index(outcome.Forms, b) > slices.Index(outcome.Forms, a) {
		return b
	}
	return a
}

func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
