"""Reads an app directory from disk, and lays out a new one."""
