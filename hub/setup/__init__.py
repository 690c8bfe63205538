"""The declarative set-up: read from TOML, kept as immutable versions, handed out as one frozen snapshot."""
