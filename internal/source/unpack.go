package source

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"breakfix/internal/tree"
)

// unpack writes the files of a source distribution (tar.gz, tar.bz2 or zip),
// without its single top-level folder, into w. An archive that names a path or
// link outside that folder, a device, or too much is refused as a whole.
func unpack(w *writer, name string, archive []byte) error {
	switch {
	case strings.HasSuffix(name, ".zip"):
		return unpackZip(w, archive)
	case strings.HasSuffix(name, ".tar.gz"), strings.HasSuffix(name, ".tgz"):
		z, err := gzip.NewReader(bytes.NewReader(archive))
		if err != nil {
			return err
		}
		return unpackTar(w, z)
	case strings.HasSuffix(name, ".tar.bz2"):
		return unpackTar(w, bzip2.NewReader(bytes.NewReader(archive)))
	}
	return fmt.Errorf("%s is no archive that breakfix reads (tar.gz, tar.bz2, zip)", name)
}

// inner takes the top-level folder off an archive's path, "" for that folder
// itself. top remembers the folder, which must be the same for all entries.
func inner(top *string, name string) (string, error) {
	name = strings.TrimPrefix(name, "./")
	name = strings.TrimRight(name, "/")
	if name == "" || name == "." {
		return "", nil
	}
	if err := tree.CheckPath(name); err != nil {
		return "", err
	}
	first, rest, _ := strings.Cut(name, "/")
	if *top == "" {
		*top = first
	}
	if first != *top {
		return "", fmt.Errorf("two top-level entries, %q and %q", *top, first)
	}
	return rest, nil
}

func unpackTar(w *writer, r io.Reader) error {
	// Sizes in headers are checked as files are written; this bounds what a
	// compressed run of headers alone can make us read.
	in := tar.NewReader(io.LimitReader(r, maxBytes+maxFiles*1024))
	top := ""
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		p, err := inner(&top, h.Name)
		if err != nil {
			return err
		}
		if p == "" && h.Typeflag != tar.TypeDir {
			return fmt.Errorf("%q lies outside the top-level folder", h.Name)
		}
		if p == "" || skipped(p) {
			continue
		}
		switch h.Typeflag {
		case tar.TypeDir:
		case tar.TypeReg:
			err = w.file(p, h.Mode&0o111 != 0, h.Size, in)
		case tar.TypeSymlink:
			err = w.link(p, h.Linkname)
		case tar.TypeLink:
			err = copyWithin(w, &top, p, h.Linkname)
		default:
			err = fmt.Errorf("%s is a device, pipe or other special file", h.Name)
		}
		if err != nil {
			return err
		}
	}
}

// copyWithin makes a hard link of an archive: a copy of a file unpacked before.
func copyWithin(w *writer, top *string, p, target string) error {
	from, err := inner(top, target)
	if err != nil {
		return err
	}
	if from == p {
		return fmt.Errorf("%s is a link to itself", p)
	}
	info, err := w.root.Lstat(from)
	if err != nil || !info.Mode().IsRegular() {
		return fmt.Errorf("%s is a link to %q, which is no file before it", p, target)
	}
	f, err := w.root.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	return w.file(p, info.Mode()&0o111 != 0, info.Size(), f)
}

func unpackZip(w *writer, archive []byte) error {
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return err
	}
	top := ""
	for _, f := range z.File {
		dir := strings.HasSuffix(f.Name, "/")
		p, err := inner(&top, f.Name)
		if err != nil {
			return err
		}
		if p == "" && !dir {
			return fmt.Errorf("%q lies outside the top-level folder", f.Name)
		}
		if dir || skipped(p) {
			continue
		}
		if err := unzipOne(w, p, f); err != nil {
			return err
		}
	}
	return nil
}

func unzipOne(w *writer, p string, f *zip.File) error {
	mode := f.Mode()
	if mode&os.ModeType != 0 && mode&os.ModeType != os.ModeSymlink {
		return fmt.Errorf("%s is a device, pipe or other special file", f.Name)
	}
	if f.UncompressedSize64 > maxBytes {
		return errTooLarge
	}
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	if mode&os.ModeSymlink != 0 {
		to, err := io.ReadAll(io.LimitReader(in, 4096))
		if err != nil {
			return err
		}
		return w.link(p, string(to))
	}
	return w.file(p, mode&0o111 != 0, int64(f.UncompressedSize64), in)
}

// archiveName reports whether a file of an index is a source distribution, and
// of which version. project is a normalised name.
func archiveName(file, project string) (version string, ok bool) {
	for _, end := range []string{".tar.gz", ".zip", ".tar.bz2", ".tgz"} {
		stem, found := strings.CutSuffix(path.Base(file), end)
		if !found {
			continue
		}
		// The name may hold dashes, the version begins after one of them.
		for i := 0; i < len(stem); i++ {
			if stem[i] != '-' || normalName(stem[:i]) != project {
				continue
			}
			if _, ok := parseVersion(stem[i+1:]); ok {
				return stem[i+1:], true
			}
		}
	}
	return "", false
}
