package source

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// Archive is a source distribution: what others fetch a published base from.
type Archive struct {
	Name   string `json:"name"`   // "toolz-1.2.0.tar.gz"
	URL    string `json:"url"`    // as the index gave it, without a user
	SHA256 string `json:"sha256"` // hexadecimal
}

// ArchiveOf says which source distribution the index has for pypi:NAME==VERSION:
// from the cache, else the index is asked.
func ArchiveOf(ctx context.Context, spec string, o Options) (Archive, error) {
	cache, err := CacheDir(o.Cache)
	if err != nil {
		return Archive{}, err
	}
	name, version, ok := strings.Cut(strings.TrimPrefix(spec, "pypi:"), "==")
	if !ok {
		return Archive{}, fmt.Errorf("%s names no source distribution", spec)
	}
	settings := readIndexSettings()
	memory := settings.memory(cache, name, version)
	var k kept
	body, err := os.ReadFile(memory)
	known := err == nil && json.Unmarshal(body, &k) == nil
	if known && k.URL != "" {
		return Archive{k.Archive, k.URL, k.SHA256}, nil
	}
	files, err := settings.project(ctx, normalName(name))
	if err != nil {
		return Archive{}, err
	}
	found, newest := pick(files, normalName(name), version)
	if found == nil {
		return Archive{}, missing(files, name, version, newest)
	}
	a := Archive{found.Filename, withoutUser(found.URL), strings.ToLower(found.Hashes["sha256"])}
	if known {
		k.Archive, k.URL, k.SHA256 = a.Name, a.URL, a.SHA256
		if body, err := json.Marshal(k); err == nil {
			_ = writeWhole(memory, body) // losing it costs a question to the index
		}
	}
	return a, nil
}
