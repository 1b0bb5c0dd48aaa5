package mutate

import "breakfix/internal/tree"

// Mutation is one operator applied at one site: a byte-exact edit of one file.
type Mutation struct {
	ID       string      `json:"id"` // stable: digest of operator, path, function, the site's text, variant and its ordinal among equals
	Operator string      `json:"operator"`
	Variant  string      `json:"variant"` // what exactly: "< → <=", "swap a and b"
	Path     string      `json:"path"`
	Function string      `json:"function"`  // qualified name of the enclosing function or class, "" at module level
	Line     int         `json:"line"`      // 1-based first line of the first edit
	LastLine int         `json:"last_line"` // last line of the last edit
	Edits    []tree.Edit `json:"edits"`     // sorted, not overlapping
}
