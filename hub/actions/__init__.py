"""What people and programs do: one function per act, inside one transaction; the desk and the API call the same ones.

Every act checks what it is given, changes rows, lets the regulations see it, notes it in the journal and tells open
desks after the commit. What it refuses it refuses with `hub.errors`.
"""
