"""The outside world: one folder per channel, and the contract that all of them keep. Knows no database."""
