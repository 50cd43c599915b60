"""Reports for people and programs: statistics, cards, reviews and findings."""
