"""Symbolic algebra on formulas: are two the same function, how are they written shortest, what do they share?"""
