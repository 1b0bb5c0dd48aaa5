package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// read decodes a JSON answer, or says what came instead.
func (t *transport) read(r request, got reply, into any) error {
	if into == nil {
		return nil
	}
	err := json.Unmarshal(got.body, into)
	if err == nil {
		return nil
	}
	return t.unreadable(r, got, err)
}

func (t *transport) unreadable(r request, got reply, err error) *Error {
	switch {
	case strings.HasPrefix(got.kind, "text/html") || bytes.HasPrefix(bytes.TrimSpace(got.body), []byte("<")):
		return t.fail(Foreign, r, got.status, "it answered with a web page: "+excerpt(got.body), err)
	case len(bytes.TrimSpace(got.body)) == 0:
		return t.fail(Wrong, r, got.status, "it answered with nothing", err)
	}
	return t.fail(Wrong, r, got.status, fmt.Sprintf("its answer cannot be read (%v): %s", err, excerpt(got.body)), err)
}

func (t *transport) fail(k Kind, r request, status int, reason string, err error) *Error {
	return &Error{Kind: k, Server: t.base.String(), Doing: r.doing, Status: status, Reason: t.key.scrub(reason), Next: next(k), err: err}
}

// giveUp words the last of many failures.
func (t *transport) giveUp(r request, e *Error, after time.Duration) *Error {
	kind, reason := Failed, e.Reason
	switch e.Status {
	case 0:
		kind = Absent
	case http.StatusPaymentRequired, http.StatusTooManyRequests:
		kind = Refused
	case http.StatusRequestTimeout:
		kind = Slow
	}
	if after > 2*time.Second {
		reason += fmt.Sprintf(" (tried for %s)", after.Round(time.Second))
	}
	out := t.fail(kind, r, e.Status, reason, e.err)
	if e.Status == http.StatusTooManyRequests || e.Status == http.StatusPaymentRequired {
		out.Next = "the server limits or bills its use: wait, or look at the account"
	}
	return out
}

// refused is an error with what the server said about it.
func (t *transport) refused(k Kind, r request, got reply) *Error {
	reason := fmt.Sprintf("it answered %d %s", got.status, http.StatusText(got.status))
	if said := detail(got.body); said != "" && !strings.HasPrefix(got.kind, "text/html") {
		reason += ": " + said
	}
	return t.fail(k, r, got.status, reason, nil)
}

// detail is the message of an error's body, in one of the usual places.
func detail(body []byte) string {
	var said struct {
		Detail  json.RawMessage `json:"detail"`
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
	}
	if json.Unmarshal(body, &said) != nil {
		return excerpt(body)
	}
	for _, raw := range []json.RawMessage{said.Detail, said.Error} {
		var s string
		var o struct {
			Message string `json:"message"`
		}
		switch {
		case len(raw) == 0 || string(raw) == "null":
		case json.Unmarshal(raw, &s) == nil:
			return excerpt([]byte(s))
		case json.Unmarshal(raw, &o) == nil && o.Message != "":
			return excerpt([]byte(o.Message))
		default:
			return excerpt(raw)
		}
	}
	return excerpt([]byte(said.Message))
}

// retryAfter is the header of that name, in seconds or as a date.
func retryAfter(h http.Header) time.Duration {
	v := h.Get("Retry-After")
	if s, err := strconv.ParseFloat(v, 64); err == nil && s > 0 {
		return min(time.Duration(s*float64(time.Second)), 10*time.Minute)
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, min(time.Until(at), 10*time.Minute))
	}
	return 0
}

// refusedConnection reports whether nothing can have been sent.
func refusedConnection(err error) bool {
	var op *net.OpError
	return errors.Is(err, syscall.ECONNREFUSED) || errors.As(err, &op) && op.Op == "dial"
}

// plainly words an error of the network without the address, which is told anyway.
func plainly(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var dns *net.DNSError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there"
	case errors.As(err, &dns):
		return "there is no host " + dns.Name
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF):
		return "the connection was closed before the answer"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed in the middle"
	}
	return err.Error()
}
