"""The composition: the only package that knows all the others."""
