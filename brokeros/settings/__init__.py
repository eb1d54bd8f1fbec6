"""Settings split by meaning; `demo`, `test` and `production` are the three ways to run."""
