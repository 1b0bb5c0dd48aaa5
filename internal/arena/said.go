package arena

import (
	"fmt"
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/tree"
)

// What a change may add that is more than code: a player's words would reach
// another player through the broken tree.
const (
	longestName = 24 // characters of a name that the file did not have
	wordsOfText = 2  // words of a text that the file did not have
)

// Said tells what free text a change from before to after adds to the code that
// both have, "" when there is none: a comment, a text of several words, a name
// as long as a sentence. Words that the file had somewhere already say nothing new.
func Said(before, after *tree.Tree) (string, error) {
	for _, p := range tree.Differ(before, after) {
		if !isCode(p) || !before.Has(p) || !after.Has(p) {
			continue
		}
		if why, err := said(before, after, p); err != nil || why != "" {
			return why, err
		}
	}
	return "", nil
}

func said(before, after *tree.Tree, path string) (string, error) {
	l, ok := lang.ForPath(path)
	if !ok {
		return "", nil
	}
	was, err := words(l, before, path)
	if err != nil {
		return "", err
	}
	is, err := words(l, after, path)
	if err != nil {
		return "", err
	}
	for _, w := range is.list {
		if was.seen[w] {
			continue
		}
		switch {
		case w.kind == "comment":
			return fmt.Sprintf("%s: the change adds a comment: take it out", path), nil
		case w.kind == "string" && len(strings.Fields(w.text)) > wordsOfText:
			return fmt.Sprintf("%s: the change adds a text of several words: take it out", path), nil
		case w.kind == "identifier" && len([]rune(w.text)) > longestName:
			return fmt.Sprintf("%s: the change adds a name of more than %d characters: use a shorter one", path, longestName), nil
		}
	}
	return "", nil
}

type word struct{ kind, text string }

type wordList struct {
	list []word
	seen map[word]bool
}

func words(l lang.Language, t *tree.Tree, path string) (wordList, error) {
	w := wordList{seen: map[word]bool{}}
	src, err := t.Read(path)
	if err != nil {
		return w, err
	}
	f, err := l.Parse(src)
	if err != nil {
		return w, nil // too large to be edited by a player
	}
	f.Root.Walk(func(n *lang.Node) bool {
		switch n.Kind {
		case "comment", "string", "identifier":
			k := word{n.Kind, f.Text(n)}
			w.list, w.seen[k] = append(w.list, k), true
			return n.Kind == "string" // what is interpolated has names, too
		}
		return true
	})
	return w, nil
}
