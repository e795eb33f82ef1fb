"""What `greenroom setup` writes for administrators: PowerShell files in order and a page that explains them.

`powershell.py` writes values so that nothing in them can become code; `contract.py` says what a step is. Pure: nothing here
connects anywhere, and what is written depends on its parameters alone.
"""
