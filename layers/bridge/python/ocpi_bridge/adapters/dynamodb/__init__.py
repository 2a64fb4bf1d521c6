"""The three tables: sessions, requests, registry."""
