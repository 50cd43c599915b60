"""The live catalogue of a registry on a web server: search, facets, pictures, a JSON API."""
