"""Sums of few terms within a function, on noisy rows: their terms, their factor, and their fit."""
