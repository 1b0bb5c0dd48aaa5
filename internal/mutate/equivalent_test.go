package mutate_test

import (
	"testing"

	"breakfix/internal/mutate"
)

// TestWhatCannotShowIsNotOffered: for each text an operator, and the variants
// of it that would come to the same, which must be missing.
func TestWhatCannotShowIsNotOffered(t *testing.T) {
	for _, c := range []struct{ operator, src string }{
		{"off_by_one_shift", "def f(x):\n    return x[:len(x)]\n"}, // but for - 1
		{"relational_boundary", "def f(a, b):\n    return a if a < b else b\n"},
		{"relational_boundary", "def f(a, b):\n    if a > b:\n        b = a\n    return b\n"},
		{"relational_boundary", "def f(a):\n    if a < 0:\n        a = -a\n    return a\n"},
		{"relational_boundary", "def f(end):\n    return time.monotonic() < end\n"},
		{"relational_boundary", "def f(a):\n    return a < 0.3\n"},
		{"numeric_literal_change", "import functools\n@functools.lru_cache(maxsize=128)\ndef f(): pass\n"},
		{"arithmetic_operator_replace", "x = a + 0\n"},
		{"compound_assign_degrade", "def f(x):\n    n = 0\n    n += x\n"}, // but for -=
		{"expression_chain_break", "x = a * 1\n"},                         // but for the other term
		{"condition_negate", "def f(a):\n    if a:\n        x()\n    else:\n        x()\n"},
		{"condition_force", "import sys\nif sys.version_info >= (3, 9):\n    import a\n"},
		{"condition_force", "def f(a):\n    return b if a else b\n"},
		{"connector_swap", "def f(a, b):\n    assert a and b\n"},
		{"subcondition_drop", "def f(a, b):\n    assert a and b\n"},
		{"guard_clause_removal", "def f(a):\n    x()\n    if a:\n        return\n"},
		{"guard_clause_removal", "def f(a):\n    for b in a:\n        x(b)\n        if b:\n            continue\n"},
		{"guard_clause_removal", "def f(a):\n    if a:\n        return 1\n    return 1\n"},
		{"loop_iteration_change", "def f():\n    for x in [1]:\n        g(x)\n"},
		{"loop_iteration_change", "def f(c, x):\n    while not x():\n        c.wait()\n"},
		{"relational_boundary", "def f(remaining):\n    return remaining <= 0.0\n"},
		{"statement_reorder", "def f(d):\n    a = d.get(1)\n    b = d.get(2)\n    return a, b\n"},
		{"statement_reorder", "import re\nA = re.compile('a')\nB = re.compile('b')\n"},
		{"statement_delete", "def f():\n    time.sleep(1)\n"},
		{"statement_delete", "class K:\n    def __init__(self):\n        super().__init__()\n        self.a()\n"}, // but for self.a
		{"statement_delete", "def f(x):\n    y = x\n    del y\n"},
		{"variable_misuse", "def f(a):\n    b = a\n    return b\n"},
		{"variable_misuse", "def f(a):\n    if a():\n        b = 1\n    return a\n"},
		{"variable_misuse", "def f(a: int, b: str):\n    return a\n"},
		{"alias_instead_of_copy", "def f(x):\n    for a in list(x):\n        print(a)\n"},
		{"alias_instead_of_copy", "def f(x):\n    return sorted(list(x))\n"},
		{"alias_instead_of_copy", "def f():\n    r = []\n    r.append(1)\n    return list(r)\n"},
		{"shared_mutable_state", "def f():\n    r = []\n    return r or 1\n"},
		{"null_default_removal", "def f(d):\n    return d.get(1, None)\n"},
		{"argument_swap", "def f(a, b):\n    return max(a, b)\n"},
		{"argument_swap", "def f(a: int, b: str):\n    return g(a, b)\n"},
		{"sibling_function", "def f(a):\n    return a.split()\n"},
		{"sibling_function", "def f(a: int):\n    return str(a)\n"},
		{"type_confusion", "def f(a):\n    return a in {1, 2}\n"},
		{"type_confusion", "def f(d, key: str):\n    return d[key]\n"},
		{"conversion_removal", "def f(a: str):\n    return str(a)\n"},
		{"conversion_removal", "def f(a):\n    return '%s' % str(a)\n"},
		{"conversion_removal", "def f(a):\n    if bool(a):\n        return 1\n    return 2\n"},
		{"truthiness_confusion", "class K: pass\ndef f(a: K = None):\n    return 1 if a is None else 2\n"},
		{"exception_swallow", "def f():\n    try:\n        x()\n    except E:\n        return\n"},
		{"deadlock_injection", "def f(block):\n    with block:\n        x()\n"},
		{"return_value_replace", "class K:\n    def __repr__(self):\n        return 'K'\n"},
		{"bitwise_shift_replace", "class K:\n    def __hash__(self):\n        return hash(self.a) ^ hash(self.b)\n"},
	} {
		but := map[string]bool{"- 1": true, "+= → -=": true, "drop a *": true, "delete call": true, "look up text": true}
		for _, m := range enumerate(t, "a.py", []byte(c.src)) {
			if m.Operator == c.operator && !but[m.Variant] {
				t.Errorf("%s offers %q for\n%s", c.operator, m.Variant, c.src)
			}
		}
	}
}

func TestSame(t *testing.T) {
	for _, c := range []struct {
		before, after string
		same          bool
	}{
		{"x = 1\n", "x  =  1 # one\n", true},
		{"x = 1\n", "x = (1)\n", true},
		{"x = a + (b * c)\n", "x = a + b * c\n", true},
		{"x = (a + b) * c\n", "x = a + b * c\n", false},
		{"x = (a < b) < c\n", "x = a < b < c\n", false},
		{"def f():\n    'a'\n    return 1\n", "def f():\n    'b'\n    return 1\n", true},
		{"def f():\n    'a'\n    return 1\n", "def f():\n    return 1\n", false}, // __doc__ is gone
		{"def f():\n    pass\n    x()\n", "def f():\n    x()\n", true},
		{"def f():\n    return 1\n    x()\n", "def f():\n    return 1\n", true},
		{"def f():\n    return 1\n    yield\n", "def f():\n    return 1\n", false},
		{"def f():\n    return 1\n    x = 2\n", "def f():\n    return 1\n", false}, // x is local
		{"if True:\n    x()\n", "x()\n", true},
		{"if False:\n    x()\nelse:\n    y()\n", "y()\n", true},
		{"f(a, b,)\n", "f(a, b)\n", true},
		{"x = (a,)\n", "x = (a)\n", false},
		{"x = a,\n", "x = a\n", false},
		{"x[a,]\n", "x[a]\n", false},
		{"x = 1_000\n", "x = 1000\n", true},
		{"x = 'a'\n", "x = 'A'\n", false},
		{"if a:\n    x()\n    y()\n", "if a:\n    x()\ny()\n", false},
		{"return 1 +\n", "return 1\n", false},
	} {
		if got := mutate.Same([]byte(c.before), []byte(c.after)); got != c.same {
			t.Errorf("%q and %q: %v", c.before, c.after, got)
		}
	}
}
