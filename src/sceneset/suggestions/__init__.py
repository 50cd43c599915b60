"""Hints on which samples to look at again. They rank samples, and never judge one."""
