package mutate

// The groups of the catalogue.
const (
	numeric = "numeric and boundary"
	logic   = "logic and control flow"
	flow    = "data and value flow"
	calls   = "calls and interfaces"
	types   = "types"
	errs    = "errors"
	threads = "threads and locks"
	async   = "asynchrony"
)

// bank is the one table of operators, in the order of the catalogue. Sources:
// MM mutmut, CR cosmic-ray, MP MutPy, PIT, ST Stryker-JS, CM cargo-mutants, GM
// go-mutesting, MD Mutode, SS SWE-smith, BL BugLab, TS the patterns of
// TSSB-3M, M4J ManySStuBs4J, PT PyTation, CON ConMAn, GO the 2019 study of Go
// concurrency bugs, MSK go-messmaker, DZ DebugZero, LINT a published lint rule.
var bank = []Operator{
	{Number: 1, Core: true, Name: "off_by_one_shift", Group: numeric, Source: "SS, GM, MM, DZ", Doc: "move an index, range bound, slice limit or counter by one",
		python: []rule{on(shiftSubscript, "subscript"), on(shiftRange, "call"), on(shiftLen, "call"), on(shiftUndo, "binary_operator"), on(shiftCounter, "augmented_assignment")}},
	{Number: 2, Core: true, Name: "relational_boundary", Group: numeric, Source: "PIT, GM, MM", Doc: "exchange strict and non-strict comparison",
		python: []rule{on(relational, "comparison_operator")}},
	{Number: 3, Core: true, Name: "numeric_literal_change", Group: numeric, Source: "MP, PIT, BL, TS", Doc: "replace a constant by 0, 1, its negation or a neighbour",
		python: []rule{on(literalChange, "integer", "float"), on(booleanFlip, "true", "false")}},
	{Number: 4, Core: true, Name: "arithmetic_operator_replace", Group: numeric, Source: "all tools", Doc: "exchange + - * / % **",
		python: []rule{on(arithmetic, "binary_operator")}},
	{Number: 5, Core: true, Name: "bitwise_shift_replace", Group: numeric, Source: "CM, GM, MM", Doc: "exchange & | ^ << >>",
		python: []rule{on(bitwise, "binary_operator")}},
	{Number: 6, Core: true, Name: "unary_invert_or_drop", Group: numeric, Source: "PIT, ST, CM, MP", Doc: "drop minus, not or ~",
		python: []rule{on(unaryDrop, "unary_operator", "not_operator")}},
	{Number: 7, Core: true, Name: "compound_assign_degrade", Group: numeric, Source: "MM, GM, BL", Doc: "turn op= into = or into the inverse",
		python: []rule{on(compoundAssign, "augmented_assignment")}},
	{Number: 8, Core: true, Name: "operand_swap", Group: numeric, Source: "SS, TS", Doc: "swap the operands of a non-commutative expression",
		python: []rule{on(operandSwap, "binary_operator"), on(comparisonSwap, "comparison_operator")}},
	{Number: 9, Core: true, Name: "expression_chain_break", Group: numeric, Source: "SS", Doc: "drop one term of a compound expression",
		python: []rule{on(chainBreak, "binary_operator")}},
	{Number: 10, Name: "division_rounding_change", Group: numeric, Source: "MM, SS", Doc: "exchange floor and true division, or the rounding",
		python: []rule{on(divisionRounding, "binary_operator"), on(roundingCall, "call")}},

	{Number: 11, Core: true, Name: "condition_negate", Group: logic, Source: "PIT, GM, CR, DZ", Doc: "negate a condition",
		python: []rule{on(negateComparison, "comparison_operator"), on(negateCondition, conditionKinds...)}},
	{Number: 12, Core: true, Name: "connector_swap", Group: logic, Source: "all tools", Doc: "exchange and and or",
		python: []rule{on(connectorSwap, "boolean_operator")}},
	{Number: 13, Core: true, Name: "condition_force", Group: logic, Source: "PIT, ST, CM, GM", Doc: "replace a condition by true or false",
		python: []rule{on(forceCondition, conditionKinds...)}},
	{Number: 14, Core: true, Name: "subcondition_drop", Group: logic, Source: "M4J, TS, PT", Doc: "remove one conjunct or disjunct",
		python: []rule{on(subcondition, "boolean_operator")}},
	{Number: 15, Core: true, Name: "branch_body_swap", Group: logic, Source: "SS", Doc: "exchange the then and else bodies",
		python: []rule{on(branchSwap, "if_statement"), on(ternarySwap, "conditional_expression")}},
	{Number: 16, Core: true, Name: "guard_clause_removal", Group: logic, Source: "SS, MSK", Doc: "delete an early return, raise, continue or break",
		python: []rule{on(guardRemoval, "if_statement")}},
	{Number: 17, Core: true, Name: "case_or_arm_removal", Group: logic, Source: "PIT, MM, CM, GM, MD", Doc: "delete a case, elif, else or except arm",
		python: []rule{on(armRemoval, "elif_clause", "else_clause", "case_clause", "except_clause")}},
	{Number: 18, Core: true, Name: "loop_iteration_change", Group: logic, Source: "MP, CR, GM", Doc: "run zero, one or reversed iterations",
		python: []rule{on(loopChange, "for_statement", "while_statement"), on(reversedDrop, "call")}},
	{Number: 19, Core: true, Name: "break_continue_swap", Group: logic, Source: "CR, GM, MM, MP", Doc: "exchange break, continue and return",
		python: []rule{on(jumpSwap, "break_statement", "continue_statement", "return_statement")}},
	{Number: 20, Core: true, Name: "statement_reorder", Group: logic, Source: "SS", Doc: "exchange neighbouring statements that depend on each other",
		python: []rule{on(reorder, "block", "module")}},
	{Number: 21, Core: true, Name: "statement_delete", Group: logic, Source: "GM, MP, SS, CWM", Doc: "delete an assignment, increment or call",
		python: []rule{on(deleteStatement, "expression_statement", "delete_statement", "raise_statement")}},

	{Number: 24, Core: true, Name: "variable_misuse", Group: flow, Source: "BL, CR, TS, CWM", Doc: "use another name that is in scope",
		python: []rule{on(variableMisuse, "identifier")}},
	{Number: 25, Core: true, Name: "return_value_replace", Group: flow, Source: "PIT, CM", Doc: "return a default, empty or inverted value",
		python: []rule{on(returnReplace, "return_statement")}},
	{Number: 27, Core: true, Name: "container_element_drop", Group: flow, Source: "TS, PT, ST, MD", Doc: "remove an element of a literal",
		python: []rule{on(elementDrop, "list", "tuple", "set", "dictionary")}},
	{Number: 30, Core: true, Name: "alias_instead_of_copy", Group: flow, Source: "MM", Doc: "drop a copy",
		python: []rule{on(copyDrop, "call"), on(sliceCopyDrop, "subscript")}},
	{Number: 33, Core: true, Name: "key_or_keyword_swap", Group: flow, Source: "MM, TS", Doc: "use the wrong key or keyword argument",
		python: []rule{on(keySwap, "subscript"), on(keywordSwap, "argument_list"), on(pairSwap, "dictionary")}},
	{Number: 34, Core: true, Name: "null_default_removal", Group: flow, Source: "ST, SS", Doc: "drop the value to fall back on",
		python: []rule{on(orDefaultDrop, "boolean_operator"), on(callDefaultDrop, "call"), on(ternaryDefaultDrop, "conditional_expression"), on(defaultAssignDrop, "if_statement")}},

	{Number: 35, Core: true, Name: "argument_swap", Group: calls, Source: "M4J, TS, BL, CWM", Doc: "exchange two arguments",
		python: []rule{on(argumentSwap, "call")}},
	{Number: 36, Name: "argument_drop", Group: calls, Source: "MM, TS, PT, MD, CWM", Doc: "drop an argument that has a default",
		python: []rule{on(argumentDrop, "call")}},
	{Number: 37, Core: true, Name: "sibling_function", Group: calls, Source: "M4J, TS, MM, ST, DZ", Doc: "call the opposite or a similar function",
		python: []rule{on(siblingFunction, "call")}},
	{Number: 39, Core: true, Name: "wrong_receiver_or_attribute", Group: calls, Source: "M4J, TS, PT", Doc: "use another attribute of the same object",
		python: []rule{on(wrongAttribute, "attribute")}},
	{Number: 40, Name: "decorator_or_annotation_removal", Group: calls, Source: "MP, CR, SS", Doc: "drop a decorator",
		python: []rule{on(decoratorRemoval, "decorator")}},
	{Number: 42, Core: true, Name: "cleanup_removal", Group: calls, Source: "SS, CON", Doc: "remove with, finally or close",
		python: []rule{on(withRemoval, "with_statement"), on(finallyRemoval, "finally_clause"), on(closeRemoval, "expression_statement")}},

	{Number: 43, Core: true, Name: "type_confusion", Group: types, Source: "TS, PT", Doc: "use a value of a confusable type",
		python: []rule{on(confuseValue, "integer", "float", "string", "list", "tuple", "dictionary", "set", "none"), on(confuseCall, "call"), on(confuseKey, "subscript"), on(confuseOperand, "comparison_operator"), on(confuseResult, "return_statement", "assignment")}},
	{Number: 44, Core: true, Name: "conversion_removal", Group: types, Source: "PT, TS", Doc: "drop a parse, cast, normalise or encode step",
		python: []rule{on(conversionDrop, "call")}},
	{Number: 47, Core: true, Name: "truthiness_confusion", Group: types, Source: "LINT", Doc: "exchange a test for None and a truth test",
		python: []rule{on(noneTest, "comparison_operator"), on(truthTest, "identifier", "attribute")}},

	{Number: 48, Core: true, Name: "exception_swallow", Group: errs, Source: "MP", Doc: "handle an exception by ignoring it",
		python: []rule{on(swallow, "except_clause")}},
	{Number: 49, Name: "handler_type_change", Group: errs, Source: "CR, MP, M4J", Doc: "catch or raise another type of exception",
		python: []rule{on(handlerType, "except_clause"), on(raisedType, "raise_statement")}},
	{Number: 50, Core: true, Name: "error_check_removal", Group: errs, Source: "MSK, CM", Doc: "drop the test of a returned sentinel",
		python: []rule{on(sentinelRemoval, "if_statement")}},

	{Number: 57, Core: true, Name: "deadlock_injection", Group: threads, Source: "CON, GO", Doc: "acquire a lock twice, invert two locks or skip a release",
		python: []rule{on(lockTwice, "with_statement"), on(lockOrder, "with_statement"), on(releaseSkip, "expression_statement")}},
	{Number: 58, Core: true, Name: "lock_removal", Group: threads, Source: "CON, MSK", Doc: "drop the lock around shared access",
		python: []rule{on(lockRemoval, "with_statement")}},
	{Number: 62, Name: "wait_notify_change", Group: threads, Source: "CON", Doc: "drop or weaken a wait or notify",
		python: []rule{on(waitNotify, "expression_statement")}},

	{Number: 66, Core: true, Name: "async_await_mismatch", Group: async, Source: "LINT", Doc: "drop an await, or return the future unawaited",
		python: []rule{on(awaitDrop, "await"), on(awaitAdd, "call"), on(asyncDef, "function_definition"), on(asyncClause, "with_statement", "for_statement")}},
	{Number: 67, Core: true, Name: "await_composition_change", Group: async, Source: "LINT", Doc: "exchange first-wins, settle-all and concurrent composition",
		python: []rule{on(composition, "attribute"), on(gatherKeyword, "keyword_argument")}},
	{Number: 68, Core: true, Name: "dangling_task", Group: async, Source: "LINT (RUF006)", Doc: "start a task without keeping or joining it",
		python: []rule{on(danglingTask, "expression_statement")}},
}

var conditionKinds = []string{"if_statement", "elif_clause", "while_statement", "if_clause", "conditional_expression", "boolean_operator"}
