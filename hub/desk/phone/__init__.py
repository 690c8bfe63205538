"""The telephone on the desk: who calls while it rings, what is said and came of it, and one's own telephone."""
