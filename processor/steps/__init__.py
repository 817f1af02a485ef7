"""Steps: each may end a piece of work before anything is sent, or pass it on. `line` composes them in one visible
list.
"""
