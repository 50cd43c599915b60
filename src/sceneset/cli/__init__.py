"""The command line. Only this package prints, exits or knows the terminal."""
