package engine

// Dialects of the Tinker protocol.
const (
	DialectJSON     = "json"     // all bodies are JSON
	DialectProtobuf = "protobuf" // arrays are protobuf, all else is JSON
)

// Profile is what is known of a server beyond the protocol: what Probe found, or
// what somebody wrote down. The zero value trusts nothing: a client with it is
// careful, and right with every server, but may do more than is needed.
type Profile struct {
	// Dialect is how forward_backward wants its body. Empty: JSON, until the
	// server answers 415.
	Dialect string `json:"dialect,omitempty"`
	// OnceEach says that a training request that is sent twice with the same
	// seq_id and bytes acts once. Otherwise the client does not send one again
	// that may have been taken: it restores the model from the last checkpoint and
	// replays what came after.
	OnceEach bool `json:"once_each"`
	// OwnSamplers says that sampling an older checkpoint leaves the weights under
	// training alone, and that steps leave a published checkpoint alone. Otherwise
	// Sample waits while there are steps that were not published.
	OwnSamplers bool `json:"own_samplers"`
	// Reduction is how the losses of the tokens become one: "sum" over all tokens,
	// or "mean" over sequences of the sum over tokens divided by the sum of weights.
	Reduction string `json:"reduction,omitempty"`
	// Unembed says that the output layer is trained.
	Unembed bool `json:"unembed"`
	// Batch is the multiple of data that a pass should have, where a new shape
	// compiles; 0 where any will do.
	Batch int `json:"batch,omitempty"`
}

// Known profiles, by what Probe found (docs/engines.md).
var (
	SkyRL030 = Profile{Dialect: DialectJSON, Reduction: "mean", Batch: 8}
	SkyRL040 = Profile{Dialect: DialectProtobuf, OnceEach: true, Reduction: "mean", Batch: 8}
)
