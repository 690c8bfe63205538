"""The part of aioimaplib 2.0 that Touchline uses (the library ships no types)."""
