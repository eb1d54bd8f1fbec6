"""Signing in, proving it again, and what belongs to it: second factors, devices, sessions, the brake on guessing."""
