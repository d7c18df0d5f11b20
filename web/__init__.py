"""Answering over HTTP: the service for programs and the page for people."""
