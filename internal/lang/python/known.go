package python

import (
	"strings"
)

var returns = map[string]Kind{}    // of functions that are called by name
var methods = map[string]Kind{}    // of methods, whatever they are called on
var annotated = map[string]Kind{}  // of annotations
var constructs = map[string]Kind{} // by the last name of what is called, of which no other is known

func init() {
	fill := func(m map[string]Kind, k Kind, names string) {
		for _, n := range strings.Fields(names) {
			m[n] = k
		}
	}
	fill(returns, Number, "len int float complex sum abs round ord hash id divmod pow")
	fill(returns, Text, "str repr chr ascii hex oct bin format input")
	fill(returns, Bool, "bool isinstance issubclass callable hasattr any all")
	fill(returns, List, "list sorted dir")
	fill(returns, Tuple, "tuple")
	fill(returns, Dict, "dict vars globals locals OrderedDict defaultdict Counter")
	fill(returns, Set, "set frozenset")
	fill(returns, Bytes, "bytes bytearray")
	fill(returns, Iterator, "iter map filter zip enumerate reversed")
	fill(returns, Callable, "type partial")
	fill(methods, Text, "strip lstrip rstrip lower upper title capitalize casefold swapcase ljust rjust zfill expandtabs decode isoformat strftime as_posix hexdigest removeprefix removesuffix")
	fill(methods, List, "split rsplit splitlines findall mro readlines")
	fill(methods, Bool, "startswith endswith isdigit isalpha isalnum isspace isupper islower isidentifier isdisjoint issubset issuperset is_file is_dir exists is_set locked is_alive done cancelled")
	fill(methods, Number, "find rfind bit_length total_seconds timestamp qsize")
	fill(methods, Bytes, "encode digest")
	fill(methods, Tuple, "partition rpartition groups as_integer_ratio")
	fill(methods, Dict, "groupdict")
	fill(methods, Iterator, "finditer")
	fill(methods, Task, "create_task create_future")
	fill(annotated, Number, "int float complex Number Decimal")
	fill(annotated, Text, "str AnyStr LiteralString")
	fill(annotated, Bool, "bool")
	fill(annotated, Bytes, "bytes bytearray")
	fill(annotated, List, "list List MutableSequence")
	fill(annotated, Tuple, "tuple Tuple")
	fill(annotated, Dict, "dict Dict Mapping MutableMapping DefaultDict OrderedDict defaultdict")
	fill(annotated, Set, "set Set frozenset FrozenSet AbstractSet MutableSet")
	fill(annotated, Iterator, "Iterator Generator AsyncIterator AsyncGenerator")
	fill(annotated, Callable, "Callable type Type")
	fill(annotated, Absent, "None")
	fill(constructs, Queue, "Queue LifoQueue PriorityQueue SimpleQueue JoinableQueue SyncQueue AsyncQueue")
	fill(constructs, Lock, "Lock Semaphore BoundedSemaphore")
	fill(constructs, RLock, "RLock Condition")
	fill(constructs, Event, "Event")
	fill(constructs, Task, "Future Task ensure_future run_coroutine_threadsafe submit")
	for n, k := range constructs {
		if n[0] < 'a' {
			annotated[n] = k
		}
	}
}
