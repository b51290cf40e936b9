"""The gate: what a generated pair has to pass, learnt from real pairs. Every score is a column of the index.

- ``mask_rule``: the rule of parts, areas and views (no fit); ``checks``: one fitted check a file.
- ``fit``: fits the judges and their bounds once a data set; ``judge``: judges a candidate.
- ``duplicates``, ``rescore`` and ``judge_again``: passes over finished shards; ``funnel``: where candidates are lost.

It knows nothing of settings, plans or training: ``options`` is what it is handed, plain numbers and what trains the
networks that judge photos.
"""
