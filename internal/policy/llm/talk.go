package llm

import (
	"context"
	"fmt"
	"strings"

	"breakfix/internal/engine"
)

// talk is the conversation as it is sent: the play's, with old outputs elided
// where it would be longer than the model can read.
type talk struct {
	p        *Policy
	messages []engine.Message
	opening  int // messages that are never elided
	tools    []*tool
	known    int // tokens of the conversation up to the last answer, by the server
	at       int // messages that known covers
	unseen   int // answers without a call so far
}

// ask renders the next question. ok is false when it does not fit.
func (t *talk) ask(ctx context.Context, seed uint64) (a engine.Ask, ok bool, err error) {
	a = engine.Ask{Messages: t.messages, MaxTokens: t.p.o.Answer, Temperature: t.p.o.Temperature, Seed: seed}
	if t.p.o.Protocol == Calls {
		for _, tool := range t.tools {
			a.Tools = append(a.Tools, tool.spec)
		}
	}
	room := t.p.o.Context - t.p.o.Answer
	// A token is a byte at least, so what is short enough need not be counted.
	if t.known > 0 && t.known+bytesOf(t.messages[t.at:])+8*len(t.messages[t.at:]) <= room {
		return a, true, nil
	}
	for {
		n, err := t.p.sampler.Count(ctx, a)
		if err != nil {
			return a, false, err
		}
		if n <= room {
			return a, true, nil
		}
		if !t.elideOldest() {
			return a, false, nil
		}
		a.Messages, t.known = t.messages, 0
	}
}

// elideOldest shortens the oldest long output of a tool; false when none is left.
func (t *talk) elideOldest() bool {
	const short = 200
	for i := t.opening; i < len(t.messages)-1; i++ {
		m := t.messages[i]
		if m.Role == "assistant" || len(m.Content) <= short {
			continue
		}
		messages := append([]engine.Message(nil), t.messages...)
		messages[i].Content = fmt.Sprintf("[%d characters were shown here]", len([]rune(m.Content)))
		t.messages = messages
		return true
	}
	return false
}

// said takes in an answer.
func (t *talk) said(a engine.Answer) {
	t.messages = append(t.messages, a.Message)
	t.known, t.at = a.Read+a.Written, len(t.messages)
	if a.Read == 0 {
		t.known = 0
	}
}

// reply is the result of a call as the model is told it.
func (t *talk) reply(c engine.Call, text string) engine.Message {
	if t.p.o.Protocol == Calls {
		return engine.Message{Role: "tool", Content: text, Call: c.ID}
	}
	return engine.Message{Role: "user", Content: text}
}

// parse finds the calls of an answer; why tells a model that made none what to do.
func (t *talk) parse(a engine.Answer) (calls []engine.Call, why string) {
	if t.p.o.Protocol == Calls {
		if len(a.Message.Calls) > 0 {
			return a.Message.Calls, ""
		}
		return nil, "No tool was called. Call one: " + names(t.tools) + "."
	}
	if t.p.o.Brief {
		if c, ok := bare(a.Message.Content, t.tools); ok {
			return []engine.Call{c}, ""
		}
	}
	if c, ok := command(a.Message.Content, t.tools); ok {
		return []engine.Call{c}, ""
	}
	if t.p.o.Brief {
		return nil, "No number was found. Answer with the number of a change."
	}
	return nil, "No command was found. Answer with one: " + names(t.tools) + "."
}

func names(tools []*tool) string {
	var all []string
	for _, t := range tools {
		all = append(all, t.name)
	}
	return strings.Join(all, ", ")
}

func bytesOf(ms []engine.Message) int {
	n := 0
	for _, m := range ms {
		n += size(m)
	}
	return n
}

// maxShown bounds the output of a tool that a model is shown, in bytes.
const maxShown = 8000

// elide keeps head and tail of a long text, with a count of what is left out.
func elide(s string, most int) string {
	if len(s) <= most {
		return s
	}
	head, tail := s[:most*2/3], s[len(s)-most/3:]
	if i := strings.LastIndexByte(head, '\n'); i > 0 {
		head = head[:i+1]
	}
	if i := strings.IndexByte(tail, '\n'); i >= 0 && i < len(tail)-1 {
		tail = tail[i+1:]
	}
	left := s[len(head) : len(s)-len(tail)]
	what := fmt.Sprintf("%d characters", len([]rune(left)))
	if n := strings.Count(left, "\n"); n > 0 {
		what = fmt.Sprintf("%d lines", n)
	}
	return strings.ToValidUTF8(head, "") + "[… " + what + " left out …]\n" + strings.ToValidUTF8(tail, "")
}
