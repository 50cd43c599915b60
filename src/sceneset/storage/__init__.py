"""Files, locks, git, DVC and remote storage: how bytes are read and written safely."""
