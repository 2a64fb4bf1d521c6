"""Pictures and pages: HTML and SVG as text, from what the domain knows. Pure functions on the standard library.

Nothing here has a script or an external part, and every text is escaped (`markup`).
"""
