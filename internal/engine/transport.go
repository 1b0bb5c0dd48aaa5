package engine

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// Patience is how a client waits. The zero value is what suits a real server.
type Patience struct {
	Request time.Duration // for one request with all its retries; 5 minutes
	Future  time.Duration // for one future to finish; an hour (first shapes compile, queues pause)
	First   time.Duration // before the first retry, doubled each time up to 30 s; 250 ms
	Poll    time.Duration // between two looks at a future that is not done; 50 ms, up to 2 s
	Beat    time.Duration // between two heartbeats; 10 s
}

func (p Patience) withDefaults() Patience {
	for _, f := range []struct {
		at *time.Duration
		to time.Duration
	}{{&p.Request, 5 * time.Minute}, {&p.Future, time.Hour}, {&p.First, 250 * time.Millisecond}, {&p.Poll, 50 * time.Millisecond}, {&p.Beat, 10 * time.Second}} {
		if *f.at <= 0 {
			*f.at = f.to
		}
	}
	return p
}

const (
	longestPause = 30 * time.Second
	longestPoll  = 2 * time.Second
	tries500     = 5       // the same body fails in the same way, mostly
	triesWrong   = 3       // of an answer that cannot be read
	mostBody     = 1 << 30 // bytes of an answer
)

// Counts is what a client had to do, for logs and tests.
type Counts struct {
	Requests    int64 `json:"requests"`    // HTTP requests, all of them
	Retries     int64 `json:"retries"`     // of these, the same bytes again
	Limited     int64 `json:"limited"`     // answers 429 or 402
	Polls       int64 `json:"polls"`       // looks at futures that were not done
	Resubmitted int64 `json:"resubmitted"` // requests sent anew because their future was gone
	Restored    int64 `json:"restored"`    // models made anew from what was kept
}

type counters struct {
	requests, retries, limited, polls, resubmitted, restored atomic.Int64
}

func (c *counters) read() Counts {
	return Counts{c.requests.Load(), c.retries.Load(), c.limited.Load(), c.polls.Load(), c.resubmitted.Load(), c.restored.Load()}
}

// transport sends requests to one server and sends them again, byte for byte,
// until they are answered.
type transport struct {
	base     *url.URL
	http     *http.Client
	key      Key
	header   string // of the key: X-API-Key or Authorization
	patience Patience
	counters
}

