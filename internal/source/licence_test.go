package source

import (
	"testing"

	"breakfix/internal/tree"
)

func TestTheLicenceOfASourceIsFound(t *testing.T) {
	const (
		mit = "Permission is hereby granted, free of charge, to any person\nobtaining a copy of this software … The above copyright notice and this\npermission notice shall be included in all copies"
		bsd = "Redistribution and use in source and binary forms, with or without …\n  * Redistributions in binary form must reproduce"
	)
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"an expression in the metadata": {map[string]string{"PKG-INFO": "Metadata-Version: 2.4\nName: a\nLicense-Expression: MIT\n\nLicense: not this\n", "LICENSE": bsd}, "MIT"},
		"an expression in the project":  {map[string]string{"pyproject.toml": "[project]\nname = \"a\"\nlicense = \"Apache-2.0 OR MIT\"\n"}, "Apache-2.0 OR MIT"},
		"the text before the family":    {map[string]string{"PKG-INFO": "Name: a\nClassifier: License :: OSI Approved :: BSD License\n", "LICENSE.txt": bsd + " Neither the name … to endorse or promote products"}, "BSD-3-Clause"},
		"two clauses":                   {map[string]string{"COPYING": bsd}, "BSD-2-Clause"},
		"two texts":                     {map[string]string{"LICENSE-APACHE": "Apache License\n  Version 2.0, January 2004", "LICENSE-MIT": mit}, "Apache-2.0 AND MIT"},
		"a family only":                 {map[string]string{"PKG-INFO": "Name: a\nClassifier: License :: OSI Approved :: BSD License\n"}, "BSD License"},
		"a name in a table":             {map[string]string{"pyproject.toml": "[project]\nlicense = {text = \"MIT\"}\n"}, "MIT"},
		"another's text":                {map[string]string{"vendor/LICENSE": mit, "LICENSE": "All rights reserved."}, ""},
		"nothing":                       {map[string]string{"a.py": ""}, ""},
	} {
		files := map[string]*tree.File{}
		for p, s := range c.files {
			files[p] = tree.Text(s)
		}
		tr, err := tree.FromFiles(files)
		if err != nil {
			t.Fatal(err)
		}
		if got := licenceOf(tr); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
