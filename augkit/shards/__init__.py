"""Shards: pairs in plain tar files with a Parquet index; written whole, committed by name, read at random.

``storage`` holds named bytes (a folder, or anything that fsspec reaches), ``codec`` turns arrays into members and back,
``writer`` makes one shard, ``index`` makes a data set of committed shards, ``reader`` gives it to a training script,
``verify`` checks every byte. Nothing here knows how a pair came to be.
"""
