package source

import (
	"bytes"
	"net/mail"
	"path"
	"regexp"
	"slices"
	"strings"

	"breakfix/internal/tree"

	"github.com/BurntSushi/toml"
)

// licenceOf tells under which licence a tree may be used: an SPDX expression
// where that is known, what the package calls it otherwise, "" when nothing
// says. What the package declares as an expression comes first, then the text
// of its licence files, because a classifier such as "BSD License" names a family only.
func licenceOf(t *tree.Tree) string {
	declared := declaredLicence(t)
	if declared.expression != "" {
		return declared.expression
	}
	if texts := licenceTexts(t); len(texts) > 0 {
		return strings.Join(texts, " AND ")
	}
	return declared.loose
}

// declaration is what the metadata of a package says about its licence.
type declaration struct{ expression, loose string }

func declaredLicence(t *tree.Tree) declaration {
	var d declaration
	for _, p := range []string{"PKG-INFO", "METADATA"} {
		b, err := t.Read(p)
		if err != nil {
			continue
		}
		head, _, _ := bytes.Cut(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\n\n"))
		m, err := mail.ReadMessage(bytes.NewReader(append(head, "\n\n"...)))
		if err != nil {
			continue
		}
		d.take(m.Header.Get("License-Expression"), m.Header.Get("License"), m.Header["Classifier"])
	}
	var file struct {
		Project struct {
			License     any      `toml:"license"`
			Classifiers []string `toml:"classifiers"`
		} `toml:"project"`
		Tool struct {
			Poetry struct {
				License     string   `toml:"license"`
				Classifiers []string `toml:"classifiers"`
			} `toml:"poetry"`
		} `toml:"tool"`
	}
	if b, err := t.Read("pyproject.toml"); err == nil {
		if _, err := toml.Decode(string(b), &file); err == nil {
			expression, loose := "", file.Tool.Poetry.License
			switch l := file.Project.License.(type) {
			case string:
				expression = l
			case map[string]any:
				loose, _ = l["text"].(string)
			}
			d.take(expression, loose, append(file.Project.Classifiers, file.Tool.Poetry.Classifiers...))
		}
	}
	return d
}

var (
	spdx      = regexp.MustCompile(`^[A-Za-z0-9.+() -]{2,200}$`)
	shortText = 60 // a longer "license" is a whole text, not a name
)

// take keeps what the files before did not say.
func (d *declaration) take(expression, loose string, classifiers []string) {
	if d.expression == "" && spdx.MatchString(strings.TrimSpace(expression)) {
		d.expression = strings.TrimSpace(expression)
	}
	if loose = strings.TrimSpace(loose); d.loose == "" && loose != "" && len(loose) <= shortText && spdx.MatchString(loose) {
		d.loose = loose
		if slices.ContainsFunc(licences, func(l licence) bool { return l.id == loose }) {
			d.expression = loose
		}
	}
	for _, c := range classifiers {
		parts := strings.Split(c, " :: ")
		if d.loose == "" && len(parts) > 1 && parts[0] == "License" && parts[len(parts)-1] != "OSI Approved" {
			d.loose = parts[len(parts)-1]
		}
	}
}

// licence is a licence by phrases that its text has, and one that it lacks.
// They are lower-case words with single spaces between.
type licence struct {
	id    string
	has   []string
	lacks string
}

// licences are looked at in order; the first that fits is it.
var licences = []licence{
	{"Apache-2.0", []string{"apache license", "version 2.0"}, ""},
	{"AGPL-3.0", []string{"gnu affero general public license", "version 3"}, ""},
	{"LGPL-2.1", []string{"gnu lesser general public license version 2.1"}, ""},
	{"LGPL-3.0", []string{"gnu lesser general public license version 3"}, ""},
	{"GPL-2.0", []string{"gnu general public license version 2"}, ""},
	{"GPL-3.0", []string{"gnu general public license version 3"}, ""},
	{"MPL-2.0", []string{"mozilla public license", "2.0"}, ""},
	{"BSD-4-Clause", []string{"redistribution and use in source and binary forms", "all advertising materials"}, ""},
	{"BSD-3-Clause", []string{"redistribution and use in source and binary forms", "endorse or promote products"}, ""},
	{"BSD-2-Clause", []string{"redistribution and use in source and binary forms", "redistributions in binary form"}, "endorse or promote"},
	{"MIT", []string{"permission is hereby granted, free of charge, to any person obtaining a copy", "shall be included in all copies"}, ""},
	{"MIT-0", []string{"permission is hereby granted, free of charge, to any person obtaining a copy"}, "shall be included"},
	{"ISC", []string{"distribute this software for any purpose with or without fee is hereby granted", "provided that the above copyright notice"}, ""},
	{"0BSD", []string{"distribute this software for any purpose with or without fee is hereby granted"}, "provided that"},
	{"Unlicense", []string{"this is free and unencumbered software released into the public domain"}, ""},
	{"CC0-1.0", []string{"cc0 1.0 universal"}, ""},
	{"PSF-2.0", []string{"python software foundation license version 2"}, ""},
}

var licenceFile = regexp.MustCompile(`(?i)^((un)?licen[sc]e|copying)([._-].*)?$`)

// licenceTexts are the licences whose text lies at the root of a tree, sorted.
func licenceTexts(t *tree.Tree) []string {
	var found []string
	for _, p := range t.Paths() {
		if path.Dir(p) != "." || !licenceFile.MatchString(p) || t.Kind(p) == tree.Link {
			continue
		}
		b, err := t.Read(p)
		if err != nil {
			continue
		}
		if id := licenceOfText(b); id != "" && !slices.Contains(found, id) {
			found = append(found, id)
		}
	}
	slices.Sort(found)
	return found
}

func licenceOfText(b []byte) string {
	text := strings.ToLower(strings.Join(strings.Fields(string(b)), " "))
	for _, l := range licences {
		fits := l.lacks == "" || !strings.Contains(text, l.lacks)
		for _, phrase := range l.has {
			fits = fits && strings.Contains(text, phrase)
		}
		if fits {
			return l.id
		}
	}
	return ""
}
