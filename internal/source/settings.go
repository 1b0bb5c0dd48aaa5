package source

import (
	"crypto/x509"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// defaultIndex is where packages come from when the user's pip and uv name
// nothing else.
const defaultIndex = "https://pypi.org/simple"

// indexSettings say how this machine's package client reaches its index.
type indexSettings struct {
	index     string   // base of the simple API
	extra     []string // further indexes
	findLinks []string // folders and pages with archives
	cert      string   // bundle of certificates to trust besides the system's
}

// readIndexSettings looks where uv and pip look, in this order: variables of
// uv, of pip, uv's file, pip's files.
func readIndexSettings() indexSettings {
	pip := pipConfig()
	uv := uvConfig()
	first := func(values ...string) string {
		for _, v := range values {
			if v = strings.TrimSpace(v); v != "" {
				return v
			}
		}
		return ""
	}
	env := os.Getenv
	return indexSettings{
		index:     strings.TrimRight(first(env("UV_DEFAULT_INDEX"), env("UV_INDEX_URL"), env("PIP_INDEX_URL"), uv.IndexURL, pip["index-url"], defaultIndex), "/"),
		extra:     strings.Fields(first(env("UV_EXTRA_INDEX_URL"), env("PIP_EXTRA_INDEX_URL"), strings.Join(uv.ExtraIndexURL, " "), pip["extra-index-url"])),
		findLinks: strings.FieldsFunc(first(env("UV_FIND_LINKS"), env("PIP_FIND_LINKS"), strings.Join(uv.FindLinks, ","), pip["find-links"]), func(r rune) bool { return r == ' ' || r == ',' || r == '\n' }),
		cert:      first(env("SSL_CERT_FILE"), env("PIP_CERT"), env("REQUESTS_CA_BUNDLE"), pip["cert"]),
	}
}

// pipConfig reads pip's configuration files; later ones win, as in pip.
func pipConfig() map[string]string {
	files := []string{"/etc/pip.conf"}
	if home, err := os.UserHomeDir(); err == nil {
		files = append(files, filepath.Join(home, ".pip", "pip.conf"))
	}
	if dir, err := os.UserConfigDir(); err == nil {
		files = append(files, filepath.Join(dir, "pip", "pip.conf"))
	}
	if f := os.Getenv("PIP_CONFIG_FILE"); f != "" {
		files = append(files, f)
	}
	values := map[string]string{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		ini := parseINI(string(b))
		for _, section := range []string{"global", "install"} {
			for k, v := range ini[section] {
				values[strings.ReplaceAll(k, "_", "-")] = v
			}
		}
	}
	return values
}

type uvSettings struct {
	IndexURL      string   `toml:"index-url"`
	ExtraIndexURL []string `toml:"extra-index-url"`
	FindLinks     []string `toml:"find-links"`
	Index         []struct {
		URL     string `toml:"url"`
		Default bool   `toml:"default"`
	} `toml:"index"`
}

// uvConfig reads the user's uv.toml.
func uvConfig() uvSettings {
	var s uvSettings
	if dir, err := os.UserConfigDir(); err == nil {
		if _, err := toml.DecodeFile(filepath.Join(dir, "uv", "uv.toml"), &s); err != nil {
			return uvSettings{}
		}
	}
	for _, i := range s.Index {
		if i.Default {
			s.IndexURL = i.URL
		} else {
			s.ExtraIndexURL = append(s.ExtraIndexURL, i.URL)
		}
	}
	return s
}

// parseINI reads an ini file: section to key to value; lines that are indented
// go on with the value above. Keys are in lower case.
func parseINI(text string) map[string]map[string]string {
	out := map[string]map[string]string{}
	section, key := "", ""
	for _, line := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, ";"):
		case strings.HasPrefix(line, "[") && strings.Contains(line, "]"):
			section, key = strings.TrimSpace(line[1:strings.Index(line, "]")]), ""
			if out[section] == nil {
				out[section] = map[string]string{}
			}
		case (line[0] == ' ' || line[0] == '\t') && key != "" && out[section] != nil:
			out[section][key] += "\n" + trimmed
		default:
			i := strings.IndexAny(line, "=:")
			if i < 0 || out[section] == nil {
				continue
			}
			key = strings.ToLower(strings.TrimSpace(line[:i]))
			out[section][key] = strings.TrimSpace(line[i+1:])
		}
	}
	return out
}

// client makes the HTTP client that these settings ask for. Proxies are the
// usual variables.
func (s indexSettings) client() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	if s.cert != "" {
		if pem, err := os.ReadFile(s.cert); err == nil {
			pool, err := x509.SystemCertPool()
			if err != nil {
				pool = x509.NewCertPool()
			}
			pool.AppendCertsFromPEM(pem)
			t.TLSClientConfig.RootCAs = pool
		}
	}
	return &http.Client{Transport: t, Timeout: 5 * time.Minute}
}

// public is the settings without credentials: what foreign code may see.
func (s indexSettings) public() indexSettings {
	p := indexSettings{index: withoutUser(s.index), cert: s.cert}
	for _, u := range s.extra {
		p.extra = append(p.extra, withoutUser(u))
	}
	for _, u := range s.findLinks {
		if strings.Contains(u, "://") {
			p.findLinks = append(p.findLinks, withoutUser(u))
		} else if info, err := os.Stat(u); err == nil && info.IsDir() && filepath.IsAbs(u) {
			p.findLinks = append(p.findLinks, u)
		}
	}
	return p
}

func withoutUser(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.User == nil {
		return s
	}
	u.User = nil
	return u.String()
}
