"""Modules written down: what each reads, what it sends, and the formula of what it sends.

`module_formulas` gives the formula of each quantity that a module sends to others and of each output that it computes
(`SentQuantity`), each with how far the module follows it, and what the formulas come to together (`Composition`).
"""
