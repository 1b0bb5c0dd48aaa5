package engine

import (
	"fmt"
	"os"
	"strings"
)

// KeyVariable names the environment variable that holds the key of an engine;
// with _FILE at its end it names a file that holds it.
const KeyVariable = "BREAKFIX_ENGINE_KEY"

// Key is a secret. It prints as stars, whatever the verb.
type Key struct{ secret string }

func (Key) String() string               { return "***" }
func (Key) GoString() string             { return "***" }
func (Key) MarshalText() ([]byte, error) { return []byte("***"), nil }

// NewKey wraps a secret.
func NewKey(secret string) Key { return Key{strings.TrimSpace(secret)} }

// Empty reports whether there is no key.
func (k Key) Empty() bool { return k.secret == "" }

// Is reports whether a secret is the key.
func (k Key) Is(secret string) bool { return k.secret == secret }

// scrub takes the key out of a text, such as a server that repeats it.
func (k Key) scrub(s string) string {
	if k.Empty() {
		return s
	}
	return strings.ReplaceAll(s, k.secret, "***")
}

// KeyFromEnvironment is the first key that is set: by KeyVariable, by its file,
// or by one of the other names, such as TINKER_API_KEY. Keys never come from
// flags, which every process of the machine can read.
func KeyFromEnvironment(others ...string) (Key, error) {
	for _, name := range append([]string{KeyVariable}, others...) {
		if secret := os.Getenv(name); secret != "" {
			return NewKey(secret), nil
		}
		if file := os.Getenv(name + "_FILE"); file != "" {
			b, err := os.ReadFile(file)
			if err != nil {
				return Key{}, fmt.Errorf("read the key that %s_FILE names: %w", name, err)
			}
			if k := NewKey(string(b)); !k.Empty() {
				return k, nil
			}
			return Key{}, fmt.Errorf("the file that %s_FILE names, %s, is empty", name, file)
		}
	}
	return Key{}, nil
}
