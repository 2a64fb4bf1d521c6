"""Secrets: read from AWS Secrets Manager, kept in memory for a few minutes, never shown."""
