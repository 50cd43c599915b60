"""The command line. Apart from the stages, only this package prints and exits."""
