package llm

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"

	"breakfix/internal/engine"
)

// The marks of a block in the plain-text protocol; models write more of each.
const (
	oldMark = "<<<<"
	midMark = "===="
	newMark = ">>>>"
)

// bare reads an answer that begins with a number alone as a call of the one tool that
// takes just a number. It is read where prompts are brief: a model of 100 M
// that is shown a numbered list answers with a number sooner than with a command.
func bare(text string, tools []*tool) (engine.Call, bool) {
	word, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	word, _ = cutWord(word)
	word = strings.Trim(word, "`*#.,;:()[]")
	if word == "" || digits(word) != word {
		return engine.Call{}, false
	}
	var takers []*tool
	for _, t := range tools {
		if len(t.args) == 1 && t.args[0].kind.Kind() == reflect.Int {
			takers = append(takers, t)
		}
	}
	if len(takers) != 1 {
		return engine.Call{}, false
	}
	return engine.Call{Name: takers[0].name, Arguments: arguments(takers[0], word, nil)}, true
}

// command finds the first command of a text: a line whose first word is the
// name of a tool, with its arguments behind it, and below it old and new text
// between marks where the tool takes blocks. What is around it is passed over.
func command(text string, tools []*tool) (engine.Call, bool) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		word, rest := cutWord(strings.TrimLeft(line, " \t`>*$#-"))
		for _, t := range tools {
			if t.name == strings.ToLower(strings.Trim(word, "`*:()")) {
				return engine.Call{Name: t.name, Arguments: arguments(t, rest, lines[i+1:])}, true
			}
		}
	}
	return engine.Call{}, false
}

// arguments writes what stands behind a name as the JSON that the tool takes.
// What does not fit is left for the tool to refuse.
func arguments(t *tool, rest string, below []string) string {
	given := map[string]any{}
	rest = strings.Trim(rest, "` \t\r")
	left := 0 // arguments that are to be read from the line
	for _, a := range t.args {
		if !a.block {
			left++
		}
	}
	for _, a := range t.args {
		if a.block {
			continue
		}
		left--
		if rest == "" {
			break
		}
		var word string
		switch {
		case a.kind.Kind() == reflect.Slice:
			given[a.name] = strings.FieldsFunc(rest, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' })
			rest = ""
			continue
		case left == 0 && a.kind.Kind() == reflect.String:
			word, rest = rest, "" // a text may have spaces
		default:
			word, rest = cutWord(rest)
		}
		word = unquoted(word)
		switch a.kind.Kind() {
		case reflect.Int:
			if n, err := strconv.Atoi(digits(word)); err == nil {
				given[a.name] = n
			} else {
				given[a.name] = word
			}
		case reflect.Bool:
			given[a.name] = word == "true" || word == "yes"
		default:
			given[a.name] = word
		}
	}
	if old, now, ok := blocks(below); ok {
		for _, a := range t.args {
			if a.block && a.name == "old" {
				given[a.name] = old
			} else if a.block {
				given[a.name] = now
			}
		}
	}
	b, err := json.Marshal(given)
	if err != nil {
		return "{}"
	}
	return string(b)
}

// blocks reads old and new text from between their marks.
func blocks(lines []string) (old, now string, ok bool) {
	part := 0
	var parts [2][]string
	for _, l := range lines {
		switch t := strings.TrimSpace(l); {
		case part == 0 && strings.HasPrefix(t, oldMark):
			part = 1
		case part == 1 && strings.HasPrefix(t, midMark):
			part = 2
		case part == 2 && strings.HasPrefix(t, newMark):
			return strings.Join(parts[0], "\n"), strings.Join(parts[1], "\n"), true
		case part > 0:
			parts[part-1] = append(parts[part-1], l)
		}
	}
	return "", "", false
}

// digits are those that a word begins with, within brackets or not: small models
// write on where they should stop.
func digits(word string) string {
	word = strings.TrimLeft(word, ".,;:()[]")
	end := strings.IndexFunc(word, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		return word
	}
	return word[:end]
}

func cutWord(s string) (word, rest string) {
	s = strings.TrimSpace(s)
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimSpace(s[i:])
}

func unquoted(s string) string {
	if len(s) >= 2 && strings.ContainsRune(`"'`, rune(s[0])) && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}
