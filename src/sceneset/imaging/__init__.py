"""Images and masks: decoding, metadata, measurements and lossless edits."""
