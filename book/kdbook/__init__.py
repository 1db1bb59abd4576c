"""kdbook: what the book's chapters are made with, and the commands that build the book.

It stands on ``kdlib``, which never imports it.
"""
