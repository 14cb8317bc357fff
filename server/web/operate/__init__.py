"""The pages for operators: how the installation is, and what one may do about it.

What changes anything asks first, on a page of its own, and is a form of `post`: see `acting`.
"""
