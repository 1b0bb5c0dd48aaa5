"""Forty little functions, each with a test: what small models play on."""
