"""Small data sets on disk, one module an importer: ``make(folder, count)`` writes one with ``count`` usable photos.

The module has the importer's name (with ``_`` for ``-``). ``make`` returns what the importer takes as its source: the
folder, below which every sample's ``source_file`` (up to a ``#``) is a file of its own.
"""
