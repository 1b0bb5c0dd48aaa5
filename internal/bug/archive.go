package bug

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"syscall"

	"breakfix/internal/tree"
)

// Limits of an embedded base.
const (
	maxBase      = 1 << 30 // bytes unpacked
	maxBaseFiles = 100_000
)

// Pack returns a tree as an artifact embeds its base: a tar.gz archive, equal
// for equal trees.
func Pack(t *tree.Tree) ([]byte, error) { return pack(t) }

// Unpack reads what Pack wrote, as strictly as Load reads an embedded base.
func Unpack(data []byte) (*tree.Tree, error) { return unpack(data) }

// pack returns a tree as base.tar.gz: files in path order, no times, no
// owners, so that equal trees give equal bytes.
func pack(t *tree.Tree) ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	w := tar.NewWriter(z)
	for _, p := range t.Paths() {
		data, err := t.Read(p)
		if err != nil {
			return nil, fmt.Errorf("embed the base: %w", err)
		}
		h := &tar.Header{Name: p, Mode: 0o644, Typeflag: tar.TypeReg, Size: int64(len(data)), Format: tar.FormatPAX}
		switch t.Kind(p) {
		case tree.Executable:
			h.Mode = 0o755
		case tree.Link:
			h.Typeflag, h.Linkname, h.Size, data = tar.TypeSymlink, string(data), 0, nil
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("embed the base: %s: %w", p, err)
		}
		if _, err := w.Write(data); err != nil {
			return nil, fmt.Errorf("embed the base: %s: %w", p, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// unpack reads base.tar.gz into memory. Only files and links are taken, within
// the limits, at paths that stay inside; nothing is written or followed.
func unpack(data []byte) (*tree.Tree, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	r := tar.NewReader(io.LimitReader(z, maxBase+1<<20))
	files := map[string]*tree.File{}
	total := int64(0)
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if _, ok := files[h.Name]; ok {
			return nil, fmt.Errorf("%s is there twice", h.Name)
		}
		if total += h.Size; total > maxBase || len(files) >= maxBaseFiles {
			return nil, fmt.Errorf("it unpacks to more than %d bytes or %d files", maxBase, maxBaseFiles)
		}
		f := &tree.File{Kind: tree.Regular}
		switch h.Typeflag {
		case tar.TypeReg:
			if h.Mode&0o111 != 0 {
				f.Kind = tree.Executable
			}
			if f.Data, err = io.ReadAll(r); err != nil {
				return nil, err
			}
		case tar.TypeSymlink:
			f.Kind, f.Data = tree.Link, []byte(h.Linkname)
		default:
			return nil, fmt.Errorf("%s is neither a file nor a link", h.Name)
		}
		files[h.Name] = f
	}
	return tree.FromFiles(files)
}

// openNoFollow opens a file for reading unless it is a link, and does not wait
// for the other end of a pipe.
func openNoFollow(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
}
