"""The search through a pool of all short expressions: which of them, alone or in pairs, explains the rows?"""
