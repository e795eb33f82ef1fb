"""What `greenroom doctor` looks at. A check is a small async function; each has its own time and cannot hold up the others.

`contract.py` says what a check is given and what it returns, `examine.py` runs them all within bounds. Checks see Exchange and
platforms through their contracts; `greenroom.doctoring` opens what they need. Nothing is changed anywhere, except by the live test,
which is only done when it is asked for.
"""
