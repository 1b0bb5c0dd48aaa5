package llm

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"breakfix/internal/arena"
	"breakfix/internal/engine"
	"breakfix/internal/outcome"
)

// Ending says how a play ended. All but Submitted and, of the fixer, OutOfSteps
// hand in nothing.
type Ending string

// The endings.
const (
	Submitted    Ending = "submitted"
	GaveUp       Ending = "gave_up"
	OutOfSteps   Ending = "out_of_steps"
	OutOfContext Ending = "out_of_context" // what must be said no longer fits
	OutOfTime    Ending = "out_of_time"    // Options.Patience
	Repeated     Ending = "repeated"       // the same call three times in a row
	NoCall       Ending = "no_call"        // three answers in a row without a call
	WrongCalls   Ending = "wrong_calls"    // eight calls in a row that could not be made
	TooLong      Ending = "too_long"       // an answer of over MaxReply bytes
)

// Bounds of what a model may do before a play is ended.
const (
	mostAlike  = 3
	mostSilent = 3
	mostWrong  = 8
	// MaxReply bounds an answer in bytes: servers have been seen to ignore max_tokens.
	MaxReply = 256 << 10
	// mostCalls bounds the calls of one answer that are made.
	mostCalls = 8
)

// play is the loop of both roles: render, sample, execute, append.
func (p *Policy) play(parent context.Context, role arena.Role, task arena.Task, s side, opening []engine.Message) (*Play, error) {
	ctx, cancel := context.WithTimeout(parent, p.o.Patience)
	defer cancel()
	play := &Play{Role: role, Protocol: p.o.Protocol, Model: p.sampler.Model(), Form: outcome.FormNone, Messages: opening}
	talk := &talk{p: p, messages: opening, opening: len(opening), tools: toolsFor(role)}
	var guard guard
	for play.Ended == "" {
		ask, ok, err := talk.ask(ctx, stepSeed(task.Seed, len(play.Turns)))
		if err == nil && !ok {
			play.Ended = OutOfContext
			break
		}
		began := p.o.Now()
		version := p.sampler.Version()
		var answer engine.Answer
		if err == nil {
			answer, err = p.sampler.Sample(ctx, ask)
		}
		if answer.Version != "" {
			version = answer.Version
		}
		if err != nil {
			if parent.Err() == nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
				play.Ended = OutOfTime
				break
			}
			return nil, fmt.Errorf("ask the model: %w", err)
		}
		if size(answer.Message) > MaxReply {
			play.Ended = TooLong
			answer.Message = engine.Message{Role: "assistant", Content: elide(answer.Message.Content, 2000)}
			n := min(p.o.Answer, len(answer.Tokens), len(answer.LogProbs))
			answer.Tokens, answer.LogProbs = answer.Tokens[:n], answer.LogProbs[:n] // what it was let write
		}
		turn := play.add(answer, version, began, p.o.Now())
		talk.said(answer)
		if play.Ended != "" {
			break
		}
		replies, form, ended, err := p.execute(ctx, s, talk, answer, &guard)
		if err != nil {
			if parent.Err() == nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
				play.Ended = OutOfTime
				break
			}
			return nil, err
		}
		play.Form = nearer(play.Form, form)
		turn.ToolSeconds = p.o.Now().Sub(began).Seconds() - turn.Seconds
		play.Messages = append(play.Messages, replies...)
		talk.messages = append(talk.messages, replies...)
		play.Ended = ended
	}
	return play, nil
}

// execute makes the calls of an answer, each of which is a step, and returns
// what the model is told, and how near it came to a change of code.
func (p *Policy) execute(ctx context.Context, s side, t *talk, answer engine.Answer, g *guard) (replies []engine.Message, form outcome.Form, ended Ending, err error) {
	calls, why := t.parse(answer)
	if len(calls) == 0 {
		form = wordOf(answer.Message.Content, t.tools)
		if errors.Is(s.look("no call"), arena.ErrOutOfSteps) {
			return nil, form, OutOfSteps, nil
		}
		return []engine.Message{{Role: "user", Content: why}}, form, g.silent(s.left()), nil
	}
	for i, c := range calls {
		if i >= mostCalls {
			replies = append(replies, t.reply(c, "Not done: too many calls in one answer."))
			continue
		}
		if ended != "" {
			replies = append(replies, t.reply(c, "Not done: the game has ended."))
			continue
		}
		out := invoke(ctx, s, t.tools, c)
		if out.err != nil {
			if errors.Is(out.err, arena.ErrOutOfSteps) {
				return replies, nearer(form, out.form), OutOfSteps, nil
			}
			return replies, form, "", out.err
		}
		form = nearer(form, out.form)
		replies = append(replies, t.reply(c, elide(out.text, maxShown)))
		ended = out.ended
		if ended == "" {
			ended = g.called(c, out.wrong)
		}
	}
	if ended == "" && s.left() <= 0 {
		ended = OutOfSteps
	}
	return replies, form, ended, nil
}

// guard ends plays that go nowhere.
type guard struct {
	last                string
	alike, quiet, wrong int
}

func (g *guard) silent(left int) Ending {
	g.quiet++
	g.last, g.alike = "", 0
	switch {
	case g.quiet >= mostSilent:
		return NoCall
	case left <= 0:
		return OutOfSteps
	}
	return ""
}

func (g *guard) called(c engine.Call, wrong bool) Ending {
	g.quiet = 0
	if key := c.Name + "\x00" + strings.TrimSpace(c.Arguments); key == g.last {
		g.alike++
	} else {
		g.last, g.alike = key, 1
	}
	if wrong {
		g.wrong++
	} else {
		g.wrong = 0
	}
	switch {
	case g.alike >= mostAlike:
		return Repeated
	case g.wrong >= mostWrong:
		return WrongCalls
	}
	return ""
}

// size is the length of what a model wrote, in bytes.
func size(m engine.Message) int {
	n := len(m.Content)
	for _, c := range m.Calls {
		n += len(c.Name) + len(c.Arguments)
	}
	return n
}

// stepSeed gives each step randomness of its own (SplitMix64, Steele et al. 2014).
func stepSeed(seed uint64, step int) uint64 {
	z := seed + uint64(step+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return (z ^ z>>31) >> 1 // servers read seeds as signed numbers
}
