"""Annotation formats: read deliveries that are not in the Custom layout."""
