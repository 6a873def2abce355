"""Measurements that anybody can repeat: ratios against peers and against the limit, within one run.

`run.py` is the one command behind `make bench`; README.md says what is measured and how. Nothing here ships.
"""
