"""Pexip Infinity, in two ways that work separately or together.

`platform` keeps the contract of `Platform`: it remembers every room in our own database and, with `management`, makes it on the
Management Node ahead of its time. `policy` answers Conferencing Nodes at call time, from memory. `style` holds what an
integration wants of its rooms. Facts of both interfaces: the vendor's published schema and policy documentation.
"""
