"""Export: how is a formula written in torch and in C?"""
