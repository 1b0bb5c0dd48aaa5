package testrun

import (
	"encoding/json"
	"sort"
)

// Findings is a multiset of findings. In JSON it is a sorted list, each
// finding with its count.
type Findings map[Finding]int

type countedFinding struct {
	Finding
	Count int `json:"count"`
}

// MarshalJSON writes the findings in a fixed order.
func (f Findings) MarshalJSON() ([]byte, error) {
	list := make([]countedFinding, 0, len(f))
	for _, k := range f.sorted() {
		list = append(list, countedFinding{k, f[k]})
	}
	return json.Marshal(list)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (f *Findings) UnmarshalJSON(b []byte) error {
	var list []countedFinding
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	*f = Findings{}
	for _, c := range list {
		(*f)[c.Finding] += c.Count
	}
	return nil
}

func (f Findings) sorted() []Finding {
	keys := make([]Finding, 0, len(f))
	for k := range f {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool { return keys[i].less(keys[j]) })
	return keys
}

func (a Finding) less(b Finding) bool {
	for _, p := range [][2]string{{a.File, b.File}, {a.Rule, b.Rule}, {a.Object, b.Object}} {
		if p[0] != p[1] {
			return p[0] < p[1]
		}
	}
	return a.Message < b.Message
}

// String shows a finding on one line.
func (a Finding) String() string {
	s := a.File + ": " + a.Rule
	if a.Object != "" {
		s += " in " + a.Object
	}
	return s + ": " + a.Message
}

// NewFindings returns what now has and base has not, sorted. A second instance
// of a finding that the base has once is new.
func NewFindings(base, now Findings) []Finding {
	var fresh []Finding
	for _, k := range now.sorted() {
		for n := base[k]; n < now[k]; n++ {
			fresh = append(fresh, k)
		}
	}
	return fresh
}
