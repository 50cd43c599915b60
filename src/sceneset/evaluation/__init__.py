"""Evaluation: how well predicted masks agree with the registered ones."""
