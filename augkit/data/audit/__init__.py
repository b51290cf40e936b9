"""The audit: what is wrong with a workspace's real pairs, found before anybody trains on them.

A check is one file in ``checks/``. It may measure every pair (a few numbers each, collected in one pass over the
pairs) and judges the catalogue and these numbers as a whole.
"""
