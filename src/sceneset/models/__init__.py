"""Models from files of the user: read, checked, and run in processes of their own."""
