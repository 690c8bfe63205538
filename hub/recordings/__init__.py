"""Recordings and voice mail: who may hear them, how they are played, who did, and how long they are kept."""
