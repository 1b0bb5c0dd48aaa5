package builtin

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"breakfix/internal/arena"
	"breakfix/internal/mutate"
)

// operatorPrior is how much an operator is wanted, relative to one that is not
// listed (1): realism (how often people fix its pattern, TSSB-3M in the
// operator catalogue) times the expected share of its breaks that a test
// notices, flattened by a square root so that rare operators are played too.
// No evidence yet that these numbers are good; what is learned of breaks is added to them.
var operatorPrior = map[string]float64{
	"off_by_one_shift": 1.6, "relational_boundary": 1.3, "numeric_literal_change": 1.4, "arithmetic_operator_replace": 1.3,
	"bitwise_shift_replace": 0.9, "unary_invert_or_drop": 1.1, "compound_assign_degrade": 1.2, "operand_swap": 0.9,
	"expression_chain_break": 1.2, "condition_negate": 1.5, "connector_swap": 1.1, "condition_force": 1.1,
	"subcondition_drop": 1.4, "branch_body_swap": 1.0, "guard_clause_removal": 1.3, "case_or_arm_removal": 0.9,
	"loop_iteration_change": 1.0, "break_continue_swap": 1.0, "statement_reorder": 0.8, "statement_delete": 1.3,
	"variable_misuse": 2.0, "return_value_replace": 1.4, "container_element_drop": 0.9, "key_or_keyword_swap": 1.1,
	"null_default_removal": 0.9, "argument_swap": 1.3, "sibling_function": 1.3, "wrong_receiver_or_attribute": 1.6,
	"cleanup_removal": 0.8, "type_confusion": 1.3, "conversion_removal": 1.2, "truthiness_confusion": 0.8,
	"exception_swallow": 1.0, "error_check_removal": 1.0, "deadlock_injection": 1.2, "lock_removal": 0.5,
	"async_await_mismatch": 1.4, "alias_instead_of_copy": 0.6, "shared_mutable_state": 0.7,
}

// Pseudo-counts of the yield of an operator before it was tried: what a break
// is worth trying for shrinks with what came of its like in this run.
const (
	priorMade  = 3.0
	priorYield = 0.7
)

// fewTests is the number of covering tests at which a site is half as likely
// to be drawn as one that very many tests run: what few tests look at is
// seldom noticed.
const fewTests = 2.0

// prior gives the log-probability of each site before anything was learned: an
// operator, in proportion to what is wanted of it by hand and to the yield that it
// has had (neither where hand is false), over one plus the breaks of this run that
// used it already; then one of its functions, each alike, for a long function has
// many sites and breaks should spread over the code; then one of the sites
// there, in proportion to how likely a test looks.
func prior(sites []mutate.Mutation, a arena.Break, hand bool) []float64 {
	tried, known := a.Tried(), a.Known()
	type place struct{ path, function string }
	byOperator := map[string]map[place]float64{} // the looks of all its sites there
	looks := make([]float64, len(sites))
	for i, m := range sites {
		n := float64(a.Tests(m))
		looks[i] = n / (n + fewTests)
		if byOperator[m.Operator] == nil {
			byOperator[m.Operator] = map[place]float64{}
		}
		byOperator[m.Operator][place{m.Path, m.Function}] += looks[i]
	}
	names := slices.Sorted(maps.Keys(byOperator))
	wanted, total := map[string]float64{}, 0.0
	for _, n := range names {
		w := 1.0
		if hand {
			if by, ok := operatorPrior[n]; ok {
				w = by
			}
			y := known[n]
			w *= (float64(y.Valid) + priorMade*priorYield) / (float64(y.Made) + priorMade)
		}
		wanted[n] = w / float64(1+tried[n])
		total += wanted[n]
	}
	logs := make([]float64, len(sites))
	for i, m := range sites {
		places := byOperator[m.Operator]
		logs[i] = math.Log(wanted[m.Operator]/total) - math.Log(float64(len(places))) + math.Log(looks[i]/places[place{m.Path, m.Function}])
	}
	return logs
}

// pickLog draws an index by log-probabilities.
func pickLog(logs []float64, r *rand.Rand) int {
	x := r.Float64()
	for i, l := range logs {
		if x -= math.Exp(l); x < 0 {
			return i
		}
	}
	return len(logs) - 1
}

// normalise turns log scores into log-probabilities.
func normalise(logs []float64) {
	top := slices.Max(logs)
	sum := 0.0
	for _, l := range logs {
		sum += math.Exp(l - top)
	}
	for i := range logs {
		logs[i] -= top + math.Log(sum)
	}
}

// entropyOf is the entropy of a distribution given by its logarithms, in nats.
func entropyOf(logs []float64) float64 {
	h := 0.0
	for _, l := range logs {
		if p := math.Exp(l); p > 0 {
			h -= p * l
		}
	}
	return h
}
