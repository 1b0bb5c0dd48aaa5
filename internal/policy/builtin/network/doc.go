// Package network is the network of the built-in policy: numbers in, numbers
// out. It knows tokens, sites and moves, and nothing of syntax trees, tests or
// players.
package network
