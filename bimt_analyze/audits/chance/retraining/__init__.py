"""Null networks that are trained as the network was, on other targets or at another price."""
