"""The configuration as a YAML file: what people set up, out of one console and into another, as often as one likes.

`document` is the file, `sections` its parts in the order in which they need each other, `transfer` the two ways.
"""
