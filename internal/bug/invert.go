package bug

import (
	"strings"

	"breakfix/internal/tree"
)

// inverter turns a test around: it passes when the test raises.
const inverter = `import functools as _breakfix_functools
import inspect as _breakfix_inspect


def _breakfix_inverted(test):
    if _breakfix_inspect.iscoroutinefunction(test):
        @_breakfix_functools.wraps(test)
        async def inverted(*args, **kwargs):
            try:
                await test(*args, **kwargs)
            except BaseException:
                return
            raise AssertionError("the test passed")
    else:
        @_breakfix_functools.wraps(test)
        def inverted(*args, **kwargs):
            try:
                test(*args, **kwargs)
            except BaseException:
                return
            raise AssertionError("the test passed")
    return inverted


`

// Inverted returns the minimised test's file with its test turned around: red
// where the test passes, green where it fails. ok is false when the test's
// function does not stand in its file.
func (r RedTest) Inverted() (code string, ok bool) {
	src := []byte(r.Code)
	m, ok := parse(src)
	if !ok {
		return "", false
	}
	defer m.Close()
	id := parseID(r.Test)
	classes, fn := m.locate(id)
	if fn == nil && len(classes) > 0 {
		fn = m.inherits(classes[len(classes)-1], id.fn, 0)
	}
	if fn == nil {
		return "", false
	}
	d := definition(fn)
	at := 0 // imports from the future stay first
	for _, s := range statements(m.root) {
		if s.Kind() == "future_import_statement" {
			at = m.cutStatement(s).end
		}
	}
	column := int(d.StartPosition().Column)
	out, err := tree.ApplyEdits(src, []tree.Edit{
		{Start: at, End: at, New: inverter},
		{Start: int(d.StartByte()), End: int(d.StartByte()), New: "@_breakfix_inverted\n" + strings.Repeat(" ", column)},
	})
	if err != nil {
		return "", false
	}
	again, ok := parse(out)
	if ok {
		again.Close()
	}
	return string(out), ok
}
