package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// TokenizerRoute is where the conformance server tells its tokenizer. No other
// server has it.
const TokenizerRoute = "/api/v1/tokenizer"

// Special ids of Pieces: they begin and end messages, and no text encodes to
// them.
const (
	PieceNothing int32 = iota // padding
	PieceSystem
	PieceUser
	PieceAssistant
	PieceTool
	PieceEnd
	piecesSpecial // ids from here on are the 256 bytes, then the pieces
)

// Pieces is a tokenizer without merges: the longest piece that fits, else a byte.
// It is the conformance server's, and simple enough to be sent.
type Pieces struct {
	List []string `json:"pieces"` // texts of two bytes and more

	ids     map[string]int32
	longest int
}

// NewPieces makes a tokenizer of texts of at least two bytes each, all different.
func NewPieces(list []string) (*Pieces, error) {
	p := &Pieces{List: list}
	return p, p.prepare()
}

func (p *Pieces) prepare() error {
	p.ids = make(map[string]int32, len(p.List))
	for i, s := range p.List {
		if _, twice := p.ids[s]; twice || len(s) < 2 {
			return fmt.Errorf("piece %d of the tokenizer, %q, is too short or there twice", i, s)
		}
		p.ids[s] = piecesSpecial + 256 + int32(i)
		p.longest = max(p.longest, len(s))
	}
	return nil
}

// Vocabulary counts special ids, bytes and pieces.
func (p *Pieces) Vocabulary() int { return int(piecesSpecial) + 256 + len(p.List) }

// Stops is the one id that ends a message.
func (p *Pieces) Stops() []int32 { return []int32{PieceEnd} }

// Encode cuts a text into the longest pieces, from its beginning.
func (p *Pieces) Encode(_ context.Context, text string) ([]int32, error) {
	return p.append(nil, text), nil
}

func (p *Pieces) append(ids []int32, text string) []int32 {
next:
	for len(text) > 0 {
		for n := min(p.longest, len(text)); n > 1; n-- {
			if id, ok := p.ids[text[:n]]; ok {
				ids, text = append(ids, id), text[n:]
				continue next
			}
		}
		ids, text = append(ids, piecesSpecial+int32(text[0])), text[1:]
	}
	return ids
}

// Decode joins the texts of ids; what is not UTF-8 is replaced.
func (p *Pieces) Decode(_ context.Context, ids []int32) (string, error) {
	var b strings.Builder
	for _, id := range ids {
		switch n := int(id - piecesSpecial); {
		case id < 0 || int(id) >= p.Vocabulary():
			return "", fmt.Errorf("token %d is outside the vocabulary of %d", id, p.Vocabulary())
		case n < 0:
		case n < 256:
			b.WriteByte(byte(n))
		default:
			b.WriteString(p.List[n-256])
		}
	}
	return strings.ToValidUTF8(b.String(), "\uFFFD"), nil
}

var pieceOfRole = map[string]int32{"system": PieceSystem, "user": PieceUser, "assistant": PieceAssistant, "tool": PieceTool}

// Render writes each message between its role's id and the end's id. Tools stand
// in a system message of their own, one JSON object a line.
func (p *Pieces) Render(_ context.Context, a Ask) ([]int32, error) {
	if len(a.Messages) == 0 {
		return nil, errors.New("a conversation without messages")
	}
	var ids []int32
	if len(a.Tools) > 0 {
		ids = p.append(append(ids, PieceSystem), "tools:")
		for _, t := range a.Tools {
			b, err := json.Marshal(t)
			if err != nil {
				return nil, fmt.Errorf("write the tool %s: %w", t.Name, err)
			}
			ids = p.append(ids, "\n"+string(b))
		}
		ids = append(ids, PieceEnd)
	}
	for _, m := range a.Messages {
		role, ok := pieceOfRole[m.Role]
		if !ok {
			return nil, fmt.Errorf("a message of role %q", m.Role)
		}
		ids = append(ids, role)
		if said := m.Tokens; len(said) > 0 {
			if said[len(said)-1] == PieceEnd {
				said = said[:len(said)-1]
			}
			ids = append(ids, said...)
		} else {
			ids = p.append(ids, m.Content+writeCalls(m.Calls))
		}
		ids = append(ids, PieceEnd)
	}
	return append(ids, PieceAssistant), nil
}
