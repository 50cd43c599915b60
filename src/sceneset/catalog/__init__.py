"""The registry's files, read: entries, tags, scans, the vocabulary, and look-ups in them."""
