package testrun

import (
	"compress/gzip"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"sort"

	"github.com/google/renameio/v2"
)

// openFolder makes a bounded folder of files; "" is none.
func openFolder(dir string, bound int64) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	prune(dir, bound)
	return nil
}

func readGzipJSON(name string, v any) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return false
	}
	return json.NewDecoder(z).Decode(v) == nil
}

// writeGzipJSON replaces the file whole or not at all.
func writeGzipJSON(name string, v any) error {
	f, err := renameio.TempFile(filepath.Dir(name), name)
	if err != nil {
		return err
	}
	defer f.Cleanup()
	z, _ := gzip.NewWriterLevel(f, gzip.BestSpeed) // the level is valid
	err = json.NewEncoder(z).Encode(v)
	if e := z.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return f.CloseAtomicallyReplace()
}

// prune removes the oldest files of a folder until it holds at most limit bytes.
func prune(dir string, limit int64) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	var infos []fs.FileInfo
	var total int64
	for _, d := range list {
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			infos = append(infos, info)
			total += info.Size()
		}
	}
	sort.Slice(infos, func(i, j int) bool { return infos[i].ModTime().Before(infos[j].ModTime()) })
	for _, info := range infos {
		if total <= limit {
			return
		}
		if os.Remove(filepath.Join(dir, info.Name())) == nil {
			total -= info.Size()
		}
	}
}
