package builtin

import (
	"math"
	"math/rand/v2"
	"sort"

	"breakfix/internal/arena"
	"breakfix/internal/mutate"
)

// operatorPrior is how much an operator is wanted, relative to one that is not
// listed (1): realism (how often people fix its pattern, TSSB-3M in the
// operator catalogue) times the expected share of its breaks that a test
// notices, flattened by a square root so that rare operators are played too.
// No evidence yet that these numbers are good; a learning breaker replaces them.
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

// draw picks a site: first an operator, in proportion to its prior and to the
// yield that it has had, over one plus the breaks of this run that used it
// already; then one of its functions, each alike; then one of the sites there,
// in proportion to how likely a test looks. It returns the site's index and the
// logarithm of the probability of the pick.
func draw(sites []mutate.Mutation, a arena.Break, r *rand.Rand) (int, float64) {
	tried, known := a.Tried(), a.Known()
	byOperator := map[string][]int{}
	for i, m := range sites {
		byOperator[m.Operator] = append(byOperator[m.Operator], i)
	}
	names := make([]string, 0, len(byOperator))
	for n := range byOperator {
		names = append(names, n)
	}
	sort.Strings(names)
	weights := make([]float64, len(names))
	total := 0.0
	for i, n := range names {
		w, ok := operatorPrior[n]
		if !ok {
			w = 1
		}
		y := known[n]
		w *= (float64(y.Valid) + priorMade*priorYield) / (float64(y.Made) + priorMade)
		weights[i] = w / float64(1+tried[n])
		total += weights[i]
	}
	at := pickOne(weights, total, r)
	// A long function has many sites; functions are drawn alike, so that breaks spread over the code.
	type place struct{ path, function string }
	byPlace := map[place][]int{}
	var places []place
	for _, i := range byOperator[names[at]] {
		p := place{sites[i].Path, sites[i].Function}
		if byPlace[p] == nil {
			places = append(places, p)
		}
		byPlace[p] = append(byPlace[p], i)
	}
	in := byPlace[places[r.IntN(len(places))]]
	looks := make([]float64, len(in))
	all := 0.0
	for i, s := range in {
		n := float64(a.Tests(sites[s]))
		looks[i] = n / (n + fewTests)
		all += looks[i]
	}
	pick := pickOne(looks, all, r)
	return in[pick], math.Log(weights[at]/total) - math.Log(float64(len(places))) + math.Log(looks[pick]/all)
}

// pickOne draws an index in proportion to the weights, which sum to total.
func pickOne(weights []float64, total float64, r *rand.Rand) int {
	at, x := 0, r.Float64()*total
	for at < len(weights)-1 && x >= weights[at] {
		x -= weights[at]
		at++
	}
	return at
}
