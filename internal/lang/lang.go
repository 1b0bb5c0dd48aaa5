// Package lang says what a programming language must provide so that its
// repositories can be broken and fixed: parsing, sites, which files are code,
// tests and runner configuration. Languages are in sub-packages and enter one
// registry.
package lang