func newTransport(address string, key Key, header string, p Patience) (*transport, error) {
	u, err := url.Parse(strings.TrimRight(address, "/"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, &Error{Kind: Invalid, Server: excerpt([]byte(key.scrub(address))), Doing: "connect", Reason: "this is no address of a server", Next: "name one like http://127.0.0.1:8000"}
	}
	if u.User != nil {
		u.User = nil
		return nil, &Error{Kind: Invalid, Server: u.String(), Doing: "connect", Reason: "the address holds a user name or password", Next: "set " + KeyVariable + " instead"}
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}
	return &transport{
		base: u, key: key, header: header, patience: p.withDefaults(),
		http: &http.Client{
			Transport: &http.Transport{
				Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, TLSHandshakeTimeout: 15 * time.Second,
				MaxIdleConns: 256, MaxIdleConnsPerHost: 256, IdleConnTimeout: 60 * time.Second, ForceAttemptHTTP2: true,
			},
			// A redirect would take key and body elsewhere.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// request is one call of the protocol.
type request struct {
	doing   string // for errors: "sample", "train"
	method  string
	route   string
	kind    string // content type of the body
	accept  string
	body    []byte
	once    bool // whether the server took it must be certain: what is not known is an error of kind unsure
	pending bool // 408 means not yet: it is answered, not retried
	quick   bool // one try
	limit   time.Duration
}

// reply is an answer with a status under 300, or 408 or 410 of a future.
type reply struct {
	status int
	kind   string
	body   []byte
	after  bool // an earlier try was not answered, so the server may have seen the request twice
}

// post sends a request with a JSON body.
func (t *transport) post(ctx context.Context, doing, route string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return t.call(ctx, request{doing: doing, method: http.MethodPost, route: route, kind: "application/json", body: b}, into)
}

// get asks for a route.
func (t *transport) get(ctx context.Context, doing, route string, into any) error {
	return t.call(ctx, request{doing: doing, method: http.MethodGet, route: route}, into)
}

// call sends a request whose answer is JSON. An answer that is not is asked for
// again a few times.
func (t *transport) call(ctx context.Context, r request, into any) error {
	for try := 1; ; try++ {
		got, err := t.send(ctx, r)
		if err != nil {
			return err
		}
		if err = t.read(r, got, into); err == nil || try == triesWrong || r.once {
			return err
		}
		t.retries.Add(1)
		if err := sleep(ctx, t.patience.First); err != nil {
			return err
		}
	}
}

// send sends a request until it is answered: tries that were not answered, or
// with a status that passes, are made again with the same bytes.
func (t *transport) send(ctx context.Context, r request) (reply, error) {
	limit := r.limit
	if limit == 0 {
		limit = t.patience.Request
	}
	id := "breakfix-" + rand.Text()
	began, pause, bad500, after := time.Now(), t.patience.First, 0, false
	for {
		got, wait, err := t.try(ctx, r, id)
		if err == nil {
			got.after = after
			return got, nil
		}
		var e *Error
		if ctx.Err() != nil {
			return reply{}, ctx.Err()
		}
		if !errors.As(err, &e) || e.Kind != retry {
			return reply{}, err
		}
		unknown := e.Status == 0 && !refusedConnection(e.err) || e.Status >= 500
		after = after || unknown
		if e.Status == http.StatusInternalServerError {
			bad500++
		}
		if r.once && unknown {
			return reply{}, t.fail(unsure, r, e.Status, e.Reason, e.err)
		}
		if r.quick || time.Since(began) > limit || bad500 >= tries500 {
			return reply{}, t.giveUp(r, e, time.Since(began))
		}
		if wait == 0 {
			wait, pause = pause, min(2*pause, longestPause)
		}
		t.retries.Add(1)
		if err := sleep(ctx, wait); err != nil {
			return reply{}, err
		}
	}
}

// retry is the kind of what is tried again.
const retry Kind = "retry"

// try sends a request once. wait is how long the server wants to be left alone.
func (t *transport) try(ctx context.Context, r request, id string) (got reply, wait time.Duration, err error) {
	t.requests.Add(1)
	var body io.Reader
	if r.method == http.MethodPost {
		body = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, t.base.String()+r.route, body)
	if err != nil {
		return got, 0, err
	}
	if r.method == http.MethodPost {
		req.Header.Set("Content-Type", r.kind)
		req.Header.Set("X-Idempotency-Key", id)
		req.GetBody = nil // net/http must not send a body again by itself: whether it was taken is for us to judge
	}
	req.Header.Set("Accept", "application/json")
	if r.accept != "" {
		req.Header.Set("Accept", r.accept)
	}
	req.Header.Set("User-Agent", "breakfix")
	if !t.key.Empty() {
		if t.header == "Authorization" {
			req.Header.Set("Authorization", "Bearer "+t.key.secret)
		} else {
			req.Header.Set(t.header, t.key.secret)
		}
	}
	res, err := t.http.Do(req)
	if err != nil {
		return got, 0, t.fail(retry, r, 0, plainly(err), err)
	}
	defer res.Body.Close()
	got = reply{status: res.StatusCode}
	got.kind, _, _ = mime.ParseMediaType(res.Header.Get("Content-Type"))
	got.body, err = io.ReadAll(io.LimitReader(res.Body, mostBody))
	if err != nil {
		return got, 0, t.fail(retry, r, 0, "its answer was cut off: "+plainly(err), err)
	}
	switch s := res.StatusCode; {
	case s < 300:
		return got, 0, nil
	case r.pending && (s == http.StatusRequestTimeout || s == http.StatusGone):
		return got, 0, nil
	case s == http.StatusTooManyRequests || s == http.StatusPaymentRequired:
		t.limited.Add(1)
		return got, retryAfter(res.Header), t.refused(retry, r, got)
	case s == http.StatusRequestTimeout || s == http.StatusTooEarly || s >= 500:
		return got, retryAfter(res.Header), t.refused(retry, r, got)
	case s == http.StatusUnauthorized || s == http.StatusForbidden:
		return got, 0, t.refused(Refused, r, got)
	case s < 400:
		return got, 0, t.fail(Foreign, r, s, "it sends elsewhere, to "+excerpt([]byte(res.Header.Get("Location"))), nil)
	case s == http.StatusNotFound || s == http.StatusMethodNotAllowed:
		return got, 0, t.refused(Missing, r, got)
	}
	return got, 0, t.refused(Invalid, r, got)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
