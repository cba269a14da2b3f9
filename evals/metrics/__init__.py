"""Figures of a run: one function each, with its definition, unit and source; `all.py` lists them."""
