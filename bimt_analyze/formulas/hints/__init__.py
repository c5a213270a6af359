"""Hints: what do a circuit and a network propose to the search for formulas?"""
