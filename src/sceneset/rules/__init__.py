"""Rules on single samples, tested on a scan's columns and tags, and a registry's policy.

The room is below ``catalog``, because selections leave out samples that break a rule.
"""
