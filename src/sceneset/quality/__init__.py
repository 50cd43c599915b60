"""Rules: what can be wrong with samples, subsets and splits, and how severe it is."""
